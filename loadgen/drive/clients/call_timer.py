"""The time that one call may take, where it has a limit of its own. Knows no call and no response."""

from __future__ import annotations

from typing import Any, Protocol

import gevent

from loadgen.wire.connection import Connection


class TimedSlot(Protocol):
    """What carries the call."""

    @property
    def connection(self) -> Connection | None: ...


class CallTimer:
    """Ends the exchange of a slot when its time is over; the run's --timeout does not count for it meanwhile.

    timed: the slots for which it does not count.
    """

    def __init__(self, slot: TimedSlot, timeout_s: float, timed: set[Any]) -> None:
        self._slot = slot
        self._timed = timed
        timed.add(slot)
        self._timer = gevent.get_hub().loop.timer(timeout_s)
        self._timer.start(self._expire)

    def stop(self) -> None:
        """The call has ended."""
        self._timer.stop()
        self._timer.close()
        self._timed.discard(self._slot)

    def _expire(self) -> None:
        connection = self._slot.connection
        if connection is not None and connection.busy:
            connection.expire()
