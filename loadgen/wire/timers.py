"""The pauses of users: any number of timers of one loop, exact to some microseconds.

libev ends a pause at a whole millisecond after the last one that ended. Users whose pauses end together send together,
and stay together from then on, so that they would wait for each other at the target. Here all timers share one timerfd,
which is set to the earliest. Knows no socket and no request.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from time import monotonic_ns
from typing import Any

from loadgen.model.units import NS_PER_S
from loadgen.wire.timerfd import TimerFd


class ExactTimer:
    """Calls back once after each time that is begun, unless it is cancelled first."""

    __slots__ = ("_callback", "_queue", "_serial")

    def __init__(self, queue: TimerQueue, callback: Callable[[], None]) -> None:
        self._queue = queue
        self._callback = callback
        self._serial = 0
        """Of the time that is running; 0 where none is."""

    def begin(self, seconds: float) -> None:
        """Call back after `seconds`; must not be called while an earlier time is running."""
        self._serial = self._queue.add(monotonic_ns() + round(seconds * NS_PER_S), self)

    def cancel(self) -> None:
        """Do not call back; safe to call when no time is running."""
        self._serial = 0

    def expire(self, serial: int) -> None:
        """This time is over: call back, unless it was cancelled."""
        if serial == self._serial:
            self._serial = 0
            self._callback()


class TimerQueue:
    """The timers of one loop, by the time at which they are due. Raises OSError where its timerfd can't be made."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        # At once: the pause after a request that found no descriptor left needs it most.
        self._timer = TimerFd(loop, self._expire)
        self._due: list[tuple[int, int, ExactTimer]] = []
        """A heap of (time, serial number, timer); those of cancelled timers stay until they are due."""
        self._serial = 0

    def timer(self, callback: Callable[[], None]) -> ExactTimer:
        """A timer that is not running yet."""
        return ExactTimer(self, callback)

    def add(self, due_ns: int, timer: ExactTimer) -> int:
        """Have the timer expire at `due_ns`; gives this time's serial number. Raises OSError."""
        self._serial += 1
        due = self._due
        heappush(due, (due_ns, self._serial, timer))
        if due[0][1] == self._serial:
            self._timer.set(due_ns)
        return self._serial

    def close(self) -> None:
        """Nothing expires any more."""
        self._due.clear()
        self._timer.close()

    def _expire(self) -> None:
        """Call back all that are due. An error in one goes to the loop, and the others are called."""
        due, now = self._due, monotonic_ns()
        while due and due[0][0] <= now:
            _, serial, timer = heappop(due)
            try:
                timer.expire(serial)
            except BaseException as error:  # as the loop itself does with its callbacks
                self._loop.handle_error(timer, type(error), error, error.__traceback__)
        if due:
            self._timer.set(due[0][0])
