"""Responses that come in time and are not what was asked for: redirects, errors, a port that speaks TLS."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.processes import HELLO, Nginx, compare, read_request, scripted_server

LOCATION = "https://user:pass@example.org/welcome?token=very-secret&page=2"
MOVED = f"HTTP/1.1 301 Moved Permanently\r\nLocation: {LOCATION}\r\nContent-Length: 0\r\n\r\n".encode()
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
SHORT = ("--rounds", "1", "--users", "2")


def test_a_server_that_only_redirects_leads_the_verdict(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(MOVED)

    with scripted_server(script) as port:
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *SHORT, "--policies", "persistent,close")
    shown = "https://***@example.org/welcome?token=***&page=2"
    assert summary["verdict"].startswith(f"every response was a 301 to {shown}, which loadgen does not follow, so all")
    assert {one["redirected_to"] for one in summary["policies"].values()} == {shown}
    (first, _) = (one["message"] for one in summary["warnings"] if one["code"] == "redirects")
    assert first.endswith(f" were redirects to {shown}, which loadgen does not follow")
    for path in (tmp_path / "run").rglob("*"):
        assert b"very-secret" not in path.read_bytes(), path


def test_a_policy_that_only_meets_errors_is_compared_with_no_other(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            connection.sendall(BROKEN if b"Connection: close" in request else HELLO)

    with scripted_server(script) as port:
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *SHORT, "--policies", "persistent,close")
    assert summary["verdict"].startswith(
        "every response of close was an error (503), so it is compared with no other; persistent answered "
    )


def test_http_in_clear_at_a_port_that_speaks_tls(nginx: Nginx, tmp_path: Path) -> None:
    url = nginx.https.replace("https://", "http://")
    summary = compare(url, tmp_path / "run", *SHORT, "--policies", "persistent")
    assert summary["verdict"].startswith(
        "every response was an error (400) (does this port speak TLS? Then use https://)"
    )
