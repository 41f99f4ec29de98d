"""The exchanges in flight on one connection, and the report of each one to the listener. Sends and reads nothing."""

from __future__ import annotations

from collections import deque

from loadgen.model.errors import ErrorKind, OthersKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.duplex_connection import DuplexConnection
from loadgen.wire.errors import kind_of_close
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.stream import HttpStream, StreamExchange, StreamProtocol, StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import NULL_LISTENER, Listener
from loadgen.wire.route import Route


class ReportingConnection(DuplexConnection):
    """Reports each exchange to the listener, through the connection's own attributes: they are set for each report."""

    __slots__ = (
        "_active", "_event_lag_ns", "_first_queue_ns", "_lag_total_ns", "_opening_own_ns", "_phases", "_reads",
        "_streams", "_unreported", "_waiting", "submitted",
    )  # fmt: skip

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        # How many requests were submitted so far: those that wait for a stream, and those that have one.
        self.submitted = 0
        self._waiting: deque[StreamExchange] = deque()
        self._active: list[StreamExchange] = []
        # Of a connection that failed: how many of its exchanges are not reported yet.
        self._unreported = 0
        # None until the connection is open.
        self._streams: StreamProtocol | None = None
        # The lag of all events, and of the last one; and the first exchange's queue time, which passed before the
        # connection opened.
        self._lag_total_ns = self._event_lag_ns = 0
        self._first_queue_ns = ABSENT
        # How often the connection was read since the present event.
        self._reads = 0
        # The generator's own work until the first request was sent.
        self._opening_own_ns = 0
        # send, wait and receive of the exchange that is being reported.
        self._phases = (ABSENT, ABSENT, ABSENT)

    @property
    def in_flight(self) -> int:
        """Requests submitted and not yet answered."""
        return len(self._active) + len(self._waiting) + self._unreported

    @property
    def busy(self) -> bool:
        return self.state < IDLE or bool(self._waiting)

    def phase_ns(self, state: int) -> int:
        return self._phases[state - SENDING]

    def _add(self, request: StreamRequest, scheduled_ns: int, queued: bool) -> StreamExchange:
        if not self.submitted:
            self._first_queue_ns = self.queue_ns  # before reports of other exchanges overwrite it
        exchange = StreamExchange(self.submitted, request, scheduled_ns, queued)
        self.submitted += 1
        self._waiting.append(exchange)
        return exchange

    def _note_lag(self) -> int:
        before = self.lag_ns
        now = super()._note_lag()
        self._reads = 0
        self._event_lag_ns = self.lag_ns - before
        self._lag_total_ns += self._event_lag_ns
        return now

    def _note_first_byte(self, exchange: StreamExchange, came_ns: int) -> None:
        """Its response has begun. The events of other streams that it has seen meanwhile did not delay it."""
        exchange.first_ns = came_ns
        if exchange.sent_ns >= 0:
            exchange.lag_before_ns = self._lag_total_ns - self._event_lag_ns - exchange.lag_sent_ns

    def _finish(self, exchange: StreamExchange, stream: HttpStream, end: int) -> None:
        """A stream came to its end, well or not."""
        streams = self._streams
        assert streams is not None, "the connection is open"
        if streams.ended:
            self.ending = Ending.SERVER_ANNOUNCED
        elif streams.failure is not None:
            self.ending = Ending.CLIENT_GAVE_UP
        if stream.error is not None:
            self.failure = stream.detail
            self._report(exchange, -stream.error, end)
        else:
            head = stream.head
            assert head is not None, "the stream is complete"
            self.reader.set_head(head)
            self.reader.trailers = stream.trailers
            if stream.body is not None:
                self.reader.keep_body(stream.body)
            self._report(exchange, head.status, end)

    def _report(self, exchange: StreamExchange, outcome: int, end: int) -> None:
        """An active exchange ended: set its own facts where the listener looks for them, and call the listener."""
        self._active.remove(exchange)
        self._show(exchange, end)
        if not self._active:
            if self.state != RECEIVING:  # given up before anything came
                self.enter(RECEIVING, end)
            self.enter(IDLE, end)
        self.listener.exchange_done(self, outcome, end)

    def _show(self, exchange: StreamExchange, end: int) -> None:
        stream = exchange.stream
        self.request_index = exchange.request_index
        # A request that was submitted and never flushed has no due time: use the connection's end.
        self.scheduled_ns = exchange.scheduled_ns if exchange.scheduled_ns >= 0 else end
        is_sent_alone = exchange.sent_ns >= 0 and exchange.first_ns < 0
        self.lag_ns = exchange.lag_sent_ns if is_sent_alone else self._lag_total_ns - exchange.lag_before_ns
        self.wait_delay_ns = exchange.wait_delay_ns
        if exchange.request_index:
            self.begun_ns = exchange.begun_ns
            begun_ns = exchange.begun_ns if exchange.begun_ns >= 0 else end
            self.queue_ns = begun_ns - self.scheduled_ns if exchange.queued else ABSENT
        else:
            self.queue_ns = self._first_queue_ns
        self.own_ns = 0 if exchange.request_index else self._opening_own_ns
        if exchange.begun_ns < 0 or stream is None:
            self.bytes_sent = self.bytes_received = 0
            self._phases = (ABSENT, ABSENT, ABSENT)
            return
        self.bytes_sent = stream.size_bytes
        self.bytes_received = stream.bytes_received
        self.own_ns += exchange.own_ns(end)
        self._phases = exchange.phases_ns(end)
        exchange.stream = None  # each holds the other: the garbage collector would have to find them

    def _on_end(self, end: int) -> None:
        if self._streams is not None and self._send_error is None and not self._transport.is_cut_off:
            for stream in self._streams.finish():
                self._finish(stream.owner, stream, end)
                if self.state == CLOSED:
                    return
        self.request_index = max(self.submitted - 1, 0)
        super()._on_end(end)

    def _on_idle_close(self, ending: Ending) -> None:
        if self._waiting:  # the server takes no streams, and some exchanges wait for one
            self._fail(ErrorKind.STALE_CONNECTION, "the server closed the connection")
        else:
            super()._on_idle_close(ending)

    def _place_of_close(self) -> tuple[int, bool]:
        state, reused = super()._place_of_close()
        return state, reused and not any(map(_has_only_interim, self._active))

    def _fail_by(self, error: Exception) -> None:
        self.request_index = max(self.submitted - 1, 0)  # the last one in flight, not the last one reported
        super()._fail_by(error)

    def _fail(self, kind: ErrorKind, detail: str, ending: Ending | None = None) -> None:
        if kind is ErrorKind.TRUNCATED and not any(exchange.first_ns >= 0 for exchange in self._active):
            kind, ending = ErrorKind.STALE_CONNECTION, None  # some responses had come, and none was under way
        listener, self.listener = self.listener, NULL_LISTENER
        super()._fail(kind, detail, ending)
        self.listener = listener
        if self._streams is not None and self._streams.ended:
            self.ending = Ending.SERVER_ANNOUNCED
        end = self.entered_ns(CLOSED)
        exchanges = [*self._active, *self._waiting]
        self._active.clear()
        self._waiting.clear()
        if not exchanges:  # the connection failed before its first request
            self.submitted = 1
            self._phases = (ABSENT, ABSENT, ABSENT)
            self.listener.exchange_done(self, -kind, end)
        by_progress = kind.streams_others is OthersKind.BY_PROGRESS
        for number, exchange in enumerate(exchanges, start=1):
            self._unreported = len(exchanges) - number
            interim = _has_only_interim(exchange) or (exchange.first_ns >= 0 and self.reader.has_only_interim)
            self._show(exchange, end)
            own = kind
            if by_progress:
                state = RECEIVING if exchange.first_ns >= 0 and not interim else WAITING
                own = kind_of_close(state, exchange.request_index > 0 and not interim)
            self.listener.exchange_done(self, -own, end)


def _has_only_interim(exchange: StreamExchange) -> bool:
    """Interim responses came for it, and no final one has begun."""
    return exchange.first_ns < 0 and exchange.stream is not None and exchange.stream.bytes_received > 0
