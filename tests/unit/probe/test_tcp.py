"""The probes of TCP, on loopback; tests/process/laboratory has round trips of a set length."""

from __future__ import annotations

import socket

import pytest

from loadgen.model.units import NS_PER_MS
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.tcp.tcp_info import tcp_info
from tests.support.audits import audit, finding
from tests.support.processes import BYE, HELLO, read_request, scripted_server


def probes_when_idle(connection: socket.socket, _number: int) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)  # the kernel knows whole seconds
    while read_request(connection):
        connection.sendall(HELLO)


def test_keepalive_probes_are_seen() -> None:
    with scripted_server(probes_when_idle) as port:
        found = finding(f"http://127.0.0.1:{port}/", "tcp_keepalive", idle_max_ns=1_300 * NS_PER_MS)
    assert (found["verdict"], found["values"]["probes"]) == ("ok", 1)
    assert 900 * NS_PER_MS <= found["values"]["first_ns"] <= 1_300 * NS_PER_MS


def test_none_are_seen() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.settimeout(0.4)
        while read_request(connection):
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        found = audit(f"http://127.0.0.1:{port}/", "tcp", idle_max_ns=900 * NS_PER_MS)["findings"]
    assert found["tcp_keepalive"]["verdict"] == "note"
    assert found["tcp_keepalive"]["measured"].endswith("until the server closed it")
    assert found["initial_window"]["verdict"] == "unknown"
    assert "too short" in found["initial_window"]["measured"]


def test_a_server_that_keeps_no_connection() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(BYE)

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "tcp_keepalive")
    assert (found["verdict"], found["measured"]) == ("unknown", "the server keeps no connection open")


def test_what_the_kernel_counts() -> None:
    with scripted_server(lambda connection, _number: connection.sendall(b"x" * 5_000)) as port:
        client = socket.create_connection(("127.0.0.1", port))
        with client:
            while client.recv(65_536):
                pass
            info = tcp_info(client)
    assert info.received_bytes in (5_000, 5_001)  # with the FIN
    assert 1 <= info.data_segments_in < info.segments_in
    assert info.received_mss_bytes > 0
    assert info.rtt_us > 0


def test_an_older_kernel_says_less() -> None:
    class OldKernel:
        def getsockopt(self, *_: int) -> bytes:
            return bytes(104)

    with pytest.raises(ProbeFailure, match="does not count"):
        tcp_info(OldKernel())
