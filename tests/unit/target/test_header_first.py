"""The embedded target that demands a header of the PROXY protocol: what it takes, counts and refuses."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from loadgen.target.account import Account
from loadgen.target.header_first import HeaderFirst
from loadgen.wire import poller
from loadgen.wire.proxy.proxy_header import proxy_header
from loadgen.wire.transport import TcpTransport


class Accepted:
    """A connection that was accepted, and what became of its beginning."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.client = socket.create_connection(listener.getsockname())
        sock, _ = listener.accept()
        listener.close()
        sock.setblocking(False)
        self.transport = TcpTransport(poller.of_hub(), sock)
        self.account = Account()
        self.said: list[str] = []
        self.first = HeaderFirst(
            self.transport, self.account, lambda: self.said.append("begun"), lambda: self.said.append("refused")
        )

    def hears(self, data: bytes) -> None:
        self.client.sendall(data)
        self.first.on_readable()

    def header(self, version: int, source: Any = None) -> bytes:
        return proxy_header(version, socket.AF_INET, source or self.client.getsockname(), self.client.getpeername())

    def close(self) -> None:
        self.client.close()
        self.transport.close()


@pytest.fixture
def accepted() -> Any:
    one = Accepted()
    yield one
    one.close()


@pytest.mark.parametrize("version", [1, 2])
def test_what_follows_the_header_is_left(accepted: Accepted, version: int) -> None:
    header = accepted.header(version)
    accepted.hears(header[:9])
    assert accepted.said == []
    accepted.hears(header[9:] + b"GET")
    assert accepted.said == ["begun"]
    assert accepted.transport.socket.recv(10) == b"GET"
    assert accepted.account.stats()["proxy_protocol"] == {f"version_{version}": 1, "same_source": 1}


def test_another_source_is_counted(accepted: Accepted) -> None:
    accepted.hears(accepted.header(1, ("192.0.2.1", 5)))
    assert accepted.account.stats()["proxy_protocol"] == {"version_1": 1, "other_source": 1}


def test_a_connection_without_a_header_is_refused(accepted: Accepted) -> None:
    accepted.hears(b"GET / HTTP/1.1\r\n")
    assert accepted.said == ["refused"]
    assert "proxy_protocol" not in accepted.account.stats()
