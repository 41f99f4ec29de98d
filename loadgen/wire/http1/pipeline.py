"""Several requests in flight on one connection (RFC 9112 §9.3.2); responses come in the order of the requests.

A request's time from being sent until the response before its own is complete is `queue`: head-of-line waiting, not the
server's. Then its own `wait` and `receive` begin. Knows no policy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from loadgen.model.errors import ErrorKind, OthersKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import REQUEST_TIMEOUT, Connection
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.unasked import unasked_status
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import NULL_LISTENER, Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, READ_SIZE, WOULD_BLOCK, WRITE

# The kind that exchanges behind a failed one get; None for its own.
_OTHERS = {
    OthersKind.SAME: None,
    OthersKind.DROPPED: ErrorKind.PIPELINE_DROPPED,
    OthersKind.STALE: ErrorKind.STALE_CONNECTION,
}


@dataclass(slots=True)
class PipelinedExchange:
    """One request under way."""

    request_index: int
    scheduled_ns: int
    begun_ns: int
    """When its sending began."""
    ends_at_bytes: int
    """How many bytes the connection has sent once this request is sent."""
    size_bytes: int
    sent_ns: int = ABSENT
    """When the transport took its last byte; ABSENT before."""


class Pipeline(Connection):
    """A connection with as many exchanges in flight as its owner submits.

    The listener hears of each exchange in order, with `request_index`, `scheduled_ns` and `queue_ns` of that one.
    """

    __slots__ = (
        "_blocked", "_exchanges", "_first_ns", "_opening_own_ns", "_phases", "_previous_end_ns",
        "_sent_bytes", "_submitted_bytes", "_turn_lag_ns", "_unsent", "submitted",
    )  # fmt: skip

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        reader.pipelined = True
        # How many requests were submitted so far; those that are not answered yet; and pieces that are not sent yet.
        self.submitted = 0
        self._exchanges: deque[PipelinedExchange] = deque()
        self._unsent: deque[bytes | memoryview] = deque()
        # The transport takes no more now: it is watched for writing too.
        self._blocked = False
        self._sent_bytes = self._submitted_bytes = 0
        # When the response before the present one was complete, and when the present one began.
        self._previous_end_ns = 0
        self._first_ns = ABSENT
        self._turn_lag_ns = 0
        # The generator's own work until the first request was sent.
        self._opening_own_ns = 0
        # send, wait and receive of the exchange that is being reported.
        self._phases = (ABSENT, ABSENT, ABSENT)

    @property
    def in_flight(self) -> int:
        """Requests submitted and not yet answered."""
        return len(self._exchanges)

    @property
    def busy(self) -> bool:
        return self.state < IDLE or bool(self._exchanges)

    @property
    def requests_begun(self) -> int:
        return self.submitted

    @property
    def accepts(self) -> bool:
        """More may be submitted."""
        head = self.reader.head
        return head is None or head.persists

    def is_reusable(self) -> bool:
        head = self.reader.head
        return head is not None and head.persists and self._sent_bytes == self._submitted_bytes

    def submit(self, request: bytes) -> None:
        """Add a request behind those in flight; `flush` sends it."""
        now = self._clock.monotonic_ns()
        self._add(request, now, now)

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        """Send a request, due at `scheduled_ns` (0 for now), behind those in flight."""
        now = self._clock.monotonic_ns()
        self._add(request, scheduled_ns or now, now)
        self.flush()

    def flush(self) -> None:
        """Send what was submitted."""
        unsent = self._unsent
        if not unsent:
            return
        if self.state == IDLE:
            self.lag_ns = 0
            self._next_response(self._clock.monotonic_ns())
            self.request_index = self._exchanges[0].request_index
        try:
            while unsent:
                piece = unsent[0]
                sent = self._transport.send(piece)
                if sent == WOULD_BLOCK:
                    break
                self._note_sent(sent)
                if sent < len(piece):
                    unsent[0] = memoryview(piece)[sent:]
                    break
                unsent.popleft()
        except FAILURES as error:
            unsent.clear()
            self._on_unsendable(error)
            return
        if unsent and not self._blocked:
            self._transport.watch(READ | WRITE, self._on_sendable)
        elif self._blocked and not unsent:
            self._transport.watch(READ, self._on_readable)
        self._blocked = bool(unsent)

    def phase_ns(self, state: int) -> int:
        return self._phases[state - SENDING]

    # Inside

    def _sent_some(self) -> bool:
        return self._sent_bytes > 0

    def _add(self, request: bytes, scheduled_ns: int, begun_ns: int) -> None:
        self._submitted_bytes += len(request)
        last = self._unsent[-1] if self._unsent else b""
        # Short requests leave in one piece; long ones are never copied.
        if isinstance(last, bytes) and last and len(last) + len(request) <= READ_SIZE:
            self._unsent[-1] = last + request
        else:
            self._unsent.append(request)
        self._exchanges.append(
            PipelinedExchange(self.submitted, scheduled_ns, begun_ns, self._submitted_bytes, len(request))
        )
        self.submitted += 1

    def _send(self, left_ns: int) -> None:
        """The connection is open: its first request, and what the owner adds to it."""
        now = self._begin(SENDING, left_ns)
        self._opening_own_ns = self.own_ns
        self.handshake = self.handshake_ns()
        self._add(self._request, self.scheduled_ns, now)
        self.listener.connection_ready(self)
        self.flush()

    def _note_sent(self, sent_bytes: int) -> None:
        now = self._clock.monotonic_ns()
        self._sent_bytes += sent_bytes
        for exchange in reversed(self._exchanges):
            if exchange.sent_ns >= 0:
                break
            if exchange.ends_at_bytes <= self._sent_bytes:
                exchange.sent_ns = now
        if self.state == SENDING and self._exchanges[0].sent_ns >= 0:
            self.enter(WAITING, now)

    def _on_sendable(self) -> None:
        self._note_lag()
        self.flush()
        if self._exchanges and self.state < IDLE:
            self._read(self._clock.monotonic_ns())

    def _on_readable(self) -> None:
        before = self.lag_ns
        now = self._note_lag()
        self._turn_lag_ns = self.lag_ns - before
        self._read(now)

    def _take(self, size: int, now: int, end: int) -> bool:
        """Read responses from the buffer, filled between `now` and `end`; True where the last one wants more."""
        data = bytes(memoryview(self._transport.buffer)[:size])
        while data:
            if self.state != RECEIVING:
                data = self.reader.skip_empty_lines(data)
                if not data:
                    return True
            if not self._exchanges:
                self._on_idle_bytes(data)
                return False
            if self._exchanges[0].begun_ns > end:
                self._on_early_bytes(data)
                return False
            if self.state != RECEIVING:
                self.enter(RECEIVING, now)
                self._first_ns = now
            try:
                complete = self.reader.feed(data)
            except Malformed as error:
                self._on_failure(error)
                return False
            rest, self.reader.rest = self.reader.rest, b""
            self.bytes_received += len(data) - len(rest)
            if not complete:
                if self.reader.has_only_interim:
                    self.not_begun()
                return True
            now, data = end, rest
            if not self._answer(end):
                return False
        return False

    def _complete(self, end: int) -> None:
        """The close of the connection completed the response (RFC 9112 §8)."""
        self._answer(end)

    def _answer(self, end: int) -> bool:
        """The response to the first request in flight is complete; False where the connection does not go on."""
        head = self.reader.head
        assert head is not None
        exchange = self._exchanges[0]
        if head.status == REQUEST_TIMEOUT and exchange.request_index and exchange.sent_ns >= 0 and not head.persists:
            self._fail_crossed(head.status)
            return False
        self._exchanges.popleft()
        self.enter(IDLE, end)
        persists = head.persists
        if persists:
            self._next_response(end)
        self._show(exchange, end)
        self._previous_end_ns = end
        self.listener.exchange_done(self, head.status, end)
        self.bytes_received = 0
        # The next response may have come in the same turn of the loop, as late as this one.
        self.lag_ns = self._turn_lag_ns
        if self._exchanges:
            self.request_index = self._exchanges[0].request_index
        if not persists and self.state == IDLE and self._exchanges:
            # The server will not answer the requests behind this one (RFC 9112 §9.6).
            self.close(Ending.CLIENT_GAVE_UP if head.is_distrusted else Ending.SERVER_ANNOUNCED)
            self._fail_exchanges(ErrorKind.STALE_CONNECTION)
        return self.state <= IDLE

    def _on_early_bytes(self, data: bytes) -> None:
        """Bytes came before the request that they would answer was begun."""
        status = unasked_status(data)
        if status is None or not self.request_index:
            self._fail(ErrorKind.MALFORMED, "a response came before its request")
        else:
            self._fail_crossed(status)

    def _next_response(self, now: int) -> None:
        """The state is that of the first request in exchange."""
        if self._exchanges:
            exchange = self._exchanges[0]
            self.begun_ns = exchange.begun_ns
            self.enter(SENDING, now)
            if exchange.sent_ns >= 0:
                self.enter(WAITING, now)

    def _show(self, exchange: PipelinedExchange, end: int) -> None:
        """Set the exchange's own facts where the listener looks for them. Its response began at `_first_ns`."""
        self.request_index = exchange.request_index
        self.scheduled_ns = exchange.scheduled_ns
        # Behind the first one, whose connection had to be opened, each moment belongs to a phase.
        self.own_ns = 0 if exchange.request_index else self._opening_own_ns
        self.bytes_sent = max(
            0, min(exchange.size_bytes, self._sent_bytes - exchange.ends_at_bytes + exchange.size_bytes)
        )
        sent_ns = exchange.sent_ns if exchange.sent_ns >= 0 else min(end, max(exchange.begun_ns, self._first_ns))
        turn_ns = max(sent_ns, min(self._previous_end_ns, end))
        # It waited for a place in the pipeline, or until the connection began to open, and there for its turn.
        placed_ns = exchange.begun_ns if exchange.request_index else self.opened_ns
        waited_ns = placed_ns - exchange.scheduled_ns + turn_ns - sent_ns
        self.queue_ns = waited_ns if waited_ns > 0 else ABSENT
        send = sent_ns - exchange.begun_ns
        if self._first_ns < 0:
            self._phases = (send, end - turn_ns, ABSENT)
        else:
            # Bytes that came before all of the request was sent did not wait for other responses.
            first_ns = max(turn_ns, self._first_ns)
            self._phases = (send, first_ns - turn_ns, end - first_ns)
        self._first_ns = ABSENT

    def _fail(self, kind: ErrorKind, detail: str, ending: Ending | None = None) -> None:
        had_exchanges = bool(self._exchanges)
        listener, self.listener = self.listener, NULL_LISTENER
        super()._fail(kind, detail, ending)
        self.listener = listener
        if had_exchanges:
            self._fail_exchanges(kind)
        else:  # the connection failed before its first request
            self.submitted = 1
            self._phases = (ABSENT, ABSENT, ABSENT)
            self.listener.exchange_done(self, -kind, self.entered_ns(CLOSED))

    def _fail_exchanges(self, kind: ErrorKind) -> None:
        """Report every exchange in flight; those behind the first one have no byte of a response."""
        end = self.entered_ns(CLOSED)
        others = _OTHERS[kind.pipeline_others] or kind
        while self._exchanges:
            exchange = self._exchanges.popleft()
            self._show(exchange, end)
            self.listener.exchange_done(self, -kind, end)
            kind = others
            self.bytes_received = 0
