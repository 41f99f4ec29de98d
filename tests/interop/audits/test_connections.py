"""What real servers do with HTTP's versions, persistence and closing: an audit says what is known of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadgen.model.audit import FindingRecord
from loadgen.model.units import NS_PER_S
from tests.support.audits import audit, finding
from tests.support.processes import free_port, installed, nginx_program, server_process
from tests.support.servers import PEERS

_PROBES = ("versions", "persistence", "closing")
_SOON_NS = NS_PER_S // 2

NOT_OK: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "limited-nginx": {},
    "uvicorn": {"keep_alive_http10": ("note", "not kept")},
    "hypercorn": {"keep_alive_http10": ("note", "not kept")},
    "node": {},
    "gunicorn": {"close_options": ("violation", "4 of 6 ways ignored, `close, TE`, among others")},
    "gunicorn-sync": {
        "persistent_by_default": ("note", "closed after 1, as announced"),
        "keep_alive_http10": ("note", "not kept"),
    },
}
"""By server: the checks that are not `ok`, with what was measured."""
SPEAKS_HTTP2 = {"hypercorn"}


@pytest.mark.parametrize("name", PEERS)
def test_what_a_server_does(name: str, tmp_path: Path) -> None:
    with PEERS[name](tmp_path / "server") as peer:
        found = audit(peer.url, *_PROBES, timeout_ns=_SOON_NS)["findings"]
    not_ok = {check: (one["verdict"], one["measured"]) for check, one in found.items() if one["verdict"] != "ok"}
    assert not_ok == NOT_OK[name]
    speaks = {check: found[check]["values"][key] for check, key in _HTTP2.items()}
    assert set(speaks.values()) == {name in SPEAKS_HTTP2}


_HTTP2 = {"h2c_upgrade": "accepted", "h2_prior_knowledge": "spoken"}

_NGINX = """
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 200; }}
http {{
  access_log off; root {folder}; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{lingering}; lingering_close always; }}
  server {{ listen 127.0.0.1:{hasty}; lingering_close off; }}
  server {{ listen 127.0.0.1:{closing}; keepalive_timeout 0; }}
  server {{ listen 127.0.0.1:{http2} http2; }}
}}
"""


@contextmanager
def _nginx(folder: Path) -> Iterator[dict[str, str]]:
    """The URL of a file of 2 MB, by how nginx is set."""
    program = nginx_program()
    folder.chmod(0o755)
    (folder / "large").write_bytes(bytes(2_000_000))
    ports = {name: free_port() for name in ("lingering", "hasty", "closing", "http2")}
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **ports), encoding="utf-8")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, ports["hasty"]):
        yield {name: f"http://127.0.0.1:{port}/large" for name, port in ports.items()}


def test_nginx_as_it_is_set(tmp_path: Path) -> None:
    with _nginx(tmp_path) as urls:
        lingering = finding(urls["lingering"], "lingering_close")
        hasty = finding(urls["hasty"], "lingering_close")
        closing = audit(urls["closing"], "persistent_by_default", "as_announced")["findings"]
        http2 = audit(urls["http2"], "http11", "h2_prior_knowledge")["findings"]
    assert lingering["verdict"] == "ok"
    assert lingering["values"]["response_bytes"] == 2_000_000
    assert (hasty["verdict"], hasty["values"]["whole_with_more"]) == ("note", False)
    assert _measured(closing)["persistent_by_default"] == "closed after 1, as announced"
    assert closing["as_announced"]["announced"] == "Connection: close"
    assert closing["as_announced"]["verdict"] == "ok"
    assert _measured(http2)["h2_prior_knowledge"] == "spoken, status 200"


def _measured(findings: Mapping[str, FindingRecord]) -> dict[str, str]:
    return {name: one["measured"] for name, one in findings.items()}


_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen one
  bind 127.0.0.1:{port}
  server origin 127.0.0.1:{origin}
"""


def test_haproxy_passes_on_the_keep_alive_field_of_the_server_behind_it(tmp_path: Path) -> None:
    program, port = installed("haproxy", "haproxy"), free_port()
    with PEERS["node"](tmp_path / "server") as peer:
        origin = peer.url.rstrip("/").rpartition(":")[2]
        (tmp_path / "haproxy.cfg").write_text(_HAPROXY.format(port=port, origin=origin), encoding="utf-8")
        with server_process([program, "-db", "-f", str(tmp_path / "haproxy.cfg")], tmp_path, port):
            found = audit(f"http://127.0.0.1:{port}/", *_PROBES, timeout_ns=_SOON_NS)["findings"]
    not_ok = {check: one["verdict"] for check, one in found.items() if one["verdict"] != "ok"}
    assert not_ok == {"as_announced": "violation"}
    assert found["as_announced"]["section"] == "RFC 9110 §7.6.1"
    assert found["as_announced"]["announced"] == "Keep-Alive: timeout=1"
