"""The probes of TLS against nginx, on several values of each setting, and against two of its servers in turns."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.units import NS_PER_S
from tests.support.audits import audit
from tests.support.processes import free_port, nginx_program, scripted_server, server_process, write_certificates

SETTINGS = {
    "default": "",
    "1.2": "ssl_protocols TLSv1.2;",
    "cache": "ssl_protocols TLSv1.2; ssl_session_tickets off; ssl_session_cache shared:a:1m; ssl_session_timeout 7m;",
    "nothing": "ssl_session_tickets off; ssl_session_cache off;",
    "early": "ssl_early_data on; ssl_session_timeout 2m;",
    "short": "ssl_session_timeout 2s;",
    "forgets": "ssl_protocols TLSv1.2; ssl_session_tickets off; ssl_session_cache shared:b:1m; ssl_session_timeout 2s;",
    "curve": "ssl_ecdh_curve secp384r1;",
}
"""What each server block says of TLS."""
EXPECTED: dict[str, dict[str, dict[str, Any]]] = {
    "default": {
        "tls_versions": {"versions": ["1.2", "1.3"]},
        "tls_tickets": {"tickets": 2, "tls13_ticket": True, "tls12_ticket": True, "lifetime_ns": 300 * NS_PER_S},
        "tls_ticket_uses": {"taken": 4, "single_use": False},
        "tls_resumption": {"resumed_share": 1},
        "tls_early_data": {"max_early_data_bytes": 0},
        "tls_close_notify": {"close_notify": True},
        "tls_handshake_time": {"resumed": 12},
    },
    "1.2": {"tls_versions": {"versions": ["1.2"]}, "tls_tickets": {"tickets": 1, "tls12_ticket": True}},
    "cache": {
        "tls_tickets": {"tickets": 0, "tls12_ticket": False, "tls12_session_id": True},
        "tls_resumption": {"resumed_share": 1},
    },
    "nothing": {
        "tls_tickets": {"tls13_ticket": False, "tls12_ticket": False, "tls12_session_id": False},
        "tls_resumption": {"resumed_share": 0},
        "tls_handshake_time": {"resumed": 0},
    },
    "early": {
        "tls_early_data": {"max_early_data_bytes": 16384},
        "tls_tickets": {"lifetime_ns": 120 * NS_PER_S, "tls13_ticket": True},
        "tls_resumption": {"resumed_share": 1},
    },
    "short": {"tls_ticket_life": {"lifetime_ns": 2 * NS_PER_S}},
    "forgets": {"tls_ticket_life": {}},
    "curve": {"tls_negotiated": {"asked_again": True, "group": "secp384r1", "post_quantum": False}},
}
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
  {servers}
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[int, dict[str, Any]]]]:
    """nginx with a server for each row of SETTINGS: gives its port, and the fields of a plan that trusts it."""
    program = nginx_program()
    folder: Path = tmp_path_factory.mktemp("nginx")
    write_certificates(folder)
    ports = {name: free_port() for name in SETTINGS}
    servers = "\n".join(
        f'server {{ listen 127.0.0.1:{ports[name]} ssl; {text} location / {{ return 200 "hello"; }} }}'
        for name, text in SETTINGS.items()
    )
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, servers=servers), encoding="utf-8")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, ports["default"]):
        yield lambda name: (ports[name], {"cacert": str(folder / "ca.pem")})


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting(name: str, nginx: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    port, trusted = nginx(name)
    plan = {"idle_max_ns": 10 * NS_PER_S, **trusted}
    findings = audit(f"https://localhost:{port}/", *EXPECTED[name], **plan)["findings"]
    for probe, values in EXPECTED[name].items():
        assert findings[probe]["values"].items() >= values.items(), findings[probe]
        assert findings[probe]["verdict"] in ("ok", "note")
    if name == "short":
        # The last ticket is offered a second before its end, and is still taken.
        assert NS_PER_S <= findings["tls_ticket_life"]["values"]["taken_ns"] < 2 * NS_PER_S
    if name == "forgets":
        # Nothing is announced. nginx counts whole seconds: a session lives for one to two.
        values = findings["tls_ticket_life"]["values"]
        assert values["taken_ns"] < 2 * NS_PER_S
        assert NS_PER_S < values["refused_ns"] < 3 * NS_PER_S
        assert "lifetime_ns" not in values


def test_two_servers_that_share_no_keys(nginx: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    # Server blocks have keys of their own each.
    ports = [nginx(name)[0] for name in ("default", "early")]
    with scripted_server(lambda connection, number: _forward(connection, ports[number % 2])) as port:
        found = audit(f"https://localhost:{port}/", "tls_resumption", **nginx("default")[1])["findings"][
            "tls_resumption"
        ]
    assert (found["verdict"], found["values"]["resumed"], found["values"]["backends"]) == ("warning", 12, 2)
    assert "share the keys" in (found["advice"] or "")


def _forward(connection: socket.socket, port: int) -> None:
    """Carry bytes to the server at this port and back, until one side closes."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_carry, args=(server, connection), daemon=True)
        back.start()
        _carry(connection, server)
        back.join(timeout=20)


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
