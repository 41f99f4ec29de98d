"""Stamps of the wall clock while that is set, slewed, or left alone."""

from __future__ import annotations

import pytest

from loadgen.model.records import ABSENT
from loadgen.wire.wall_clock import WallClock

S, MS, US = 1_000_000_000, 1_000_000, 1_000


class Clocks:
    """A wall clock that a test sets, and a monotonic one that it moves."""

    def __init__(self) -> None:
        self.monotonic_ns = 50 * S
        self.ahead_ns = 1_700_000_000 * S
        self.wall = WallClock(lambda: self.stamp(), lambda: self.monotonic_ns)

    def stamp(self) -> int:
        """What the kernel notes now."""
        return self.monotonic_ns + self.ahead_ns


def test_a_stamp_is_the_time_at_which_it_was_made() -> None:
    clocks = Clocks()
    for _ in range(3):
        at_ns, stamp = clocks.monotonic_ns, clocks.stamp()
        clocks.monotonic_ns += 70 * US
        assert clocks.wall.to_monotonic_ns(stamp) == at_ns
        clocks.monotonic_ns += 3 * S
        clocks.ahead_ns += 1_500 * US  # slewed by half a thousandth


@pytest.mark.parametrize("step_ns", [-3600 * S, -20 * MS, 20 * MS, 3600 * S])
def test_a_step_between_stamp_and_look_gives_no_time(step_ns: int) -> None:
    clocks = Clocks()
    clocks.wall.to_monotonic_ns(clocks.stamp())
    clocks.monotonic_ns += MS
    before = [clocks.stamp(), clocks.stamp() + 100]
    clocks.monotonic_ns += MS
    clocks.ahead_ns += step_ns
    at_ns, after = clocks.monotonic_ns, clocks.stamp()
    clocks.monotonic_ns += 50 * US
    assert [clocks.wall.to_monotonic_ns(stamp) for stamp in before] == [ABSENT, ABSENT]
    assert clocks.wall.to_monotonic_ns(after) in (at_ns, ABSENT)
    clocks.monotonic_ns += MS
    at_ns = clocks.monotonic_ns
    assert clocks.wall.to_monotonic_ns(clocks.stamp()) == at_ns


def test_nothing_comes_from_the_future() -> None:
    clocks = Clocks()
    assert clocks.wall.to_monotonic_ns(clocks.stamp() + 1) == ABSENT
