"""The median of a few values with its interval, without any assumption about how they are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import median
from typing import NamedTuple

from loadgen.model.units import format_estimate

_CONFIDENCE = 0.95


class Median(NamedTuple):
    """A median and the interval that has it: 95 % or more, or all values where those are fewer than 6."""

    middle: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """All of the interval is on one side of zero."""
        return self.low > 0 or self.high < 0


def median_of(values: Sequence[float]) -> Median:
    """The median and its interval by order statistics (the sign test). Raises StatisticsError of no values."""
    ordered = sorted(values)
    tries, cut = len(ordered), 0
    # With `cut` values left out at each end, the interval misses the median with twice this probability.
    outside = 1 / 2**tries
    while 2 * (more := outside + comb(tries, cut + 1) / 2**tries) <= 1 - _CONFIDENCE:
        cut, outside = cut + 1, more
    return Median(median(ordered), ordered[cut], ordered[-1 - cut])


def median_text(times_ns: Sequence[float]) -> str:
    """Write the median of times and its interval: `3.04 s [3.03, 3.05]`. Raises StatisticsError of no times."""
    found = median_of(times_ns)
    return " ".join(format_estimate(found.middle, (found.low, found.high)))
