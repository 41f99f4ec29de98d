"""Quantiles of durations over all rounds, and how uncertain they are.

If rounds are left out, a quantile jumps from one measured value to the next, and far out in the tail these lie far
apart. What is smooth is the share of requests that are not slower than it. So the rounds say how uncertain that share
is, and the distribution around the quantile turns it into a duration (R. S. Woodruff, "Confidence intervals for medians
and other position measures", J. Am. Stat. Assoc. 47, 1952).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.stats.jackknife import LARGEST_BOUND, Floats, Jackknife

_WINDOW = 2
"""Standard errors to each side of a quantile in which the logarithm of the duration counts as a line."""


@dataclass(frozen=True, slots=True)
class RoundQuantiles:
    """The values of each round, sorted."""

    ordered: tuple[NDArray[Any], ...]

    def over(self, rounds: Jackknife, exactly: Callable[[float], float] | None = None) -> PooledQuantiles:
        """Those of the rounds that count.

        exactly: where these values are a share of all, the quantile of all for each share; uncertainty is theirs, moved
        to lie around it.
        """
        parts = tuple(self._values(group) for group in rounds.groups)
        return PooledQuantiles(rounds, parts, np.sort(np.concatenate(parts)), exactly)

    def _values(self, group: NDArray[np.intp]) -> NDArray[Any]:
        """The sorted values of these rounds."""
        values = [self.ordered[number] for number in group.tolist()]
        return values[0] if len(values) == 1 else np.sort(np.concatenate([np.empty(0, np.int64), *values]))


@dataclass(frozen=True, slots=True)
class PooledQuantiles:
    """The values of all rounds that count, sorted together and by group."""

    rounds: Jackknife
    parts: tuple[NDArray[Any], ...]
    pooled: NDArray[Any]
    exactly: Callable[[float], float] | None

    def value(self, share: float) -> float:
        """The nearest-rank quantile, always a value that was measured; not a number where there is none."""
        return self._value(share) if self.exactly is None else self.exactly(share)

    def left_out(self, share: float) -> Floats:
        """A quantile of all rounds, and as it moves if a group is left out.

        It moves along a line that is as steep as the way to the farther end of its interval, so that an interval around
        it is no narrower: next to a gap between fast and slow requests the two ends lie far apart.
        """
        reached = self.reached(share)
        value, bounds, ends = self.value(share), self.bounds(share), self.rounds.interval(reached)
        if bounds is None or ends is None or bounds[0] <= 0 < value:
            return np.append(value, np.full(len(self.parts), np.nan))
        margin = (ends[1] - ends[0]) / 2
        farther = max(np.log(bounds[1] / value), np.log(value / bounds[0])) if margin and value else 0.0
        return np.asarray(value * np.exp(farther / (margin or 1.0) * (reached[0] - reached)))

    def interval(self, share: float) -> list[int] | None:
        """The 95 % interval of a quantile, in whole ns; None as for `bounds`."""
        bounds = self.bounds(share)
        return None if bounds is None else [round(bound) for bound in bounds]

    def bounds(self, share: float) -> tuple[float, float] | None:
        """The ends of the 95 % interval of a quantile: where the ends of the share's interval lie.

        None where nothing was measured above it, as in fewer than 100 requests for a p99. Beyond the values that were
        measured it goes on along the line around the quantile; None too where it goes on to a bound that means nothing,
        as it may after two rounds that have little in common.
        """
        reached = self.reached(share)
        interval, error = self.rounds.interval(reached), self.rounds.standard_error(reached)
        if interval is None or error is None:
            return None
        value, slope = self._value(share), self._slope(share, error)
        low, high = (share + bound - float(reached[0]) for bound in interval)
        lowest = self._value(low) if low > 0 else value * np.exp(slope * (low - share))
        highest = self._value(high) if high < 1 else value * np.exp(slope * (high - share))
        scale = self.value(share) / value
        if highest * scale > LARGEST_BOUND:
            return None
        return float(min(lowest, value) * scale), float(max(highest, value) * scale)

    def _value(self, share: float) -> float:
        size = len(self.pooled)
        return float(self.pooled[min(self._rank(share), size) - 1]) if size else np.nan

    def _rank(self, share: float) -> int:
        """From 1; the slack allows for rounding in products that should be whole numbers."""
        return max(1, int(np.ceil(share * len(self.pooled) * (1 - 1e-12))))

    def reached(self, share: float) -> Floats:
        """The share of values that are not above the quantile, of all rounds and without each group.

        Not a number where the quantile is the highest value: how far above it others would lie is not known then.
        """
        value, size = self._value(share), len(self.pooled)
        if self._rank(share) >= size:
            return np.full(1 + len(self.parts), np.nan)
        sizes = np.array([0, *(len(part) for part in self.parts)])
        below = np.array([0, *(np.searchsorted(part, value, side="right") for part in self.parts)])
        left = np.maximum(size - sizes, 0)
        found = np.full(len(left), np.nan)
        np.divide(below.sum() - below, left, out=found, where=left > 0)
        return found

    def _slope(self, share: float, error: float) -> float:
        """By how much the logarithm of the value rises around a quantile, per share."""
        low, high = max(share - _WINDOW * error, 0.0), min(share + _WINDOW * error, 1.0)
        if high <= low:
            return 0.0
        return float(np.log(max(self._value(high), 1) / max(self._value(low), 1)) / (high - low))


def by_round(values: NDArray[Any], round_of: NDArray[Any], rounds: int) -> RoundQuantiles:
    """Sort `values` into `rounds` rounds, as `round_of` numbers them."""
    order = np.argsort(round_of, kind="stable")
    parts = np.split(values[order], np.searchsorted(round_of[order], np.arange(1, rounds)))
    return RoundQuantiles(tuple(np.sort(part) for part in parts))
