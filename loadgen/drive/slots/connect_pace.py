"""When connections may begin to open, where a policy limits their number a second. Knows no slot and no policy."""

from __future__ import annotations

from collections import deque
from typing import Any

from loadgen.model.units import NS_PER_S
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.lifecycle import CLOSED

Waiting = tuple[Connection, Any, int, Any, bool]
"""A connection, and what it is opened with: request, when that was due (ns), TLS session, whether to look up."""


class ConnectPace:
    """Opens connections in the order in which they are asked for, evenly spaced where they wait."""

    def __init__(self, clock: PhaseClock, per_s: int) -> None:
        self._clock = clock
        self._interval_ns = NS_PER_S // per_s
        self._next_ns = 0
        self._waiting: deque[Waiting] = deque()
        self._timer = clock.timer(self._open_due)

    def open(self, connection: Connection, request: Any, scheduled_ns: int, session: Any, looks_up: bool) -> None:
        """Open it now, or in its turn; the time until then is the request's `queue`."""
        now = self._clock.monotonic_ns()
        if not self._waiting and now >= self._next_ns:
            self._next_ns = now + self._interval_ns
            connection.open(request, scheduled_ns, session, looks_up)
            return
        connection.defer()
        self._waiting.append((connection, request, scheduled_ns or now, session, looks_up))
        if len(self._waiting) == 1:
            self._timer.begin((self._next_ns - now) / NS_PER_S)

    def give_up(self) -> None:
        """Those that wait are not opened any more: their requests end unfinished."""
        self._timer.cancel()
        waiting, self._waiting = self._waiting, deque()
        for connection, *_ in waiting:
            if connection.state != CLOSED:
                connection.abandon()

    def _open_due(self) -> None:
        while self._waiting:
            now = self._clock.monotonic_ns()
            if now < self._next_ns:
                self._timer.begin((self._next_ns - now) / NS_PER_S)
                return
            connection, *opening = self._waiting.popleft()
            if connection.state != CLOSED:  # else it was abandoned meanwhile
                # Not from now on: a timer that was late must not make the rate lower.
                self._next_ns += self._interval_ns
                connection.open(*opening)
