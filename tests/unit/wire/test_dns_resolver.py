"""Names that DNS servers are asked for: both families at a time, and what one that says no, or nothing, comes to.

What a server answers is in tests/unit/target/test_name_server.py.
"""

from __future__ import annotations

import socket
from typing import Any

import gevent
import pytest
from gevent.event import AsyncResult

from loadgen.wire import dns_resolver
from loadgen.wire.dns_resolver import DnsAnswer, resolve_by_dns

S = 1_000_000_000
V4, V6 = (socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET6, ("2001:db8::1", 80, 0, 0))


@pytest.mark.parametrize("host", ["shop.test", "a" * 70 + ".test"])
def test_no_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(dns_resolver, "_LIFETIME_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found: AsyncResult = AsyncResult()
        resolve_by_dns(host, 80, found.set, 0, silent.getsockname())
        assert isinstance(found.get(timeout=20), OSError)


def test_both_families_are_asked_before_either_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_resolver, "_LIFETIME_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        found: AsyncResult = AsyncResult()
        resolve_by_dns("shop.test", 80, found.set, 0, silent.getsockname())
        gevent.sleep(0)
        kinds = {silent.recv(512)[-3:-2] for _ in range(2)}
        assert not found.ready()
    assert kinds == {b"\x01", b"\x1c"}  # A and AAAA
    found.get(timeout=20)


class Asked:
    """A look-up whose answers a test gives."""

    def __init__(self, patience_s: float | None = None) -> None:
        self.told: list[Any] = []
        self._look_up = dns_resolver._LookUp([socket.AF_INET6, socket.AF_INET], self.told.append, patience_s)

    def answer(self, family: int, found: Any) -> list[Any]:
        self._look_up.add(family, found)
        return self.told


def test_the_answer_has_both_families_ipv4_first_and_the_shorter_ttl() -> None:
    asked = Asked()
    assert not asked.answer(V6[0], ([V6], 7))
    (found,) = asked.answer(V4[0], ([V4], 9))
    assert (type(found), found, found.ttl_ns) == (DnsAnswer, [V4, V6], 7 * S)


@pytest.mark.parametrize("trouble", [OSError(None, "it took too long"), dns_resolver._NoRecords(None, "no AAAA")])
def test_a_family_that_could_not_be_looked_up_does_not_hide_the_other(trouble: OSError) -> None:
    asked = Asked()
    asked.answer(V6[0], trouble)
    (found,) = asked.answer(V4[0], ([V4], 9))
    assert (found, found.ttl_ns) == ([V4], 9 * S)


def test_of_two_errors_the_one_is_told_that_is_more_than_no_address() -> None:
    asked = Asked()
    trouble = OSError(None, "all name servers failed")
    asked.answer(V6[0], trouble)
    assert asked.answer(V4[0], dns_resolver._NoRecords(None, "no A")) == [trouble]


def test_ipv4_waits_for_ipv6_no_longer_than_the_resolution_delay() -> None:
    """RFC 8305 §3. What comes later is not told a second time."""
    asked = Asked(patience_s=0.001)
    assert not asked.answer(V4[0], ([V4], 9))
    while not asked.told:
        gevent.sleep(0.001)
    assert asked.answer(V6[0], ([V6], 7)) == [[V4]]


@pytest.mark.parametrize("patience_s", [None, 30.0])
def test_ipv6_that_comes_in_time_is_in_the_answer(patience_s: float | None) -> None:
    asked = Asked(patience_s)
    assert not asked.answer(V4[0], ([V4], 9))
    assert asked.answer(V6[0], ([V6], 7)) == [[V4, V6]]
