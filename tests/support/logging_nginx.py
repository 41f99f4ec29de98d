"""An nginx whose log has lines of a test's own format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import nginx_program, server_process


@contextmanager
def nginx(folder: Path, site: str, log_format: str, port: int) -> Iterator[None]:
    """An nginx with this site, whose access.log has lines of this format."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ log_format own '{log_format}'; access_log {folder}/access.log own; {folders}\n"
        f"keepalive_requests 1000000; {site} }}\n"
    )
    with server_process([nginx_program(), "-c", f"{config}"], folder, port):
        yield
