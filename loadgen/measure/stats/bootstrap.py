"""Uncertainty by resampling whole rounds. Requests inside a block are not independent, rounds nearly are.

The bootstrap draws as many rounds as there are, with replacement. With few rounds every possible draw is listed with
its probability, so the interval has no noise of its own. The percentile interval of so small a bootstrap is too narrow;
it is widened as in T. Hesterberg, "What Teachers Should Know About the Bootstrap" (The American Statistician 69, 2015,
§4.2, "expanded percentile interval").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LISTED_UP_TO = 7  # rounds: 1,716 draws; one more makes 6,435
_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class BootstrapDraws:
    """How often each draw takes each round (`weights`: draws × rounds) and how probable the draw is."""

    weights: Floats
    probabilities: Floats

    def interval(self, values: Floats) -> tuple[float, float] | None:
        """The 95 % interval of a statistic that has `values` (one a draw); None from fewer than two rounds."""
        rounds = self.weights.shape[1]
        finite = np.isfinite(values)
        if rounds < 2 or not finite.all():
            return None
        order = np.argsort(values, kind="stable")
        cumulated = np.cumsum(self.probabilities[order])
        tail = expanded_tail(rounds)
        low, high = (int(np.searchsorted(cumulated, share)) for share in (tail, 1 - tail))
        last = len(values) - 1
        return float(values[order[min(low, last)]]), float(values[order[min(high, last)]])

    def whole_interval(self, values: Floats) -> list[int] | None:
        """The interval in whole units, as `summary.json` holds that of a time."""
        interval = self.interval(values)
        return None if interval is None else [round(bound) for bound in interval]

    def listed_interval(self, values: Floats) -> list[float] | None:
        """The interval as `summary.json` holds that of a ratio."""
        interval = self.interval(values)
        return None if interval is None else list(interval)


def draws(rounds: int, seed: int) -> BootstrapDraws:
    """Every draw of `rounds` rounds, or 2,000 random ones (by `seed`) where there are too many."""
    if rounds <= _LISTED_UP_TO:
        picks = list(combinations_with_replacement(range(rounds), rounds))
        weights = np.array([np.bincount(pick, minlength=rounds) for pick in picks], np.float64).reshape(
            len(picks), rounds
        )
        ways = [math.factorial(rounds) / math.prod(math.factorial(int(n)) for n in row) for row in weights]
        return BootstrapDraws(weights, np.array(ways) / rounds**rounds)
    weights = np.random.default_rng(seed).multinomial(rounds, [1 / rounds] * rounds, _DRAWS).astype(np.float64)
    return BootstrapDraws(weights, np.full(_DRAWS, 1 / _DRAWS))


def expanded_tail(rounds: int) -> float:
    """The share to cut from each end of a 95 % interval from `rounds` rounds (Hesterberg 2015)."""
    if rounds < 2:
        return 0.0
    return NormalDist().cdf(-math.sqrt(rounds / (rounds - 1)) * _student_t(rounds - 1))


@cache
def _student_t(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, by integrating its density."""
    x = np.linspace(0, 15, 300_001)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    density = scale * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    area = np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])
    return float(x[int(np.searchsorted(area, 0.475)) + 1])
