"""An open loop: begins each arrival when it is due, whatever became of the ones before. Knows no connection."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns

from loadgen.drive.open_loop.timerfd import TimerFd
from loadgen.drive.slots.pool import Pool

# So many arrivals that are overdue are begun before the loop may see to responses again.
_MOST_AT_ONCE = 256
# An arrival that the end of a block finds waiting for the generator itself begins if it is no later than this.
_NOT_LATE_NS = 1_000_000


class ArrivalDispatcher:
    """Feeds a pool. dues: times (ns, from begun_ns on) at which arrivals are due, without end."""

    def __init__(self, pool: Pool, dues: Iterator[int], begun_ns: int) -> None:
        self._pool = pool
        self._dues = dues
        self.begun_ns = begun_ns
        self._next_ns = begun_ns + next(dues)
        self._stopped = False
        self._alarm = TimerFd(self._begin_due)
        self._alarm.set(self._next_ns)

    def stop(self) -> None:
        """No arrival begins any more, but for those that are due now and not late yet."""
        if not self._stopped:
            self._stopped = True
            now = monotonic_ns()
            if now - self._next_ns < _NOT_LATE_NS:
                while self._next_ns < now:
                    self._begin_due()
        self._alarm.close()

    def overdue(self, until_ns: int) -> Iterator[int]:
        """Times (ns) of the arrivals due before `until_ns` that never came to be handled, to be asked once stopped."""
        while self._next_ns < until_ns:
            yield self._next_ns
            self._next_ns = self.begun_ns + next(self._dues)

    def _begin_due(self) -> None:
        ask = self._pool.ask
        dues, begun_ns, due_ns = self._dues, self.begun_ns, self._next_ns
        for _ in range(_MOST_AT_ONCE):
            late_ns = monotonic_ns() - due_ns
            if late_ns < 0:
                break
            ask(None, due_ns, late_ns)
            due_ns = begun_ns + next(dues)
        self._next_ns = due_ns
        if not self._stopped:
            self._alarm.set(due_ns)
