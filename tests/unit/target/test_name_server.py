"""The DNS server for tests, asked over UDP by the resolver that a run has, and by hand where a query is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from gevent.event import AsyncResult

from loadgen.target.name_server import NameServer
from loadgen.wire.dns_resolver import DnsAnswer, resolve_by_dns
from loadgen.wire.transport import SocketAddress

S = 1_000_000_000


@pytest.fixture
def present() -> list[str]:
    return ["127.0.0.1", "127.0.0.2", "::1"]


@pytest.fixture
def server(present: list[str]) -> Iterator[NameServer]:
    found = NameServer("127.0.0.1", 0, lambda: present, 7)
    yield found
    found.close()


def look_up(server: NameServer, family: int = 0) -> list[SocketAddress] | OSError:
    found: AsyncResult = AsyncResult()
    resolve_by_dns("shop.test", 80, found.set, family, ("127.0.0.1", server.port))
    result: list[SocketAddress] | OSError = found.get(timeout=20)
    return result


def test_any_name_has_the_present_addresses_and_their_ttl(server: NameServer, present: list[str]) -> None:
    found = look_up(server)
    assert isinstance(found, DnsAnswer)
    # In any order, as name servers do.
    assert sorted(found) == [
        (socket.AF_INET, ("127.0.0.1", 80)), (socket.AF_INET, ("127.0.0.2", 80)), (socket.AF_INET6, ("::1", 80, 0, 0)),
    ]  # fmt: skip
    assert found.ttl_ns == 7 * S
    present[:] = ["127.0.0.3"]
    assert look_up(server) == [(socket.AF_INET, ("127.0.0.3", 80))]
    missing = look_up(server, socket.AF_INET6)
    assert isinstance(missing, OSError)
    assert "shop.test" in missing.strerror


def test_what_is_no_query_gets_no_answer(server: NameServer) -> None:
    assert server.reply(b"nonsense") == b""
