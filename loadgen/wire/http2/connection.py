"""A connection with several exchanges in flight at a time, in the streams of HTTP/2. Knows no policy.

A request waits in `queue` while no stream is free for it: the server's SETTINGS say how many there are. Where a server
declines HTTP/2 the connection goes on in HTTP/1.1, with one exchange after another.
"""

from __future__ import annotations

from collections import deque
from time import monotonic_ns
from typing import Any, Protocol, cast

from loadgen.model.records import ABSENT, ConnectionFlag, Ending, ErrorKind
from loadgen.wire.connection import Listener
from loadgen.wire.duplex_connection import NOBODY, DuplexConnection
from loadgen.wire.errors import FAILURES, kind_of_close
from loadgen.wire.http1.messages import ResponseReader
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.stream import HttpStream, StreamExchange, StreamProtocol, StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, UPGRADING, WAITING
from loadgen.wire.route import Route
from loadgen.wire.transport import LagClock


class Http2Listener(Listener, Protocol):
    """Who owns such a connection."""

    def connection_ready(self, connection: Any) -> None:
        """The connection is open, its first request about to be sent: more may be submitted now."""


class Http2Connection(DuplexConnection):
    """HTTP/2 by ALPN over TLS, with prior knowledge in clear. `submit` and `flush` add exchanges to those in flight.

    The listener hears of each exchange on its own, with `nth`, `scheduled_ns` and `queue_ns` of that one.
    """

    __slots__ = (
        "_asked", "_first_queue_ns", "_flying", "_lag_total_ns", "_left_to_tell", "_phases", "_streams", "_taking",
        "said_close", "submitted",
    )  # fmt: skip

    offers_h2 = True

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, lag_clock, reader)
        self.submitted = 0
        self.said_close = False
        self._asked: deque[StreamExchange] = deque()
        self._flying: list[StreamExchange] = []
        self._streams: StreamProtocol | None = None
        self._lag_total_ns = 0
        self._first_queue_ns = ABSENT
        self._left_to_tell = 0
        self._taking = False
        self._phases = (ABSENT, ABSENT, ABSENT)

    @property
    def flying(self) -> int:
        """Requests submitted and not yet answered."""
        return len(self._flying) + len(self._asked) + self._left_to_tell

    @property
    def busy(self) -> bool:
        return self.state < IDLE or bool(self._asked)

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

        While responses are being taken that waits for the last of them: what answers them all goes in one write.
        """
        if self._taking:
            return
        try:
            self._begin()
            self._push()
        except FAILURES as error:
            self._fail_by(error)

    def exchange_ns(self, end_ns: int) -> tuple[int, int, int]:
        return self._phases

    def overdue(self, oldest_ns: int) -> bool:
        if self.state < SENDING:
            return super().overdue(oldest_ns)
        if self.state is CLOSED or not self.flying:
            return False
        oldest = self._flying[0].begun_ns if self._flying else self._asked[0].scheduled_ns
        return oldest < oldest_ns or not (self._core.acknowledged or self.opened_ns >= oldest_ns)

    def expire(self) -> None:
        """The oldest request has had its time: it alone is given up, where the protocol has a way to do that."""
        if self.state < SENDING:
            super().expire()
        elif not self._core.acknowledged:
            self._fail(ErrorKind.HTTP2_SETTINGS_TIMEOUT, "the server never acknowledged our SETTINGS")
        else:
            flight = self._flying[0] if self._flying else self._asked[0]
            if flight.stream is None or not self._core.cancel(flight.stream):
                self._fail(ErrorKind.RESPONSE_TIMEOUT, "no answer within the time allowed")
                return
            self.failure = "no answer within the time allowed"
            self._tell(flight, -ErrorKind.RESPONSE_TIMEOUT, monotonic_ns())
            if self.state is not CLOSED:
                self.flush()

    def farewell(self) -> bool:
        words = self._core.farewell()
        if words and not self._unsent:
            self._write(words)
        return bool(words)

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
            self._streams = Http2Protocol(self.reader.most_body_bytes)
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

    def _add(self, request: StreamRequest, scheduled_ns: int, queued: bool) -> StreamExchange:
        if not self.submitted:
            self._first_queue_ns = self.queue_ns  # of its own, before other exchanges have theirs there
        flight = StreamExchange(self.submitted, request, scheduled_ns, queued)
        self.submitted += 1
        self._asked.append(flight)
        return flight

    def _begin(self) -> None:
        """Start streams for who waits."""
        asked = self._asked
        if not asked:
            return
        core, now = self._core, monotonic_ns()
        for flight in asked:
            if flight.scheduled_ns < 0:
                flight.scheduled_ns = now
        for _ in range(min(core.free, len(asked))):
            flight = asked.popleft()
            self._fly(flight, core.start(flight.request, flight), now)
        for flight in asked:
            flight.queued = True
        if self._flying and self.state is IDLE:
            self.enter(SENDING, now)

    def _fly(self, flight: StreamExchange, stream: HttpStream, now: int) -> None:
        flight.stream = stream
        # The first one's time goes on from the handshake; another's from when it was submitted, unless it had to wait.
        flight.begun_ns = (
            self.entered[SENDING] if flight.request_index == 0 else now if flight.queued else flight.scheduled_ns
        )
        self.said_close = self._core.said_close
        flight.lag_before_ns = self._lag_total_ns if flight.request_index else 0
        self._flying.append(flight)

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
        for flight in self._flying:
            if flight.sent_ns < 0 and flight.stream is not None and flight.stream.sent:
                flight.sent_ns = now
        if self.state is SENDING and any(flight.sent_ns >= 0 for flight in self._flying):
            self.enter(WAITING, now)

    def _on_sendable(self) -> None:
        super()._on_sendable()
        if self.state is not CLOSED and self._streams is not None and not self._unsent:
            self.flush()

    def _note_lag(self) -> int:
        before = self.lag_ns
        now = super()._note_lag()
        self._lag_total_ns += self.lag_ns - before
        return now

    def _take(self, data: bytes, now: int, end: int) -> None:
        core = self._core
        self._taking = True
        for stream in core.feed(data):
            flight: StreamExchange = stream.owner
            if stream.begun and flight.first_ns < 0:
                # It may have begun in this very turn of the loop.
                flight.first_ns = now if now >= flight.begun_ns else end
                if self.state is not RECEIVING:
                    self.enter(RECEIVING, now)
            if stream.done and flight in self._flying:
                self._finish(flight, stream, end)
                if self.state is CLOSED:
                    return
        self._taking = False
        if core.failure is not None:
            raise core.failure
        if self.state is IDLE and core.ended and not self._asked:
            self._push()
            self._lose(Ending.SERVER_ANNOUNCED)
            return
        if core.ended and self._asked and not self._flying:
            self._fail(ErrorKind.STALE_CONNECTION, "the server takes no further request on this connection")
            return
        self.flush()

    def _finish(self, flight: StreamExchange, stream: HttpStream, end: int) -> None:
        """A stream came to its end, well or not."""
        if self._core.ended:
            self.ending = Ending.SERVER_ANNOUNCED
        elif self._core.failure is not None:
            self.ending = Ending.CLIENT_GAVE_UP
        if stream.error is not None:
            self.failure = stream.detail
            self._tell(flight, -stream.error, end)
        else:
            self.reader.head = stream.head
            self.reader.trailers = stream.trailers
            self._tell(flight, stream.head.status, end)  # type: ignore[union-attr] # it is complete

    def _tell(self, flight: StreamExchange, outcome: int, end: int) -> None:
        """Put the exchange's own facts where the listener looks for them, and tell it."""
        self._flying.remove(flight)
        self._show(flight, end)
        if not self._flying:
            if self.state is not RECEIVING:  # given up before anything came
                self.enter(RECEIVING, end)
            self.enter(IDLE, end)
        self.listener.exchange_done(self, outcome, end)

    def _show(self, flight: StreamExchange, end: int) -> None:
        stream = flight.stream
        self.request_index = flight.request_index
        # One that was submitted and never flushed was due when the connection came to its end.
        self.scheduled_ns = flight.scheduled_ns if flight.scheduled_ns >= 0 else end
        self.lag_ns = self._lag_total_ns - flight.lag_before_ns
        if flight.request_index:
            self.begun_ns = flight.begun_ns
            begun_ns = flight.begun_ns if flight.begun_ns >= 0 else end
            self.queue_ns = begun_ns - self.scheduled_ns if flight.queued else ABSENT
        else:
            self.queue_ns = self._first_queue_ns
        begun = flight.begun_ns
        if begun < 0 or stream is None:
            self._sent = self.bytes_received = 0
            self._phases = (ABSENT, ABSENT, ABSENT)
            return
        self._sent = stream.size_bytes
        self.bytes_received = stream.bytes_received
        self._phases = flight.phases_ns(end)

    def _on_end(self, end: int) -> None:
        if self._streams is not None:
            for stream in self._streams.finish():
                self._finish(stream.owner, stream, end)
                if self.state is CLOSED:
                    return
        self.request_index = max(self.submitted - 1, 0)
        super()._on_end(end)

    def _on_idle_close(self, ending: Ending) -> None:
        if self._asked:  # the server takes no streams, and who waits for one is told
            self._fail(ErrorKind.STALE_CONNECTION, "the server closed the connection", ending is Ending.SERVER_IDLE_RST)
        else:
            super()._on_idle_close(ending)

    def _fail_by(self, error: Exception) -> None:
        self.request_index = max(self.submitted - 1, 0)  # the last one in flight, not the last one told of
        super()._fail_by(error)

    def _give_up_idle(self) -> None:
        self._say_last_words()
        self._lose(Ending.CLIENT_GAVE_UP)

    def _last_words(self) -> bytes:
        return self._streams.farewell() if self._streams is not None else b""

    def _fail(self, kind: ErrorKind, detail: str, reset: bool = False) -> None:
        listener, self.listener = self.listener, NOBODY
        super()._fail(kind, detail, reset)
        self.listener = listener
        if self._streams is not None and self._streams.ended:
            self.ending = Ending.SERVER_ANNOUNCED
        end = self.entered[CLOSED]
        flights = [*self._flying, *self._asked]
        self._flying.clear()
        self._asked.clear()
        if not flights:  # it never came to its first request
            self.submitted = 1
            self._phases = (ABSENT, ABSENT, ABSENT)
            self.listener.exchange_done(self, -kind, end)
        # A close means something else to each, by how far it had come.
        by_close = kind in (ErrorKind.TRUNCATED, ErrorKind.STALE_CONNECTION, ErrorKind.CLOSED_WITHOUT_RESPONSE)
        for number, flight in enumerate(flights, start=1):
            self._left_to_tell = len(flights) - number
            self._show(flight, end)
            own = (
                kind_of_close(RECEIVING if flight.first_ns >= 0 else WAITING, flight.request_index > 0)
                if by_close
                else kind
            )
            self.listener.exchange_done(self, -own, end)
