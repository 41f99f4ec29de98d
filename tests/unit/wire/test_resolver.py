"""Names are looked up by the system's resolver, off the loop; whatever fails there is an error and no exception."""

from __future__ import annotations

import socket

import pytest
from gevent.event import AsyncResult

from loadgen.wire.resolver import resolve
from loadgen.wire.transport import SocketAddress

PATIENCE_S = 10


def look_up(host: str, family: int = 0) -> list[SocketAddress] | OSError:
    found: AsyncResult = AsyncResult()
    resolve(host, 80, found.set, family)
    result: list[SocketAddress] | OSError = found.get(timeout=PATIENCE_S)
    return result


def test_a_name_is_looked_up_off_the_loop() -> None:
    assert (socket.AF_INET, ("127.0.0.1", 80)) in look_up("127.0.0.1")  # type: ignore[operator] # it is an address


@pytest.mark.parametrize("host", ["no\0name", "a" * 70 + ".invalid"])
def test_a_name_that_can_not_be_looked_up_is_an_error_and_no_exception(host: str) -> None:
    assert isinstance(look_up(host), OSError)


def test_addresses_of_one_family_alone() -> None:
    assert look_up("127.0.0.1", socket.AF_INET) == [(socket.AF_INET, ("127.0.0.1", 80))]
    missing = look_up("127.0.0.1", socket.AF_INET6)
    assert isinstance(missing, OSError)
    assert missing.strerror.startswith("127.0.0.1 has no IPv6 address (")
