"""A real server that writes head and body apart: with Nagle's algorithm each response takes 40 ms, and that is said."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.processes import compare, read_request, scripted_server


@pytest.mark.parametrize("has_nagle", [True, False])
def test_a_server_that_writes_twice(tmp_path: Path, has_nagle: bool) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not has_nagle)
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            connection.sendall(b"hello")

    with scripted_server(script) as port:
        arguments = ["--policies", "persistent", "--users", "2", "--rounds", "1", "--block", "1200ms"]
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *arguments)
    one = summary["policies"]["persistent"]
    found = [warning["message"] for warning in summary["warnings"] if warning["code"] == "nagle_delays"]
    assert len(found) == has_nagle
    assert (one["delayed_ack_share"] > 0.5) is has_nagle
    assert (one["phases_ns"]["receive"]["p50"] > 39e6) is has_nagle
