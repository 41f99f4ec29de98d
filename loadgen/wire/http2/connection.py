"""A connection with several exchanges in flight at a time, in the streams of HTTP/2. Knows no policy.

A request waits in `queue` while no stream is free for it: the server's SETTINGS say how many there are. Where a server
declines HTTP/2 the connection goes on in HTTP/1.1, with one exchange after another.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Protocol, cast

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.connection_setup import Listener
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.reporting import ReportingConnection
from loadgen.wire.http2.stream import HttpStream, StreamExchange, StreamProtocol, StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, UPGRADING, WAITING
from loadgen.wire.route import Route
from loadgen.wire.transport import LagClock


class Http2Listener(Listener, Protocol):
    """The owner of such a connection."""

    def connection_ready(self, connection: Any) -> None:
        """The connection is open, its first request about to be sent: more may be submitted now."""


class Http2Connection(ReportingConnection):
    """HTTP/2 by ALPN over TLS, in clear with prior knowledge. `submit` and `flush` add to the exchanges in flight."""

    __slots__ = ("_receiving", "requested_close")

    offers_h2 = True

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, lag_clock, reader)
        self.requested_close = False
        # Responses are being taken: what they lead to is sent once they all are.
        self._receiving = False

    @property
    def requests_begun(self) -> int:
        return self.submitted

    @property
    def accepts(self) -> bool:
        """More may be submitted."""
        streams = self._streams
        if self.state is CLOSED:
            return False
        return streams is None or not (streams.ended or streams.failure is not None)

    @property
    def reusable(self) -> bool:
        return self.accepts

    @property
    def framed(self) -> bool:
        return False

    def submit(self, request: StreamRequest) -> None:
        """Add a request to those in flight; `flush` sends it, and it is due by then."""
        self._add(request, ABSENT, queued=False)

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        self._add(request, scheduled_ns or monotonic_ns(), queued=scheduled_ns > 0)
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
        if self.state is CLOSED or not self.in_flight:
            return False
        oldest = self._active[0].begun_ns if self._active else self._waiting[0].scheduled_ns
        return oldest < oldest_ns or not (self._core.acknowledged or self.opened_ns >= oldest_ns)

    def expire(self) -> None:
        """The oldest request is overdue: give up that one alone, where the protocol has a way to do so."""
        if self.state < SENDING:
            super().expire()
        elif not self._core.acknowledged:
            self._fail(ErrorKind.HTTP2_SETTINGS_TIMEOUT, "the server never acknowledged our SETTINGS")
        else:
            exchange = self._active[0] if self._active else self._waiting[0]
            if exchange.stream is None or not self._core.cancel(exchange.stream):
                self._fail(ErrorKind.RESPONSE_TIMEOUT, "no answer within the time allowed")
                return
            self.failure = "no answer within the time allowed"
            self._report(exchange, -ErrorKind.RESPONSE_TIMEOUT, monotonic_ns())
            if self.state is not CLOSED:
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

    def _send(self, now: int) -> None:
        """The transport is open."""
        alpn = getattr(self._transport, "alpn", None)
        if alpn is None or alpn == "h2":
            self.flags |= ConnectionFlag.UPGRADED
            self._streams = Http2Protocol(self.reader.max_body_bytes)
        else:
            self.flags |= ConnectionFlag.DECLINED
            self._streams = Http1FallbackStreams(self.reader)
        self._open_exchange(now)
        self._ready()

    def _open_exchange(self, now: int) -> StreamExchange:
        """The first exchange begins."""
        self.enter(SENDING, now)
        self.handshake = self.handshake_ns()
        return self._add(self._request, self.scheduled_ns, queued=False)

    def _ready(self) -> None:
        """The owner may add to the first exchange before it is sent."""
        cast(Http2Listener, self.listener).connection_ready(self)
        self.flush()

    def _start_waiting(self) -> None:
        """Start streams for the exchanges that wait, as many as there are."""
        waiting = self._waiting
        if not waiting:
            return
        core, now = self._core, monotonic_ns()
        for exchange in waiting:
            if exchange.scheduled_ns < 0:
                exchange.scheduled_ns = now
        for _ in range(min(core.free, len(waiting))):
            exchange = waiting.popleft()
            self._start(exchange, core.start(exchange.request, exchange), now)
        for exchange in waiting:
            exchange.queued = True
        if self._active and self.state is IDLE:
            self.enter(SENDING, now)

    def _start(self, exchange: StreamExchange, stream: HttpStream, now: int) -> None:
        exchange.stream = stream
        # The first one begins when the handshake ends; any other when it was submitted, unless it had to wait.
        exchange.begun_ns = (
            self.entered[SENDING] if exchange.request_index == 0 else now if exchange.queued else exchange.scheduled_ns
        )
        self.requested_close = self._core.requested_close
        exchange.lag_before_ns = self._lag_total_ns if exchange.request_index else 0
        self._active.append(exchange)

    def _push(self) -> None:
        """Write what the streams have to send, a bounded piece at a time."""
        core = self._core
        while not self._unsent:
            data = core.more()
            if not data:
                return
            self._write(data)

    def _drained(self, now: int) -> None:
        if self.state is UPGRADING:
            self.drained_ns = now
            return
        for exchange in self._active:
            if exchange.sent_ns < 0 and exchange.stream is not None and exchange.stream.sent:
                exchange.sent_ns = now
        if self.state is SENDING and any(exchange.sent_ns >= 0 for exchange in self._active):
            self.enter(WAITING, now)

    def _on_sendable(self) -> None:
        super()._on_sendable()
        if self.state is not CLOSED and self._streams is not None and not self._unsent:
            self.flush()

    def _receive(self, data: bytes, now: int, end: int) -> None:
        core = self._core
        self._receiving = True
        for stream in core.feed(data):
            exchange: StreamExchange = stream.owner
            if stream.begun and exchange.first_ns < 0:
                # The exchange may have begun in this turn of the loop, after `now`.
                exchange.first_ns = now if now >= exchange.begun_ns else end
                if self.state is not RECEIVING:
                    self.enter(RECEIVING, now)
            if stream.done and exchange in self._active:
                self._finish(exchange, stream, end)
                if self.state is CLOSED:
                    return
        self._receiving = False
        if core.failure is not None:
            raise core.failure
        if self.state is IDLE and core.ended and not self._waiting:
            self._push()
            self._lose(Ending.SERVER_ANNOUNCED)
            return
        if core.ended and self._waiting and not self._active:
            self._fail(ErrorKind.STALE_CONNECTION, "the server takes no further request on this connection")
            return
        self.flush()

    def _closing_bytes(self) -> bytes:
        return self._streams.closing_bytes() if self._streams is not None else b""
