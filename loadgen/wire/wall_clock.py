"""Points in time of the wall clock, by which the kernel stamps packets, on the monotonic clock. Knows no socket.

Someone may set the wall clock while a packet waits to be read. What was stamped before that can't be told apart from
what was stamped at another time, so it gives no time at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from loadgen.model.records import ABSENT

# A slewed clock (adjtime(3)) moves by half a millisecond a second; more than this between two looks is a step, or a
# pause between the two clocks' reading, which is as bad.
_MAX_SLEW_NS = 1_000_000
_MAX_SLEW_PER_NS = 0.001


class WallClock:
    """How far the wall clock is ahead of the monotonic clock, and since when."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._ahead_ns: int | None = None
        self._seen_ns = 0
        self._since_ns = 0
        """Stamps from before are of a clock that was set since then."""

    def to_monotonic_ns(self, stamp_ns: int) -> int:
        """The time of a stamp of the wall clock; ABSENT where the clock may have been set after it."""
        now_ns = self._monotonic_ns()
        ahead_ns = self._wall_ns() - now_ns
        if self._ahead_ns is not None:
            slew_ns = _MAX_SLEW_NS + _MAX_SLEW_PER_NS * (now_ns - self._seen_ns)
            if abs(ahead_ns - self._ahead_ns) > slew_ns:
                self._since_ns = now_ns
        self._ahead_ns, self._seen_ns = ahead_ns, now_ns
        found_ns = stamp_ns - ahead_ns
        return found_ns if self._since_ns <= found_ns <= now_ns else ABSENT
