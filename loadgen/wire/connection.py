"""One client connection: sends requests, reads responses, and marks the phases of each exchange.

One exchange at a time; the connections that carry several are derived from this one. Knows no policy and no file.
"""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection_setup import ConnectionSetup
from loadgen.wire.errors import FAILURES, Failure, kind_of_close
from loadgen.wire.http1.head import UNTIL_CLOSE
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.unasked import unasked_status
from loadgen.wire.lifecycle import IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import NOTHING, READ, READ_SIZE, WRITE

# A long body must not keep the loop from other connections. What is left is reported as readable again: OpenSSL is
# asked for whole records, so it holds nothing back.
_MAX_READS_PER_TURN = 16
# Of a sampled connection's exchanges one in this many is looked at, the first one among them.
_SAMPLED_SHARE = 16
# Integers of C, where compiled.
_SENDING, _WAITING, _RECEIVING, _IDLE, _ABSENT = int(SENDING), int(WAITING), int(RECEIVING), int(IDLE), ABSENT
_TLS = int(ConnectionFlag.TLS)
REQUEST_TIMEOUT = 408
_REQUEST_TIMEOUT = REQUEST_TIMEOUT
_CR = ord("\r")


class Connection(ConnectionSetup):
    """One connection and its exchanges, one at a time."""

    __slots__ = (
        "_send_error", "after_close", "bytes_received", "bytes_sent", "idle_status", "ignores_close",
        "mismatched_echoes", "requested_close",
    )  # fmt: skip

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        ConnectionSetup.__init__(self, number, route, listener, clock, reader)
        # Bytes of the present exchange: those that the transport took, and those that came.
        self.bytes_sent = 0
        self.bytes_received = 0
        # A close by the server while idle does not end the connection; and the server has closed, or said that it will.
        self.ignores_close = self.after_close = False
        # Answers that were no echo, where echoes are expected.
        self.mismatched_echoes = 0
        # A request asked the server to close although the policy's protocol has no such option (HTTP/2 declined).
        self.requested_close = False
        # The status of the response without a request that ended it (Ending.SERVER_IDLE_RESPONSE); 0 where it has none.
        self.idle_status = 0
        # Why the present request could not be sent in full.
        self._send_error: Exception | None = None

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        """Send the next request, due at `scheduled_ns` (0 for now), on an idle connection."""
        self.request_index += 1
        self.lag_ns = 0
        self.own_ns = 0
        self.bytes_received = 0
        self._request = request
        now = self._clock.monotonic_ns()
        self.scheduled_ns = self.begun_ns = now
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
            self.queue_ns = now - scheduled_ns
        else:
            self.queue_ns = _ABSENT
        if self.is_sampled:
            self.wait_delay_ns = _ABSENT
        if self.after_close:
            self._transport.watch(READ, self._on_readable)
        self._send(now)

    @property
    def busy(self) -> bool:
        """An exchange is under way."""
        return self.state < IDLE

    def is_reusable(self) -> bool:
        """The exchange just done leaves the connection fit for another one (RFC 9112 §9.3)."""
        reader = self.reader
        return reader.persists and not reader.has_extra_bytes and self.bytes_sent == len(self._request)

    @property
    def accepts(self) -> bool:
        """Another request may follow on it, as far as the server is concerned."""
        return self.is_reusable()

    @property
    def requests_begun(self) -> int:
        """Requests that were given to it so far."""
        return self.request_index + 1

    @property
    def idle_since_ns(self) -> int:
        """When its last response was complete."""
        return self._entered[_IDLE]

    @property
    def keep_alive_timeout_s(self) -> int | None:
        """How long the server keeps it unused, as its last response said; None where that said nothing."""
        head = self.reader.head
        return None if head is None else head.keep_alive_timeout_s

    @property
    def framed(self) -> bool:
        """The response ended by its own framing: another exchange may work even if the server said it would close."""
        head = self.reader.head
        whole = head is not None and head.framing != UNTIL_CLOSE
        return whole and not self.reader.has_extra_bytes and self.bytes_sent == len(self._request)

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
            size = self._transport.receive()
        except FAILURES:
            return True
        if size > 0 and not self._are_empty_lines(size):
            self.reader.add_extra(bytes(memoryview(self._transport.buffer)[:size]))
        return size == 0

    def note_extra(self) -> None:
        """Bytes came with the last response that are not its own: they may say that the server ends the connection."""
        status = unasked_status(self.reader.extra)
        if status is not None:
            self.idle_status = status
            self.ending = Ending.SERVER_IDLE_RESPONSE

    # For subclasses

    def _place_of_close(self) -> tuple[int, bool]:
        # An interim response is a whole message, and begins no final one (RFC 9110 §15). Who sent it had the request.
        if self.reader.has_only_interim:
            return _WAITING, False
        return self.state, self.request_index > 0

    def _sent_some(self) -> bool:
        return self.bytes_sent > 0

    def _send(self, left_ns: int) -> None:
        """Send the present request: the first one once the connection is open, and each later one."""
        if self.handshake is None:
            self.enter(_SENDING, self._clock.monotonic_ns(), left_ns)
            self.handshake = self.handshake_ns()
        else:
            self.enter(_SENDING, left_ns)
        request = self._request
        try:
            sent = self._transport.send(request)
        except FAILURES as error:
            self.bytes_sent = 0
            self._on_unsendable(error)
            return
        if sent == len(request):
            self.bytes_sent = sent
            self.enter(_WAITING, self._clock.monotonic_ns())
        else:
            self.bytes_sent = max(0, sent)
            self._transport.watch(READ | WRITE, self._on_sendable)

    def _take(self, size: int, now: int, end: int) -> bool:
        """Handle the buffer's first bytes, which the loop began to read at `now` and had at `end` (ns).

        True to read more in this turn.
        """
        # What comes first is seldom an empty line, which is no part of a response.
        if self.state != _RECEIVING and self._transport.buffer[0] <= _CR and self._are_empty_lines(size):
            return True
        if self.state == _IDLE:
            self._on_idle_bytes(bytes(memoryview(self._transport.buffer)[:size]))
            return False
        if self.state != _RECEIVING:
            self.enter(_RECEIVING, now, self._left_ns(now))
        self.bytes_received += size
        try:
            complete = self.reader.feed_buffer(self._transport.buffer, size)
        except FAILURES as error:
            self._on_failure(error)
            return False
        if complete:
            self._complete(end)
        elif self.reader.has_only_interim:
            self.not_begun()
        return not complete

    def _are_empty_lines(self, size: int) -> bool:
        """The buffer's first bytes are empty lines and nothing else: the reader notes them."""
        return not self.reader.skip_empty_lines(bytes(memoryview(self._transport.buffer)[:size]))

    def _complete(self, end: int) -> None:
        """The response is complete."""
        status = self.reader.status
        if (status == _REQUEST_TIMEOUT or self.bytes_sent == 0) and self._is_crossed():
            self._fail_crossed(status)
            return
        self.enter(_IDLE, end)
        self.listener.exchange_done(self, status, end)

    def _on_sendable(self) -> None:
        """The rest of a request that did not fit the socket's buffer; the server may answer before it has it all."""
        self._note_lag()
        try:
            self.bytes_sent += max(
                0, self._transport.send(self._request[self.bytes_sent : self.bytes_sent + READ_SIZE])
            )
        except FAILURES as error:
            self._on_unsendable(error)
            return
        if self.bytes_sent == len(self._request):
            if self.state == _SENDING:
                self.enter(_WAITING, self._clock.monotonic_ns())
            self._transport.watch(READ, self._on_readable)
        else:
            self._read(self._clock.monotonic_ns())

    def _on_readable(self) -> None:
        now = self._note_lag()
        if self.is_sampled and self.state == _WAITING and self.request_index % _SAMPLED_SHARE == 0:
            self._sample_wait(now)
            now = self._clock.monotonic_ns()
        self._read(now)

    def _sample_wait(self, now: int) -> None:
        # The first bytes of a new TLS connection may be a session ticket, which the server sent by itself.
        if self.request_index or not self.flags & _TLS:
            left = self._left_ns(now)
            arrival_ns = self._transport.arrival_ns()
            if 0 <= arrival_ns <= left:  # else more has come meanwhile, and this is when
                self.wait_delay_ns = left - arrival_ns

    def _read(self, now: int) -> None:
        """Take what the transport has. An exception that a listener raises is not caught."""
        for _ in range(_MAX_READS_PER_TURN):
            try:
                size = self._transport.receive()
            except FAILURES as error:
                self._on_failure(error)
                return
            if size < 0:
                return
            end = self._clock.monotonic_ns()
            if size == 0:
                self._on_end(end)
                return
            if not self._take(size, now, end):
                return

    def _on_unsendable(self, error: Exception) -> None:
        """The server ended the connection before it had the whole request.

        It may have answered before that, as with a 413, or have said why it ends the connection: that is read first.
        """
        self._send_error = error
        self._transport.watch(READ, self._on_readable)

    def _on_failure(self, error: Exception) -> None:
        """Reading failed."""
        if self.state != _IDLE:
            self._fail_by(error)
        elif isinstance(error, OSError):
            self._on_idle_close(Ending.SERVER_IDLE_RST)
        elif isinstance(error, Failure) and error.by_peer:
            self._on_idle_close(Ending.SERVER_IDLE_FIN)
        else:
            self._lose(Ending.CLIENT_GAVE_UP)

    def _on_end(self, end: int) -> None:
        """The server closed its side."""
        if self.state == _IDLE:
            self._on_idle_close(Ending.SERVER_IDLE_FIN if self._send_error is None else Ending.SERVER_IDLE_RST)
        elif self.state == _RECEIVING and not self._transport.is_cut_off and self.reader.finish():
            self._complete(end)
        elif self._send_error is not None:
            self._fail_by(self._send_error)
        else:
            how = " without TLS's close_notify" if self._transport.is_cut_off else ""
            state, reused = self._place_of_close()
            kind = kind_of_close(state, reused, self._sent_some())
            self._fail(kind, f"the server closed the connection{how}")

    def _on_idle_bytes(self, data: bytes) -> None:
        """Bytes came that no request asked for."""
        status = unasked_status(data)
        if status is None:
            self.reader.add_extra(data)
            self._lose(Ending.CLIENT_GAVE_UP)
        else:
            self.idle_status = status
            self._lose(Ending.SERVER_IDLE_RESPONSE)

    def _is_crossed(self) -> bool:
        """The response that is complete, and has one of the signs of it, was sent before the server had the request.

        A 408 that closes says that the server waited for a request and got none (RFC 9110 §15.5.9); and what comes
        where nothing could be sent answers nothing.
        """
        if self.request_index == 0:
            return False
        return self.bytes_sent == 0 or (self.bytes_sent == len(self._request) and not self.reader.persists)

    def _fail_crossed(self, status: int) -> None:
        """A response with `status` ended the idle connection while the present request was on its way."""
        self.idle_status = status
        self.bytes_received = 0  # none of them was for this request
        self._fail(ErrorKind.CROSSED_BY_CLOSE, f"a {status} that the server sent before it had the request")

    def _on_idle_close(self, ending: Ending) -> None:
        """The server closed the connection between two exchanges."""
        if self.ignores_close:
            self.after_close = True
            self.ending = ending
            self._transport.watch(NOTHING, self._on_readable)
        else:
            self._lose(ending)
