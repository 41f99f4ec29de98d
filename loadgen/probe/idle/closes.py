"""What the closes of several idle connections say together: a timer, a sweep now and then, or neither. Pure.

A server with a timer for each connection closes all at the same idle time. A server that sweeps looks at all of its
connections now and then, and closes those that are too old by then: its idle times spread over one period, and
connections that became idle at different times end at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from loadgen.model.units import NS_PER_MS
from loadgen.probe.medians import median_of

Shape = Literal["at once", "timer", "sweep", "scattered"]

_AT_ONCE_NS = 20 * NS_PER_MS
"""A server that closes this soon after a response keeps no connection, whatever the response says."""
_TIMER_SPREAD_NS = 50 * NS_PER_MS
_TIMER_SPREAD_SHARE = 0.01
"""Idle times within one of the two are a timer's, on a machine that has other work too."""
_MAX_LATE_NS = 50 * NS_PER_MS
_LATE_TIMES = 2
"""A response that took longer than this, and this many times as long as the quickest one, may have been read late."""
_ONE_MOMENT_NS = 10 * NS_PER_MS
"""Closes with no longer pause between them are of one sweep."""
_MAX_MOMENTS_SHARE = 2 / 3
"""Closes at no more moments than this share of their number are no accident, where the connections began apart."""
_MIN_PERIOD_NS = 80 * NS_PER_MS
"""Sweeps that follow each other faster may be due to connections that begin: some servers sweep whenever they wake."""
_MAX_UNEVEN_SHARE = 0.25
"""Sweeps whose pauses differ more from their median have no period: some servers sweep whenever a request comes."""
_CUT_SHARE = 0.1
"""This share of the idle times at each end may be a stall of one of the machines."""


@dataclass(frozen=True, slots=True)
class Close:
    """One idle connection that the server closed. Times of one clock (ns)."""

    idle_from_ns: int
    """When its last response was complete."""
    closed_ns: int
    ended: str
    """`fin` or `reset`."""
    last_words: bytes = b""
    """What the server sent before that."""
    responses: int = 1
    asked_ns: int | None = None
    """When the request for that response was sent, if known: the server can't have been idle before."""

    @property
    def idle_ns(self) -> int:
        return self.closed_ns - self.idle_from_ns

    @property
    def longest_idle_ns(self) -> int:
        """For how long it was idle at most: this side may have read the response late."""
        return self.closed_ns - (self.idle_from_ns if self.asked_ns is None else self.asked_ns)


@dataclass(frozen=True, slots=True)
class IdleTimes:
    """The server's idle timeout, and how the idle times spread around it."""

    shape: Shape
    timeout_ns: int
    low_ns: int
    high_ns: int
    """The timeout's interval."""
    min_ns: int
    max_ns: int
    """The shortest and the longest idle time."""
    period_ns: int = 0
    """Of the sweeps; 0 where it is not known."""


def idle_times(closes: Sequence[Close]) -> IdleTimes:
    """What they say. Raises StatisticsError without any."""
    closes = _well_timed(closes)
    ages = sorted(close.idle_ns for close in closes)
    cut = int(_CUT_SHARE * len(ages))
    middle = median_of(ages)
    if middle.middle < _AT_ONCE_NS:
        return IdleTimes("at once", int(middle.middle), int(middle.low), int(middle.high), ages[0], ages[-1])
    spread_ns = ages[-1 - cut] - ages[cut]
    if spread_ns > max(_TIMER_SPREAD_NS, _TIMER_SPREAD_SHARE * middle.middle):
        moments = _moments(sorted(close.closed_ns for close in closes))
        if len(moments) <= _MAX_MOMENTS_SHARE * len(closes):
            return _of_sweeps(closes, ages, moments)
        return IdleTimes("scattered", ages[0], ages[0], ages[-1], ages[0], ages[-1])
    return IdleTimes("timer", int(middle.middle), int(middle.low), int(middle.high), ages[0], ages[-1])


def _well_timed(closes: Sequence[Close]) -> Sequence[Close]:
    """Without those whose response took much longer than others did, unless that is most of them.

    This side may have read it late, and the connection was idle for longer than it looks.
    """
    usual_ns = min((close.longest_idle_ns - close.idle_ns for close in closes), default=0)
    limit_ns = _LATE_TIMES * usual_ns + _MAX_LATE_NS
    found = [close for close in closes if close.longest_idle_ns - close.idle_ns <= limit_ns]
    return found if 2 * len(found) >= len(closes) else closes


def _of_sweeps(closes: Sequence[Close], ages: list[int], moments: list[tuple[int, int]]) -> IdleTimes:
    """The timeout is at most the youngest age that was closed, and at least the oldest that a sweep left alone."""
    left_alone = [
        first_ns - close.idle_from_ns
        for first_ns, last_ns in moments
        for close in closes
        if close.idle_from_ns < first_ns and close.closed_ns > last_ns
    ]
    high_ns = ages[0]
    low_ns = min(max(left_alone, default=0), high_ns)
    # Without two sweeps nothing is known below the youngest age.
    timeout_ns = (low_ns + high_ns) // 2 if left_alone else high_ns
    between = [later[0] - earlier[0] for earlier, later in pairwise(moments)]
    period_ns = int(median(between)) if between else 0
    far_ns = max((abs(one - period_ns) for one in between), default=0)
    if period_ns < _MIN_PERIOD_NS or far_ns > _MAX_UNEVEN_SHARE * period_ns:
        period_ns = 0
    return IdleTimes("sweep", timeout_ns, low_ns, high_ns, ages[0], ages[-1], period_ns)


def _moments(closed_ns: list[int]) -> list[tuple[int, int]]:
    """The first and the last close of each sweep."""
    found = [(closed_ns[0], closed_ns[0])]
    for at_ns in closed_ns[1:]:
        if at_ns - found[-1][1] <= _ONE_MOMENT_NS:
            found[-1] = (found[-1][0], at_ns)
        else:
            found.append((at_ns, at_ns))
    return found
