"""An open loop: starts each arrival when it is due, even if earlier ones are unanswered. Knows no connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import gevent

from loadgen.drive.slots.context import NEVER_NS, SlotContext
from loadgen.wire.timerfd import TimerFd

# Maximum overdue arrivals to start per loop turn, so responses are not starved.
_MAX_PER_TURN = 256
# Arrivals still pending in the generator at the end of a block are sent if at most this late.
_MAX_LATE_NS = 1_000_000
_NEVER_NS = NEVER_NS  # an integer of C, where compiled


class ArrivalPool(Protocol):
    """Sends the request of an arrival as soon as it can."""

    def submit(self, user: None, due_ns: int, late_ns: int) -> None: ...


class ArrivalDispatcher:
    """Feeds a pool. due_times: times (ns, from begun_ns on) at which arrivals are due, without end."""

    def __init__(self, pool: ArrivalPool, due_times: Iterator[int], begun_ns: int, context: SlotContext) -> None:
        self._pool = pool
        self._due_times = due_times
        self._context = context
        self._clock = context.clock
        self.begun_ns = begun_ns
        self._next_ns = self.begun_ns + next(due_times)
        self._stopped = False
        self._timer = TimerFd(gevent.get_hub().loop, self._begin_due)
        self._timer.set(self._next_ns)

    def stop(self) -> None:
        """No arrival begins any more, except those that are due now and not late yet."""
        if not self._stopped:
            self._stopped = True
            now = self._clock.monotonic_ns()
            if now - self._next_ns < _MAX_LATE_NS:
                while self._next_ns < now:
                    self._begin_due()
        self._timer.close()

    def overdue(self, until_ns: int) -> Iterator[int]:
        """Times (ns) of the arrivals due before `until_ns` that were never begun. Call it after `stop`."""
        while self._next_ns < until_ns:
            yield self._next_ns
            self._next_ns = self.begun_ns + next(self._due_times)

    def _begin_due(self) -> None:
        submit, context = self._pool.submit, self._context
        due_times, begun_ns, due_ns = self._due_times, self.begun_ns, self._next_ns
        for _ in range(_MAX_PER_TURN):
            late_ns = self._clock.monotonic_ns() - due_ns
            if late_ns < 0:
                break
            if due_ns >= context.counted_from_ns:
                if context.left <= 0:
                    due_ns = _NEVER_NS
                    break
                context.left -= 1
            submit(None, due_ns, late_ns)
            due_ns = begun_ns + next(due_times)
        self._next_ns = due_ns
        if not self._stopped:
            self._timer.set(due_ns)
