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
_RECORDS = (("A", socket.AF_INET), ("AAAA", socket.AF_INET6))


class DnsAnswer(list[SocketAddress]):
    """The addresses of a name, IPv4 first, and the time for which they may be kept (ns)."""

    ttl_ns = 0


def resolve_by_dns(
    host: str, port: int, callback: Callable[[list[SocketAddress] | OSError], None], family: int = 0,
    server: tuple[str, int] | None = None,
) -> None:  # fmt: skip
    """Look `host` up in gevent's thread pool and call back, in the loop, with a DnsAnswer or an OSError.

    family: AF_INET or AF_INET6 for addresses of that family alone. server: address and port of the DNS server to ask;
    None for those of the system.
    """

    def look_up() -> list[SocketAddress] | OSError:
        try:
            return _ask(host, port, family, server)
        except (OSError, UnicodeError) as error:
            return OSError(None, str(error))

    gevent.get_hub().threadpool.spawn(look_up).rawlink(lambda result: callback(result.value))


def _ask(host: str, port: int, family: int, server: tuple[str, int] | None) -> DnsAnswer:
    """Raises OSError."""
    import dns.exception  # 40 ms that few runs need
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        resolver.lifetime = _LIFETIME_S
        found, ttls_s, said = DnsAnswer(), [], ""
        for kind, its_family in _RECORDS:
            if family not in (socket.AF_UNSPEC, its_family):
                continue
            try:
                answer: Any = resolver.resolve(f"{host.removesuffix('.')}.", kind)
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN) as error:
                said = str(error)
                continue
            ttls_s.append(answer.chaining_result.minimum_ttl)
            found += [socket_address(record.address, port) for record in answer]
    except dns.exception.DNSException as error:
        raise OSError(None, str(error)) from None
    if not found:
        raise OSError(None, said)
    found.ttl_ns = min(ttls_s) * NS_PER_S
    return found


def socket_address(text: str, port: int) -> SocketAddress:
    """That of a numeric address."""
    return (socket.AF_INET6, (text, port, 0, 0)) if is_ipv6(text) else (socket.AF_INET, (text, port))
