"""One accepted connection, whatever it speaks: reads, writes, closes, and is counted. Knows no protocol."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from loadgen.model.units import NS_PER_S
from loadgen.target.account import Account
from loadgen.target.behaviour import Behaviour
from loadgen.target.responses import Responses
from loadgen.wire.early_reading import EarlyReadingTransport
from loadgen.wire.errors import TlsFailure
from loadgen.wire.transport import READ, WRITE, TcpTransport

_LINGER_S = 1.0
_SHORT_BYTES = 64 * 1024
"""What a client's kernel takes at once (its first receive window)."""


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What all connections of one server share."""

    behaviour: Behaviour
    responses: Responses
    account: Account


class ServerConnection:
    """What the connections of all protocols have in common; each subclass handles the bytes that arrive."""

    __slots__ = (
        "_closing", "_context", "_linger", "_unsent", "_was_long", "ended_by", "had_internal", "is_kept", "last_ns",
        "number", "served", "transport",
    )  # fmt: skip
    protocol = "http/1.1"
    """One of behaviour.PROTOCOLS."""

    def __init__(self, context: ServerContext, transport: TcpTransport) -> None:
        self._context = context
        self._unsent: bytes | memoryview = b""
        self._closing = False
        # The last response was long: the kernel may still hold a part of it once its last byte is handed over.
        self._was_long = False
        self._linger: Any = None
        self.transport = transport
        # Requests, or messages, answered; and whether others came, for the account or for their own fields.
        self.served = 0
        self.had_internal = False
        self.number = 0
        self.is_kept = False  # its client asked that the idle timeout should spare it until it is used again
        self.ended_by = ""
        # When it was last used.
        self.last_ns = time.monotonic_ns()

    @property
    def busy(self) -> bool:
        """A request is in service or its response on the way."""
        return bool(self._unsent)

    def on_readable(self) -> None:
        transport = self.transport
        try:
            size = transport.receive()
        except (OSError, TlsFailure):
            size = 0
        if size == 0:
            self.ended_by = "client"
            self.close()
        elif size > 0:
            self.last_ns = time.monotonic_ns()
            self._received(bytes(memoryview(transport.buffer)[:size]))

    def close(self) -> None:
        """Close now, without an announcement; a second call changes nothing."""
        self._closing = True
        self.ended_by = self.ended_by or "server"
        if self._linger is not None:
            self._linger.close()
            self._linger = None
        self.transport.close()
        self._context.account.closed(self)

    def close_idle(self) -> None:
        """It has been idle for too long."""
        self.close()

    def _received(self, data: bytes) -> None:
        """Bytes have arrived."""
        raise NotImplementedError

    def _sent(self) -> None:
        """All that had to wait for room to write has been sent."""
        raise NotImplementedError

    def _finish(self) -> None:
        """The last bytes have been sent, and this connection is to close."""
        if not self._ends_handshake_first():
            self._close_behind()

    def _close_behind(self) -> None:
        """Close behind what was sent last, as the protocol has it."""
        self.close()

    def _ends_handshake_first(self) -> bool:
        """Wait for the end of a handshake in which early data was answered: tickets follow it, and close_notify."""
        transport = self.transport
        if not isinstance(transport, EarlyReadingTransport) or not transport.is_shaking_hands:
            return False
        transport.watch(READ, self._end_handshake)
        self._linger = timer(_LINGER_S, self.close)
        return True

    def _end_handshake(self) -> None:
        transport = self.transport
        try:
            size = transport.receive()
        except (OSError, TlsFailure):
            size = 0
        if size == 0 or not getattr(transport, "is_shaking_hands", False):
            self.close()

    def _send(self, data: bytes | memoryview) -> None:
        self.last_ns = time.monotonic_ns()
        try:
            sent = max(0, self.transport.send(data))
        except (OSError, TlsFailure):
            self.close()
            return
        if sent < len(data):
            # A view: copying the rest for each TLS record would cost the square of a long body's length.
            self._unsent = memoryview(data)[sent:]
            self._was_long = True
            self.transport.watch(WRITE, self._on_writable)
        elif self._closing:
            self._was_long = self._was_long or len(data) > _SHORT_BYTES
            self._finish()

    def _on_writable(self) -> None:
        data, self._unsent = self._unsent, b""
        self._send(data)
        if not self._unsent and not self._closing:
            self.transport.watch(READ, self.on_readable)
            self._sent()

    def _end_writing(self) -> None:
        """Close our side and wait a moment for the peer to close its own.

        With bytes unread, close would reset the connection, and the peer might never see what was sent last
        (RFC 9112 §9.6; the same holds for the other protocols).
        """
        self.transport.end_writing()
        self.transport.watch(READ, self._discard)
        self._linger = timer(_LINGER_S, self.close)

    def _discard(self) -> None:
        try:
            size = self.transport.receive()
        except (OSError, TlsFailure):
            size = 0
        if size == 0:
            self.close()


def timer(delay_s: float, callback: Callable[[], None]) -> Any:
    """A timer that calls back once; close it after that, or to cancel it."""
    one = gevent.get_hub().loop.timer(delay_s)
    one.start(callback)
    return one


def service_timer(delay_ns: int, callback: Callable[[], None]) -> Any:
    """The same, after the service time."""
    return timer(delay_ns / NS_PER_S, callback)
