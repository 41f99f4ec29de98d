"""A connection whose protocol is not HTTP/1.x: both sides may send at any time. Knows no frame itself."""

from __future__ import annotations

from contextlib import suppress

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, READ_SIZE, WRITE

# A shorter read means that the transport had no more: TLS gives one record at a time.
_FULL_READ_BYTES = 16 * 1024


class DuplexConnection(Connection):
    """Keeps what the transport does not take at once, and reads whatever comes."""

    __slots__ = ("_has_sent", "_unsent", "drained_ns")

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        self._unsent: bytes | memoryview = b""
        self._has_sent = False
        # When the request for an upgrade had been sent in full, before its answer came.
        self.drained_ns = ABSENT

    # For subclasses to fill in

    def _receive(self, data: bytes, now: int, end: int) -> None:
        """Handle bytes that the loop began to read at `now` and had at `end` (ns). May raise FAILURES."""
        raise NotImplementedError

    def _drained(self, now: int) -> None:
        """Everything that was written has been sent, at `now`."""
        raise NotImplementedError

    def _closing_bytes(self) -> bytes:
        """What tells the server why the client closes; empty for nothing."""
        return b""

    # For subclasses to call

    def _write(self, data: bytes) -> None:
        """Send `data`, after what is still unsent."""
        if self._unsent:
            self._unsent = bytes(self._unsent) + data
            return
        try:
            sent = max(0, self._transport.send(data))
        except FAILURES as error:
            self._on_unsendable(error)
            return
        self._has_sent = True
        if sent == len(data):
            self._drained(self._clock.monotonic_ns())
        else:
            self._unsent = memoryview(data)[sent:]
            self._transport.watch(READ | WRITE, self._on_sendable)

    def _fail(self, kind: ErrorKind, detail: str, ending: Ending | None = None) -> None:
        if self.state != CLOSED:
            self._send_closing_bytes()
        super()._fail(kind, detail, ending)

    # Inside

    def _sent_some(self) -> bool:
        return self._has_sent

    def _take(self, size: int, now: int, end: int) -> bool:
        data = bytes(memoryview(self._transport.buffer)[:size])
        try:
            self._receive(data, now, end)
        except FAILURES as error:
            if self.busy:
                self._fail_by(error)
            else:  # the peer broke the protocol while no exchange was under way
                self.failure = str(error)
                self._send_closing_bytes()
                self._on_idle_bytes(data)
            return False
        return self.state != CLOSED and size >= _FULL_READ_BYTES

    def _on_sendable(self) -> None:
        now = self._note_lag()
        data, self._unsent = self._unsent, b""
        try:
            sent = max(0, self._transport.send(data[:READ_SIZE]))
        except FAILURES as error:
            self._on_unsendable(error)
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._read(now)
            return
        self._transport.watch(READ, self._on_readable)
        try:
            self._drained(self._clock.monotonic_ns())
        except FAILURES as error:
            self._fail_by(error)

    def _send_closing_bytes(self) -> None:
        """Best effort: the connection is closed whether they arrive or not."""
        with suppress(*FAILURES):
            data = self._closing_bytes()
            if data and not self._unsent:
                self._transport.send(data)
