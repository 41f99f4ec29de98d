"""A DNS server that does not answer, and one that says no, are errors and no exceptions.

What it answers is in tests/unit/target/test_name_server.py.
"""

from __future__ import annotations

import socket

import pytest
from gevent.event import AsyncResult

from loadgen.wire import dns_resolver
from loadgen.wire.dns_resolver import resolve_by_dns


@pytest.mark.parametrize("host", ["shop.test", "a" * 70 + ".test"])
def test_no_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(dns_resolver, "_LIFETIME_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found: AsyncResult = AsyncResult()
        resolve_by_dns(host, 80, found.set, 0, silent.getsockname())
        assert isinstance(found.get(timeout=20), OSError)
