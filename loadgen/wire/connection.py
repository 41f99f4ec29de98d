"""One client connection: sends requests, reads responses, and marks the phases of each exchange.

One exchange at a time; the connections that carry several are derived from this one. Knows no policy and no file.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any

from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection_setup import ConnectionSetup, Listener
from loadgen.wire.errors import FAILURES, kind_of_close
from loadgen.wire.http1.head import UNTIL_CLOSE
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.route import Route
from loadgen.wire.transport import NOTHING, READ, READ_SIZE, WRITE, LagClock

# A long body must not keep the loop from other connections. What is left makes the transport readable again: OpenSSL
# is asked for whole records, so it holds nothing back.
_MAX_READS_PER_TURN = 16


class Connection(ConnectionSetup):
    """One connection and its exchanges, one at a time."""

    __slots__ = ("_sent", "after_close", "bytes_received", "ignores_close")

    mismatched_echoes = 0
    """Answers that were no echo, where echoes are expected."""
    requested_close = False
    """A request asked the server to close although the policy's protocol has no such option (HTTP/2 declined)."""

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, lag_clock, reader)
        # Bytes of the present exchange: those that the transport took, and those that came.
        self._sent = 0
        self.bytes_received = 0
        # A close by the server while idle does not end the connection; and the server has closed, or said that it will.
        self.ignores_close = self.after_close = False

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        """Send the next request, due at `scheduled_ns` (0 for now), on an idle connection."""
        self.request_index += 1
        self.lag_ns = 0
        self.bytes_received = 0
        self._request = request
        now = self.scheduled_ns = self.begun_ns = monotonic_ns()
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
            self.queue_ns = now - scheduled_ns
        elif self.queue_ns >= 0:
            self.queue_ns = ABSENT
        if self.after_close:
            self._transport.watch(READ, self._on_readable)
        self._send(now)

    @property
    def bytes_sent(self) -> int:
        """Bytes of the present request that the transport took."""
        return self._sent

    @property
    def busy(self) -> bool:
        """An exchange is under way."""
        return self.state < IDLE

    @property
    def reusable(self) -> bool:
        """The exchange just done leaves the connection fit for another one (RFC 9112 §9.3)."""
        head = self.reader.head
        return (
            head is not None and head.persists and not self.reader.has_extra_bytes and self._sent == len(self._request)
        )

    @property
    def accepts(self) -> bool:
        """Another request may follow on it, as far as the server is concerned."""
        return self.reusable

    @property
    def requests_begun(self) -> int:
        """Requests that were given to it so far."""
        return self.request_index + 1

    @property
    def idle_since_ns(self) -> int:
        """When its last response was complete."""
        return self.entered[IDLE]

    @property
    def framed(self) -> bool:
        """The response ended by its own framing: another exchange may work even if the server said it would close."""
        head = self.reader.head
        whole = head is not None and head.framing != UNTIL_CLOSE
        return whole and not self.reader.has_extra_bytes and self._sent == len(self._request)

    def overdue(self, oldest_ns: int) -> bool:
        """An exchange that began before `oldest_ns` has not ended."""
        return self.busy and self.begun_ns < oldest_ns

    def announce_close(self) -> bool:
        """Tell the server of the end, where the protocol has a message for that; False where it has none."""
        return False

    @property
    def awaits_close(self) -> bool:
        """The close was announced, and the server has still to confirm it."""
        return False

    def peer_has_closed(self) -> bool:
        """The server's side is closed by now. This reads from the socket, so call it only where it matters."""
        try:
            return not self._transport.recv(1)
        except BlockingIOError:
            return False
        except FAILURES:
            return True

    # For subclasses

    def _send(self, now: int) -> None:
        """Send the present request: the first one once the connection is open, and each later one."""
        self.enter(SENDING, now)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        request = self._request
        try:
            sent = self._sent = self._transport.send(request)
        except BlockingIOError:
            sent = self._sent = 0
        except FAILURES as error:
            self._sent = 0
            self._fail_by(error)
            return
        if sent == len(request):
            self.enter(WAITING, monotonic_ns())
        else:
            self._transport.watch(READ | WRITE, self._on_sendable)

    def _take(self, data: bytes, now: int, end: int) -> bool:
        """Handle bytes that the loop began to read at `now` and had at `end` (ns). True to read more in this turn."""
        if self.state is IDLE:  # bytes without a request
            self._lose(Ending.CLIENT_GAVE_UP)
            return False
        if self.state is not RECEIVING:
            self.enter(RECEIVING, now)
        self.bytes_received += len(data)
        try:
            complete = self.reader.feed(data)
        except FAILURES as error:
            self._on_failure(error)
            return False
        if complete:
            self._complete(end)
        return not complete

    def _complete(self, end: int) -> None:
        """The response is complete."""
        self.enter(IDLE, end)
        self.listener.exchange_done(self, self.reader.head.status, end)  # type: ignore[union-attr] # it is complete

    def _on_sendable(self) -> None:
        """The rest of a request that did not fit the socket's buffer; the server may answer before it has it all."""
        self._note_lag()
        try:
            self._sent += self._transport.send(self._request[self._sent : self._sent + READ_SIZE])
        except BlockingIOError:
            pass
        except FAILURES as error:
            # A server that refuses a long body may have answered before it closed: read that first.
            self._transport.watch(READ, self._on_readable)
            self.failure = str(error)
            return
        if self._sent == len(self._request):
            if self.state is SENDING:
                self.enter(WAITING, monotonic_ns())
            self._transport.watch(READ, self._on_readable)
        else:
            self._read(monotonic_ns())

    def _on_readable(self) -> None:
        now = monotonic_ns()
        self.lag_ns += now - self._lag_clock.ready_ns
        self._read(now)

    def _read(self, now: int) -> None:
        """Take what the transport has. An exception that a listener raises is not caught."""
        recv = self._transport.recv
        for _ in range(_MAX_READS_PER_TURN):
            try:
                data = recv(READ_SIZE)
            except BlockingIOError:
                return
            except FAILURES as error:
                self._on_failure(error)
                return
            end = monotonic_ns()
            if not data:
                self._on_end(end)
                return
            if not self._take(data, now, end):
                return

    def _on_failure(self, error: Exception) -> None:
        """Reading failed."""
        if self.state is IDLE:
            self._on_idle_close(Ending.SERVER_IDLE_RST if isinstance(error, OSError) else Ending.SERVER_IDLE_FIN)
        else:
            self._fail_by(error)

    def _on_end(self, end: int) -> None:
        """The server closed its side."""
        if self.state is IDLE:
            self._on_idle_close(Ending.SERVER_IDLE_FIN)
        elif self.state is RECEIVING and self.reader.finish():
            self._complete(end)
        else:
            self._fail(kind_of_close(self.state, self.request_index > 0), "the server closed the connection")

    def _on_idle_close(self, ending: Ending) -> None:
        """The server closed the connection between two exchanges."""
        if self.ignores_close:
            self.after_close = True
            self.ending = ending
            self._transport.watch(NOTHING, self._on_readable)
        else:
            self._lose(ending)
