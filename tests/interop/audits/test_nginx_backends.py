"""The probes of backends against nginx as a balancer of three others, evenly and by weight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audits import audit
from tests.support.processes import free_port, nginx_program, server_process

_NAMES = ("one", "two", "three")
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; proxy_http_version 1.1; proxy_set_header Connection "";
  {backends}
  upstream even {{ {servers} keepalive 8; }}
  upstream weighted {{ {weighted} keepalive 8; }}
  server {{ listen 127.0.0.1:{even}; location / {{ proxy_pass http://even; }} }}
  server {{ listen 127.0.0.1:{heavy}; location / {{ proxy_pass http://weighted; }} }}
}}
"""


@pytest.fixture(scope="module")
def balancers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """One that spreads evenly, and one with weights of 1, 1 and 8."""
    program = nginx_program()
    folder: Path = tmp_path_factory.mktemp("nginx")
    ports = [free_port() for _ in range(5)]
    named = dict(zip(_NAMES, ports, strict=False))
    text = _CONFIGURATION.format(
        folder=folder,
        backends=" ".join(
            f'server {{ listen 127.0.0.1:{port}; location / {{ add_header X-Backend {name}; return 200 "hello"; }} }}'
            for name, port in named.items()
        ),
        servers=" ".join(f"server 127.0.0.1:{port};" for port in named.values()),
        weighted=" ".join(
            f"server 127.0.0.1:{port} weight={8 if name == 'three' else 1};" for name, port in named.items()
        ),
        even=ports[3],
        heavy=ports[4],
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, ports[4]):
        yield f"http://127.0.0.1:{ports[3]}/", f"http://127.0.0.1:{ports[4]}/"


def test_requests_of_one_connection_are_spread_evenly(balancers: tuple[str, str]) -> None:
    found = audit(balancers[0], "backends", "backends_of_reused")["findings"]
    new, reused = found["backends"], found["backends_of_reused"]
    assert (new["verdict"], reused["verdict"]) == ("ok", "ok")
    assert new["values"]["told_by"] == ["x-backend"]
    assert set(_NAMES) == set(new["values"]["backends"])  # type: ignore[arg-type] # a list of texts
    assert reused["values"]["is_sticky"] is False
    assert float(reused["values"]["same_backend_high"]) < 1 / 3  # type: ignore[arg-type] # they take turns


def test_weights_are_seen(balancers: tuple[str, str]) -> None:
    found = audit(balancers[1], "backends", backend_header="X-Backend")["findings"]["backends"]
    assert found["verdict"] == "note"
    assert found["values"]["backends"][0] == "three"  # type: ignore[index] # a list of texts
    low, high = (found["values"][key][0] for key in ("low_shares", "high_shares"))  # type: ignore[index] # lists
    assert low < 0.8 < high  # type: ignore[operator] # of shares
