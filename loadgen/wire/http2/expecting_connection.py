"""An HTTP/2 connection whose requests' bodies wait for 100 Continue (RFC 9110 §10.1.1): HEADERS first, DATA later.

Each stream waits for itself; other streams go on meanwhile. Knows no policy and no frame.
"""

from __future__ import annotations

from collections import deque

from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.records import ABSENT, Ending
from loadgen.model.units import NS_PER_S
from loadgen.wire.clock import PhaseClock, Timer
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.stream import HeldStream, HttpStream, StreamExchange, StreamProtocol
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route


class ExpectingHttp2Connection(Http2Connection):
    """One connection and its exchanges, any number of which wait."""

    __slots__ = ("_continue_timeout_ns", "_counts", "_held", "_timer", "_timer_runs")

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader,
        continue_timeout_s: float, counts: ContinueCounts,
    ) -> None:  # fmt: skip
        """continue_timeout_s: how long a body waits at most. counts: of all such connections of a block."""
        super().__init__(number, route, listener, clock, reader)
        self._continue_timeout_ns = round(continue_timeout_s * NS_PER_S)
        self._counts = counts
        # Streams in the order in which they began to wait; some wait no longer. All wait equally long, so that one
        # timer is enough: it is for the first of them.
        self._held: deque[HeldStream] = deque()
        self._timer: Timer | None = None
        self._timer_runs = False

    def close(self, ending: Ending) -> None:
        super().close(ending)
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _drained(self, now: int) -> None:
        super()._drained(now)
        for exchange in self._active:
            stream = exchange.stream
            if isinstance(stream, HeldStream) and stream.asked_ns < 0:
                stream.asked_ns = now
                self._counts.asked += 1
                self._held.append(stream)
        self._begin_timer(now)

    def _begin_timer(self, now: int) -> None:
        """Have it end when the first stream that waits has waited long enough."""
        held = self._held
        while held and not _waits(held[0]):
            held.popleft()
        if held and not self._timer_runs:
            timer = self._timer = self._timer or self._clock.timer(self._on_timeout)
            timer.begin(max(0, held[0].asked_ns + self._continue_timeout_ns - now) / NS_PER_S)
            self._timer_runs = True

    def _on_timeout(self) -> None:
        """100 Continue did not come for the first of them, or it has come meanwhile."""
        self._timer_runs = False
        if self.state == CLOSED:
            return
        now, held = self._note_lag(), self._held
        while held and (not _waits(held[0]) or held[0].asked_ns + self._continue_timeout_ns <= now):
            stream = held.popleft()
            if _waits(stream):
                self._counts.timed_out += 1
                self._send_body(stream, now)
        self._begin_timer(now)
        self.flush()

    def _send_body(self, stream: HeldStream, now: int) -> None:
        stream.end_wait(now)
        self._core.release(stream)

    def _feed(self, core: StreamProtocol, data: bytes, now: int) -> list[HttpStream]:
        changed = super()._feed(core, data, now)
        for stream in changed:
            if not isinstance(stream, HeldStream) or not stream.waits:
                continue
            polled_ns = self._clock.polled_ns
            left_ns = polled_ns if stream.asked_ns <= polled_ns <= now else now
            if stream.continued:
                # A final response may have come in the same read. If it is complete, nothing is sent any more.
                self._counts.received += 1
                self._send_body(stream, left_ns)
            elif stream.begun and stream.error is None:
                self._counts.refused += 1
                stream.end_wait(left_ns)
        return changed

    def _show(self, exchange: StreamExchange, end: int) -> None:
        stream = exchange.stream
        self.continue_wait_ns = ABSENT
        if isinstance(stream, HeldStream):
            if stream.waits:
                stream.end_wait(end)
            self.continue_wait_ns = stream.waited_ns
        super()._show(exchange, end)


def _waits(stream: HeldStream) -> bool:
    return stream.waits and not stream.done
