"""A connection whose protocol is not HTTP/1.x: the peer may send at any time, and so may we. Knows no frame itself."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic_ns

from loadgen.model.records import ABSENT, ErrorKind
from loadgen.wire.connection import READS_A_TURN, Connection, Listener
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.messages import ResponseReader
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, READ_SIZE, WRITE, LagClock

# Less than this, and the transport had no more: TLS gives one record at a time.
_FULL_READ_BYTES = 16 * 1024


class DuplexConnection(Connection):
    """Keeps what the transport does not take at once, and reads whatever comes.

    For subclasses: `_take` is given what came; `_drained` is called when all octets have gone; `_last_words` are sent
    where the client gives the connection up.
    """

    __slots__ = ("_send_error", "_unsent", "drained_ns")

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, lag_clock, reader)
        self._unsent: bytes | memoryview = b""
        self._send_error: Exception | None = None
        self.drained_ns = ABSENT

    def _take(self, data: bytes, now: int, end: int) -> None:
        """Octets came: the loop began to handle that at `now`, and had them at `end` (ns). May raise FAILURES."""
        raise NotImplementedError

    def _drained(self, now: int) -> None:
        """Everything that was written has been sent, at `now`."""
        raise NotImplementedError

    def _last_words(self) -> bytes:
        """What tells the server why the client closes; empty for nothing."""
        return b""

    def _write(self, data: bytes) -> None:
        """Send, behind what still waits."""
        if self._unsent:
            self._unsent = bytes(self._unsent) + data
            return
        try:
            sent = self._transport.send(data)
        except BlockingIOError:
            sent = 0
        except FAILURES as error:
            self._on_unsendable(error)
            return
        if sent == len(data):
            self._drained(monotonic_ns())
        else:
            self._unsent = memoryview(data)[sent:]
            self._transport.watch(READ | WRITE, self._on_sendable)

    def _on_sendable(self) -> None:
        now = self._note_lag()
        data, self._unsent = self._unsent, b""
        try:
            sent = self._transport.send(data[:READ_SIZE])
        except BlockingIOError:
            sent = 0
        except FAILURES as error:
            self._on_unsendable(error)
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._read(now)
            return
        self._transport.watch(READ, self._on_readable)
        try:
            self._drained(monotonic_ns())
        except FAILURES as error:
            self._fail_by(error)

    def _on_unsendable(self, error: Exception) -> None:
        """What was sent before may have been answered: reading finds that out, or the close."""
        self._send_error = error
        self._transport.watch(READ, self._on_readable)

    def _on_readable(self) -> None:
        self._read(self._note_lag())

    def _read(self, now: int) -> None:
        """Take what the transport has. What a listener raises is not caught."""
        for _ in range(READS_A_TURN):
            try:
                data = self._transport.recv(READ_SIZE)
            except BlockingIOError:
                return
            except FAILURES as error:
                self._on_failure(error)
                return
            end = monotonic_ns()
            if not data:
                if self._send_error is None:
                    self._on_end(end)
                else:
                    self._on_failure(self._send_error)
                return
            try:
                self._take(data, now, end)
            except FAILURES as error:
                if self.busy:
                    self._fail_by(error)
                else:
                    self.failure = str(error)
                    self._give_up_idle()
                return
            if self.state is CLOSED or len(data) < _FULL_READ_BYTES:
                return

    def _give_up_idle(self) -> None:
        """The peer broke the protocol while nothing was under way."""
        raise NotImplementedError

    def _say_last_words(self) -> None:
        """Best effort: the connection is closed whether they arrive or not."""
        with suppress(*FAILURES, BlockingIOError):
            words = self._last_words()
            if words and not self._unsent:
                self._transport.send(words)

    def _fail(self, kind: ErrorKind, detail: str, reset: bool = False) -> None:
        if self.state is not CLOSED:
            self._say_last_words()
        super()._fail(kind, detail, reset)


class _Nobody:
    """Hears nothing: where the owner is told of each exchange, and not once."""

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        pass

    def connection_lost(self, connection: Connection) -> None:
        pass


NOBODY = _Nobody()
