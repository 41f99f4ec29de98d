"""Looks a name up by asking DNS servers, off the loop: only they say for how long an answer may be kept (its TTL).

The system's resolver hides that, and keeps answers itself. Knows no connection, no file of names such as /etc/hosts,
and remembers nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent

from loadgen.model.authority import is_ipv6
from loadgen.model.units import NS_PER_S
from loadgen.wire.transport import SocketAddress

_LIFETIME_S = 5.0
# In the order in which they are asked (RFC 8305 §3).
_RECORDS: dict[int, str] = {socket.AF_INET6: "AAAA", socket.AF_INET: "A"}

Found = tuple[list[SocketAddress], int]
"""Addresses of one family, and the time for which they may be kept (s)."""


class DnsAnswer(list[SocketAddress]):
    """The addresses of a name, IPv4 first, and the time for which they may be kept (ns)."""

    ttl_ns = 0


class _NoRecords(OSError):
    """The server knows of no address of this family, or of no such name."""


class _LookUp:
    """Both families are asked at the same time, and what comes of it is told once."""

    def __init__(
        self, families: list[int], callback: Callable[[list[SocketAddress] | OSError], None], patience_s: float | None
    ) -> None:
        self._awaited = set(families)
        self._callback: Callable[[list[SocketAddress] | OSError], None] | None = callback
        self._patience_s = patience_s
        self._found: dict[int, Found | OSError] = {}
        self._timer: Any = None

    def add(self, family: int, found: Found | OSError) -> None:
        """The answer for one family is there."""
        self._awaited.discard(family)
        self._found[family] = found
        if not self._awaited:
            self._end()
        elif self._patience_s is not None and family == socket.AF_INET and not isinstance(found, OSError):
            self._timer = gevent.get_hub().loop.timer(self._patience_s)
            self._timer.start(self._end)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        callback, self._callback = self._callback, None
        if callback is not None:  # else it was told without the family that has come only now
            callback(_joined([self._found[family] for family in reversed(_RECORDS) if family in self._found]))


def resolve_by_dns(
    host: str, port: int, callback: Callable[[list[SocketAddress] | OSError], None], family: int = 0,
    server: tuple[str, int] | None = None, patience_s: float | None = None,
) -> None:  # fmt: skip
    """Look `host` up in gevent's thread pool and call back, in the loop, with a DnsAnswer or an OSError.

    family: AF_INET or AF_INET6 for addresses of that family alone. server: address and port of the DNS server to ask;
    None for those of the system. patience_s: for how long IPv6 addresses are awaited once IPv4 ones are there, the
    Resolution Delay of RFC 8305 §3; None for as long as it takes.
    """
    families = [one for one in _RECORDS if family in (socket.AF_UNSPEC, one)]
    look_up = _LookUp(families, callback, patience_s)
    for one in families:
        asking = gevent.get_hub().threadpool.spawn(_ask, host, port, one, server)
        asking.rawlink(lambda result, family=one: look_up.add(family, result.value))


def _joined(answers: list[Found | OSError]) -> DnsAnswer | OSError:
    """One answer of those of the families; an error where none has an address, which says more than that if one does.

    A family that could not be looked up does no harm where the other one could: so it is with the system's resolver.
    """
    known = [one for one in answers if not isinstance(one, OSError)]
    if not known:
        errors = [one for one in answers if isinstance(one, OSError)]
        return next((one for one in errors if not isinstance(one, _NoRecords)), errors[0])
    joined = DnsAnswer(address for addresses, _ in known for address in addresses)
    joined.ttl_ns = min(ttl_s for _, ttl_s in known) * NS_PER_S
    return joined


def _ask(host: str, port: int, family: int, server: tuple[str, int] | None) -> Found | OSError:
    """The addresses of one family. Raises nothing that a server or a name may cause."""
    import dns.exception  # 40 ms that few runs need
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        resolver.lifetime = _LIFETIME_S
        answer: Any = resolver.resolve(f"{host.removesuffix('.')}.", _RECORDS[family])
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN) as error:
        return _NoRecords(None, str(error))
    except (OSError, UnicodeError, dns.exception.DNSException) as error:
        return OSError(None, str(error))
    return [socket_address(record.address, port) for record in answer], answer.chaining_result.minimum_ttl


def socket_address(text: str, port: int) -> SocketAddress:
    """That of a numeric address."""
    return (socket.AF_INET6, (text, port, 0, 0)) if is_ipv6(text) else (socket.AF_INET, (text, port))
