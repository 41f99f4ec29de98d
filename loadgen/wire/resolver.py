"""Looks a name up by the system's resolver, off the loop. Knows no connection, and remembers nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent.monkey import get_original

from loadgen.wire.transport import SocketAddress

# The interpreter's own, even where something (Locust, for one) has monkey-patched the module.
_getaddrinfo = get_original("socket", "getaddrinfo")


def _addresses(host: str, port: int, family: int) -> list[Any]:
    try:
        return list(_getaddrinfo(host, port, family, socket.SOCK_STREAM))
    except socket.gaierror:
        # The dot of the root keeps a resolver from trying search domains, but files of names, such as /etc/hosts, have
        # their names without it.
        if not host.endswith("."):
            raise
        return list(_getaddrinfo(host.removesuffix("."), port, family, socket.SOCK_STREAM))


def resolve(host: str, port: int, callback: Callable[[list[SocketAddress] | OSError], None], family: int = 0) -> None:
    """Look `host` up in gevent's thread pool and call back, in the loop, with addresses in the system's order.

    family: AF_INET or AF_INET6 for addresses of that family alone.
    """

    def look_up() -> list[SocketAddress] | OSError:
        try:
            found = _addresses(host, port, family)
        except (OSError, UnicodeError) as error:
            return OSError(error.errno if isinstance(error, OSError) else None, _words(error, host, family))
        return [(family, sockaddr) for family, _, _, _, sockaddr in found]

    gevent.get_hub().threadpool.spawn(look_up).rawlink(lambda result: callback(result.value))


def _words(error: OSError | UnicodeError, host: str, family: int) -> str:
    """What went wrong, for people."""
    said = (error.strerror if isinstance(error, OSError) else "") or str(error)
    if family == socket.AF_UNSPEC:
        return said
    return f"{host} has no IPv{4 if family == socket.AF_INET else 6} address ({said})"
