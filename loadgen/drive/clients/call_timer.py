"""The time that one call may take, where it has a limit of its own. Knows no call and no response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import gevent

from loadgen.wire.connection import Connection


class TimedSlot(Protocol):
    """What carries the call."""

    @property
    def connection(self) -> Connection | None: ...


class CallTimer:
    """Of one call: `expire` is called when its time is over."""

    def __init__(self, timeout_s: float, expire: Callable[[], None]) -> None:
        self._timer = gevent.get_hub().loop.timer(timeout_s)
        self._timer.start(expire)

    def stop(self) -> None:
        """The call has ended."""
        self._timer.stop()
        self._timer.close()


class SlotTimer(CallTimer):
    """Ends the exchange of a slot when its time is over; the run's --timeout does not count for it meanwhile.

    timed: the slots for which it does not count.
    """

    def __init__(self, slot: TimedSlot, timeout_s: float, timed: set[Any]) -> None:
        self._slot = slot
        self._timed = timed
        timed.add(slot)
        super().__init__(timeout_s, self._expire)

    def stop(self) -> None:
        super().stop()
        self._timed.discard(self._slot)

    def _expire(self) -> None:
        connection = self._slot.connection
        if connection is not None and connection.busy:
            connection.expire()
