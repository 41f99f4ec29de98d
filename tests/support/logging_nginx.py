"""An nginx whose sites and whose log's lines are a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import nginx_program, server_process

_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 1000; }}
http {{
  log_format own '{log_format}'; access_log {folder}/access.log own; keepalive_requests 10000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {site}
}}
"""


@contextmanager
def nginx(folder: Path, site: str, log_format: str, *ports: int) -> Iterator[None]:
    """An nginx with this inside its `http`, until the end of the block; its log has lines of this format.

    It skips the test where it is not installed.
    """
    config = folder / "nginx.conf"
    config.write_text(_CONFIGURATION.format(folder=folder, site=site, log_format=log_format), encoding="utf-8")
    with server_process([nginx_program(), "-c", str(config)], folder, *ports):
        yield


def take_lines(log: Path) -> list[str]:
    """What was logged since this was called last."""
    lines = log.read_text(encoding="utf-8").splitlines()
    log.write_text("", encoding="utf-8")
    return lines
