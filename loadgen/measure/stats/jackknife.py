"""Uncertainty by leaving out one round after the other. Requests inside a block are not independent, rounds nearly are.

A statistic is computed from all rounds, and again without each of them: the jackknife (R. G. Miller, "The jackknife: a
review", Biometrika 61, 1974). How far the values without a round lie apart says how uncertain the statistic is, and
Student's t how many standard errors an interval has to have. With many rounds, those that followed each other are left
out together (J. Shao, C. F. J. Wu, "A general theory for jackknife variance estimation", Ann. Stat. 17, 1989): that is
as good, and neighbours that resemble each other do no harm. Nothing here is random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.stats.distributions import student_t_p_value, student_t_quantile

Floats = NDArray[np.float64]

MAX_GROUPS = 200
"""Rounds up to which each is left out by itself: an interval of thousands is no better, and takes longer."""
_CONFIDENCE = 0.95
LARGEST_BOUND = 2**62
"""In ns 146 years. What is larger is no number of 64 bits any more, and soon none at all."""
_LARGEST_LOGARITHM = math.log(LARGEST_BOUND)


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Which rounds are left out together, and the intervals that follow from a statistic without them."""

    groups: tuple[NDArray[np.intp], ...]
    """The rounds of each group, by number; rounds that don't count are in none."""
    rounds: int
    """All rounds, those that don't count as well."""
    widening: float = 1.0
    """By how much intervals are wider, and tests stricter, than those of a run whose length was fixed beforehand."""

    @classmethod
    def over(cls, active: NDArray[np.bool_], widening: float = 1.0) -> Jackknife:
        """Of the rounds that `active` marks."""
        numbers = np.flatnonzero(active)
        groups = np.array_split(numbers, max(1, min(len(numbers), MAX_GROUPS)))
        return cls(tuple(groups), len(active), widening)

    def active(self) -> NDArray[np.bool_]:
        """Which rounds count."""
        found = np.zeros(self.rounds, np.bool_)
        found[np.concatenate(self.groups)] = True
        return found

    def weights(self) -> Floats:
        """How often each round counts: in the first row all do, in each other one a group is left out."""
        found = np.tile(self.active().astype(np.float64), (len(self.groups) + 1, 1))
        for row, group in enumerate(self.groups, 1):
            found[row, group] = 0
        return found

    def standard_error(self, values: Floats) -> float | None:
        """Of a statistic; None from fewer than two groups. values: one for each row of `weights`."""
        count = len(self.groups)
        if count < 2 or not np.isfinite(values).all():
            return None
        spread = values[1:] - values[1:].mean()
        return math.sqrt((count - 1) / count * float(spread @ spread))

    def interval(self, values: Floats) -> tuple[float, float] | None:
        """The 95 % interval of a statistic that has these values; None where it has no standard error."""
        error = self.standard_error(values)
        if error is None:
            return None
        margin = self.widening * student_t_quantile((1 + _CONFIDENCE) / 2, len(self.groups) - 1) * error
        return float(values[0] - margin), float(values[0] + margin)

    def ratio_interval(self, values: Floats) -> list[float] | None:
        """The interval of what is positive and varies by factors, as ratios and rates do: that of its logarithm."""
        return factors(self.interval(_logarithms(values)))

    def duration_interval(self, values: Floats) -> list[int] | None:
        """The same of a duration, which is positive too, in whole ns."""
        interval = self.ratio_interval(values)
        return None if interval is None else [round(bound) for bound in interval]

    def difference_interval(self, values: Floats) -> list[int] | None:
        """The interval of a difference, in whole ns; None too where a bound means nothing."""
        interval = self.interval(values)
        if interval is None or max(map(abs, interval)) > LARGEST_BOUND:
            return None
        return [round(bound) for bound in interval]

    def p_value(self, ratios: Floats) -> float | None:
        """How probable so large a ratio is if there is no difference; below 0.05 where its interval leaves out 1."""
        logarithms = _logarithms(ratios)
        error = self.standard_error(logarithms)
        if error is None:
            return None
        return student_t_p_value(float(logarithms[0]), error * self.widening, len(self.groups) - 1)


def factors(interval: tuple[float, float] | None) -> list[float] | None:
    """The interval of a ratio from that of its logarithm.

    None too where its upper bound means nothing, as it may be of two rounds that have little in common.
    """
    if interval is None or interval[1] > _LARGEST_LOGARITHM:
        return None
    return [math.exp(bound) for bound in interval]


def _logarithms(values: Floats) -> Floats:
    """Not a number where there is none, so that no interval follows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values)
