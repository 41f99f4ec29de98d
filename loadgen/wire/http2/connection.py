"""A connection with several exchanges in flight at a time, in the streams of HTTP/2. Knows no policy.

A request waits in `queue` while no stream is free for it: the server's SETTINGS say how many there are. Where a server
declines HTTP/2 the connection goes on in HTTP/1.1, with one exchange after another.
"""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.reporting import ReportingConnection
from loadgen.wire.http2.stream import HttpStream, StreamExchange, StreamProtocol, StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, UPGRADING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route

# Of a sampled connection's exchanges, about one in this many is looked at.
_SAMPLED_SHARE = 16


class Http2Connection(ReportingConnection):
    """HTTP/2 by ALPN over TLS, in clear with prior knowledge. `submit` and `flush` add to the exchanges in flight."""

    __slots__ = ("_answers_until_sample", "_arrival_ns", "_receiving")

    offers_h2 = True

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        # Responses are being taken: what they lead to is sent once they all are.
        self._receiving = False
        # Of a sampled connection: how many responses begin before the kernel is asked again when bytes came; and what
        # it said of the present event.
        self._answers_until_sample = 0
        self._arrival_ns = ABSENT

    @property
    def requests_begun(self) -> int:
        return self.submitted

    @property
    def accepts(self) -> bool:
        """More may be submitted."""
        streams = self._streams
        if self.state == CLOSED:
            return False
        return streams is None or not (streams.ended or streams.failure is not None)

    def is_reusable(self) -> bool:
        return self.accepts

    @property
    def framed(self) -> bool:
        return False

    def submit(self, request: StreamRequest) -> None:
        """Add a request to those in flight; `flush` sends it, and it is due by then."""
        self._add(request, ABSENT, queued=False)

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        self._add(request, scheduled_ns or self._clock.monotonic_ns(), queued=scheduled_ns > 0)
        self.flush()

    def flush(self) -> None:
        """Begin what was submitted, as far as there are streams for it.

        While responses are being read it waits for the last of them: all that they lead to goes out in one write.
        """
        if self._receiving:
            return
        try:
            self._start_waiting()
            self._push()
        except FAILURES as error:
            self._fail_by(error)

    def overdue(self, oldest_ns: int) -> bool:
        if self.state < SENDING:
            return super().overdue(oldest_ns)
        if self.state == CLOSED or not self.in_flight:
            return False
        oldest = self._active[0].begun_ns if self._active else self._waiting[0].scheduled_ns
        return oldest < oldest_ns or not (self._core.acknowledged or self.opened_ns >= oldest_ns)

    def expire(self) -> None:
        """The oldest request is overdue: give up that one alone, where the protocol has a way to do so."""
        if self.state < SENDING:
            super().expire()
        elif not self._core.acknowledged:
            self._core.settings_timeout()
            self._fail(ErrorKind.HTTP2_SETTINGS_TIMEOUT, "the server never acknowledged our SETTINGS")
        else:
            exchange = self._active[0] if self._active else self._waiting[0]
            if exchange.stream is None or not self._core.cancel(exchange.stream):
                self._fail(ErrorKind.RESPONSE_TIMEOUT, "no answer within the time allowed")
                return
            self.failure = "no answer within the time allowed"
            self._report(exchange, -ErrorKind.RESPONSE_TIMEOUT, self._clock.monotonic_ns())
            if self.state != CLOSED:
                self.flush()

    def give_up(self, request_index: int, kind: ErrorKind, detail: str) -> None:
        """End this exchange, alone where the protocol has a way to do so. kind, detail: why."""
        exchange = next(one for one in (*self._active, *self._waiting) if one.request_index == request_index)
        now = self._clock.monotonic_ns()
        if exchange.stream is None:  # it waits for a stream
            self._waiting.remove(exchange)
            self.failure = detail
            self._show(exchange, now)
            self.listener.exchange_done(self, -kind, now)
        elif self._core.cancel(exchange.stream):
            self.failure = detail
            self._report(exchange, -kind, now)
        else:
            self._fail(kind, detail)
        if self.state != CLOSED:
            self.flush()

    def announce_close(self) -> bool:
        data = self._core.closing_bytes()
        if data and not self._unsent:
            self._write(data)
        return bool(data)

    # Inside

    @property
    def _core(self) -> StreamProtocol:
        assert self._streams is not None, "the connection is open"
        return self._streams

    def _send(self, left_ns: int) -> None:
        """The transport is open."""
        alpn = getattr(self._transport, "alpn", None)
        if alpn is None or alpn == "h2":
            self.flags |= ConnectionFlag.UPGRADED
            self._streams = Http2Protocol(self.reader.max_body_bytes, keeps_bodies=self.reader.keeps_bodies)
        else:
            self.flags |= ConnectionFlag.DECLINED
            self._streams = Http1FallbackStreams(self.reader)
        self._begin(SENDING, left_ns)
        self._open_exchange()
        self._ready()

    def _open_exchange(self) -> StreamExchange:
        """The first exchange has begun."""
        self._opening_own_ns = self.own_ns
        self.handshake = self.handshake_ns()
        return self._add(self._request, self.scheduled_ns, queued=False)

    def _ready(self) -> None:
        """The owner may add to the first exchange before it is sent."""
        self.listener.connection_ready(self)
        self.flush()

    def _start_waiting(self) -> None:
        """Start streams for the exchanges that wait, as many as there are."""
        waiting = self._waiting
        if not waiting:
            return
        core, now = self._core, self._clock.monotonic_ns()
        for exchange in waiting:
            if exchange.scheduled_ns < 0:
                exchange.scheduled_ns = now
        for _ in range(min(core.free, len(waiting))):
            exchange = waiting.popleft()
            self._start(exchange, core.start(exchange.request, exchange), now)
        for exchange in waiting:
            exchange.queued = True
        if self._active and self.state == IDLE:
            self.enter(SENDING, now)

    def _start(self, exchange: StreamExchange, stream: HttpStream, now: int) -> None:
        exchange.stream = stream
        # The first one begins when the handshake ends; any other when it was submitted, unless it had to wait.
        exchange.begun_ns = (
            self.entered_ns(SENDING)
            if exchange.request_index == 0
            else now
            if exchange.queued
            else exchange.scheduled_ns
        )
        self.requested_close = self._core.requested_close
        exchange.lag_before_ns = self._lag_total_ns if exchange.request_index else 0
        self._active.append(exchange)

    def _push(self) -> None:
        """Write what the streams have to send, a bounded piece at a time."""
        core = self._core
        if self._unsent:  # what was started now waits for the socket, behind these
            self._note_written()
        while not self._unsent:
            data = core.more()
            if not data:
                return
            self._note_written()
            self._write(data)

    def _note_written(self) -> None:
        """Frames are made: what follows is sending them."""
        now = self._clock.monotonic_ns()
        for exchange in self._active:
            if exchange.written_ns < 0 and exchange.sent_ns < 0:
                exchange.written_ns = now

    def _drained(self, now: int) -> None:
        if self.state == UPGRADING:
            self.drained_ns = now
            return
        for exchange in self._active:
            if exchange.sent_ns < 0 and exchange.stream is not None and exchange.stream.sent:
                exchange.sent_ns = now
                exchange.lag_sent_ns = self._lag_total_ns - exchange.lag_before_ns
        if self.state == SENDING and any(exchange.sent_ns >= 0 for exchange in self._active):
            self.enter(WAITING, now)

    def _on_readable(self) -> None:
        now = self._note_lag()
        self._arrival_ns = ABSENT
        if self.is_sampled and self._answers_until_sample <= 0 and self._active:
            self._arrival_ns = self._transport.arrival_ns()
            now = self._clock.monotonic_ns()
        self._read(now)

    def _note_delay(self, exchange: StreamExchange, alone: bool) -> None:
        """How late its first byte was stamped, where the kernel was asked. alone: no other exchange was under way.

        The kernel notes when a segment came, joins those that wait, and keeps the stamp of one. So among other
        responses this one may have come before that; but not before the loop polled last: it would have been read then.
        """
        if exchange.request_index == 0 and self.flags & ConnectionFlag.TLS:
            return  # a session ticket may have come before, which the server sent by itself
        self._answers_until_sample = _SAMPLED_SHARE - 1
        earliest_ns = self._arrival_ns
        if not alone:
            earliest_ns = min(earliest_ns, max(self._clock.ready_ns, exchange.begun_ns))
        if exchange.begun_ns <= earliest_ns <= exchange.first_ns:  # else more has come meanwhile, and this is when
            exchange.wait_delay_ns = exchange.first_ns - earliest_ns

    def _on_sendable(self) -> None:
        super()._on_sendable()
        if self.state != CLOSED and self._streams is not None and not self._unsent:
            self.flush()

    def _receive(self, data: bytes, now: int, end: int) -> None:
        core = self._core
        self._receiving = True
        alone = len(self._active) == 1
        told = self._clock.polled_ns
        if self._reads:  # what came behind a full read was perhaps not there when the event was told of
            told = now = end
        self._reads += 1
        changed = self._feed(core, data, now)
        if core.failure is not None:
            self._send_closing_bytes()  # before an exchange that is complete ends the connection
        for stream in changed:
            exchange: StreamExchange = stream.owner
            if stream.begun and exchange.first_ns < 0:
                self._note_first_byte(exchange, exchange.came_ns(told, now, end))
                self._answers_until_sample -= 1
                if self._arrival_ns >= 0:
                    self._note_delay(exchange, alone)
                if self.state != RECEIVING:
                    self.enter(RECEIVING, now)
            if stream.done and exchange in self._active:
                self._finish(exchange, stream, end)
                if self.state == CLOSED:
                    return
        self._receiving = False
        if core.failure is not None:
            raise core.failure
        if self.state == IDLE and core.ended and not self._waiting:
            self._push()
            self._lose(Ending.SERVER_ANNOUNCED)
            return
        if core.ended and self._waiting and not self._active:
            kind = ErrorKind.HTTP2_GOAWAY if self.flags & ConnectionFlag.UPGRADED else ErrorKind.STALE_CONNECTION
            self._fail(kind, "the server takes no further request on this connection")
            return
        self.flush()

    def _feed(self, core: StreamProtocol, data: bytes, now: int) -> list[HttpStream]:
        """Take bytes that the loop began to read at `now` (ns); the streams whose state they changed."""
        return core.feed(data)

    def _closing_bytes(self) -> bytes:
        return self._streams.closing_bytes() if self._streams is not None else b""
