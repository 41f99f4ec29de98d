"""One accepted connection, whatever it speaks: reads, writes, closes, and is counted. Knows no protocol."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gevent

from loadgen.model.units import NS_PER_S
from loadgen.target.account import Account
from loadgen.target.answers import Answers
from loadgen.target.behaviour import Behaviour
from loadgen.wire.errors import TlsFailure
from loadgen.wire.transport import READ, READ_SIZE, WRITE, TcpTransport

_LINGER_S = 1.0


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What all connections of one server share."""

    behaviour: Behaviour
    answers: Answers
    account: Account


class ServerConnection:
    """What the protocols' connections have in common; each of them says what to do with the octets that arrive.

    served: answered requests, or messages. asked: others were for the account, or for their own fields. last_ns: when
    it was last used. protocol: one of behaviour.PROTOCOLS.
    """

    __slots__ = (
        "_closing", "_house", "_linger", "_unsent", "asked", "last_ns", "served", "transport"
    )  # fmt: skip
    protocol = "http/1.1"

    def __init__(self, house: ServerContext, transport: TcpTransport) -> None:
        self._house = house
        self._unsent: bytes | memoryview = b""
        self._closing = False
        self._linger: Any = None
        self.transport = transport
        self.served = 0
        self.asked = False
        self.last_ns = time.monotonic_ns()

    @property
    def busy(self) -> bool:
        """A request is in service or its response on the way."""
        return bool(self._unsent)

    def on_readable(self) -> None:
        try:
            data = self.transport.recv(READ_SIZE)
        except BlockingIOError:
            return
        except (OSError, TlsFailure):
            self.close()
            return
        if not data:
            self.close()
            return
        self.last_ns = time.monotonic_ns()
        self._received(data)

    def close(self) -> None:
        """Close now, without a word; twice is the same as once."""
        self._closing = True
        if self._linger is not None:
            self._linger.close()
            self._linger = None
        self.transport.close()
        self._house.account.closed(self)

    def close_idle(self) -> None:
        """It has been idle for too long."""
        self.close()

    def _received(self, data: bytes) -> None:
        """Octets have arrived."""
        raise NotImplementedError

    def _sent(self) -> None:
        """All that had to wait for room to write is sent."""
        raise NotImplementedError

    def _finish(self) -> None:
        """The last octets are sent, and this connection is to close."""
        self.close()

    def _send(self, data: bytes | memoryview) -> None:
        self.last_ns = time.monotonic_ns()
        try:
            sent = self.transport.send(data)
        except BlockingIOError:
            sent = 0
        except (OSError, TlsFailure):
            self.close()
            return
        if sent < len(data):
            # A view: copying the rest for each TLS record would cost the square of a long body's length.
            self._unsent = memoryview(data)[sent:]
            self.transport.watch(WRITE, self._on_writable)
        elif self._closing:
            self._finish()

    def _on_writable(self) -> None:
        data, self._unsent = self._unsent, b""
        self._send(data)
        if not self._unsent and not self._closing:
            self.transport.watch(READ, self.on_readable)
            self._sent()

    def _end_writing(self) -> None:
        """Close our side and wait a moment for the peer to close its own.

        With octets unread, close would reset the connection, and the peer might never see what was sent last
        (RFC 9112 §9.6 says how; it holds for the other protocols as well).
        """
        with suppress(OSError):
            self.transport.socket.shutdown(socket.SHUT_WR)
        self.transport.watch(READ, self._discard)
        self._linger = timer(_LINGER_S, self.close)

    def _discard(self) -> None:
        try:
            data = self.transport.recv(READ_SIZE)
        except BlockingIOError:
            return
        except (OSError, TlsFailure):
            data = b""
        if not data:
            self.close()


def timer(delay_s: float, callback: Callable[[], None]) -> Any:
    """A timer that calls back once; to be closed when it did, or isn't to any more."""
    one = gevent.get_hub().loop.timer(delay_s)
    one.start(callback)
    return one


def service_timer(delay_ns: int, callback: Callable[[], None]) -> Any:
    """The same, after the service time."""
    return timer(delay_ns / NS_PER_S, callback)
