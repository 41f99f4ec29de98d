"""The capture on a real loopback interface."""

from __future__ import annotations

import socket

import pytest

from tests.bench.capture import Capture, allowed
from tests.bench.segments import connections


@pytest.mark.skipif(not allowed(), reason="to capture packets takes CAP_NET_RAW")
def test_packets_of_the_port_are_captured_with_their_times() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port = server.getsockname()[1]
        with Capture(port) as capture:
            for listener in (other, server):
                with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as accepted:
                    for _ in range(2):
                        client.sendall(b"request")
                        assert accepted.recv(100) == b"request"
                        accepted.sendall(b"response")
                        assert client.recv(100) == b"response"
    (connection,) = connections(capture.packets, port)
    assert connection.connect_ns is not None
    assert connection.connect_ns > 0
    assert len(connection.exchanges) == 2
    assert connection.syn_ns < connection.exchanges[0].request_ns < connection.exchanges[0].response_ns
    assert connection.exchanges[0].response_ns < connection.exchanges[1].request_ns


def test_nothing_is_read_where_the_load_failed() -> None:
    if not allowed():
        pytest.skip("to capture packets takes CAP_NET_RAW")
    capture = Capture(1)
    with pytest.raises(ZeroDivisionError), capture:
        raise ZeroDivisionError
    assert capture.packets == []
