"""A non-blocking byte stream on gevent's loop: TCP here, TLS over it in tls.py. Knows no HTTP and takes no times.

The seam between connection and kernel is the six methods of Transport; tests put a fake there.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, Protocol

import gevent
from gevent.monkey import get_original

# The interpreter's own classes, even where something (Locust, for one) has monkey-patched the modules. The C class
# has no Python layer above each call.
_Socket: type[Any] = get_original("socket", "SocketType")
_getaddrinfo = get_original("socket", "getaddrinfo")

NOTHING, READ, WRITE = 0, 1, 2
READ_SIZE = 64 * 1024
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the socket module names it only from Python 3.12 on

SocketAddress = tuple[int, tuple[Any, ...]]
"""SocketAddress family and the socket address that goes with it."""


class LagClock(Protocol):
    """The earliest time (ns) at which the kernel can have had ready what the loop is handling now."""

    ready_ns: int


class Step(IntEnum):
    """What `Transport.establish` says comes next."""

    OPEN = 0  # ready for application data
    BEGIN_TLS = 1  # TCP is up, a TLS handshake follows: call establish again
    WANT_READ = 2
    WANT_WRITE = 3
    BEGIN_TUNNEL = 4  # TCP to the proxy is up, the request for a tunnel follows: call establish again


class Transport(Protocol):
    """One byte stream. `recv` and `send` raise BlockingIOError where they would wait; all may raise OSError."""

    recv: Callable[[int], bytes]
    send: Callable[[bytes | memoryview], int]

    def connect(self, address: SocketAddress) -> None:
        """Begin to connect; the stream becomes writable when that is decided."""

    def establish(self) -> Step:
        """Take the next step towards an open stream. Raises OSError or TlsFailure."""

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        """Call back whenever the stream is readable (READ) or writable (WRITE), or never (NOTHING).

        Replaces the earlier watch.
        """

    def close(self) -> None:
        """Close the client's side; safe to call twice."""


class TcpTransport:
    """Plain TCP. accepted: a server's socket, used as it is. source: a local address to connect from."""

    __slots__ = ("_socket", "_source", "_watcher", "recv", "send")

    def __init__(self, accepted: Any = None, source: str | None = None) -> None:
        self._socket: Any = accepted
        self._source = source
        self._watcher: Any = None
        if accepted is not None:
            self._adopt(accepted)

    def connect(self, address: SocketAddress) -> None:
        family, sockaddr = address
        # Created non-blocking: one system call less than with setblocking.
        sock = _Socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0)
        self._socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._adopt(sock)
        if self._source is not None:
            # Defer the choice of a port to connect(), so that ports need be unique only per four-tuple.
            sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((self._source, 0))
        with suppress(BlockingIOError):
            sock.connect(sockaddr)

    def establish(self) -> Step:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        return Step.OPEN

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        watcher = self._watcher
        if watcher is None:
            watcher = self._watcher = gevent.get_hub().loop.io(self._socket.fileno(), event)
        else:
            # libev lets a watcher's events change only while it is stopped.
            watcher.stop()
            if not event:
                return
            watcher.events = event
        watcher.start(callback)

    def close(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            # First the watcher: once closed, the descriptor's number may belong to another connection at once.
            watcher.stop()
            watcher.close()
        sock, self._socket = self._socket, None
        if sock is not None:
            # The bound methods would keep the socket alive in a cycle.
            self.recv = self.send = _closed
            sock.close()

    @property
    def socket(self) -> Any:
        """The socket itself, to read what the kernel knows of it; None once closed."""
        return self._socket

    def _adopt(self, sock: Any) -> None:
        self.recv = sock.recv
        self.send = sock.send


def _closed(_: Any, /) -> Any:
    raise OSError("the transport is closed")


def resolve(host: str, port: int, callback: Callable[[list[SocketAddress] | OSError], None]) -> None:
    """Look `host` up in gevent's thread pool and call back, in the loop, with addresses in the system's order."""

    def look_up() -> list[SocketAddress] | OSError:
        try:
            found = _getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            return error if isinstance(error, OSError) else OSError(str(error))
        return [(family, sockaddr) for family, _, _, _, sockaddr in found]

    gevent.get_hub().threadpool.spawn(look_up).rawlink(lambda result: callback(result.value))
