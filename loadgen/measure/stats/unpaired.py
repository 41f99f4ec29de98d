"""Two runs that have no round in common: the difference of a statistic, and how uncertain it is. Knows no samples.

Each run's own rounds say how uncertain its value is (`jackknife.py`); the two add up, with degrees of freedom by
B. L. Welch ("The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34, 1947). What makes whole runs differ, such as another process or a busier neighbour, is in neither run's
rounds. Several earlier runs show it: then the spread between them says how far one more run of the same kind may lie
from their mean, as a prediction interval does. Of one run each, a negative control shows a part of it: something that
was measured in both and that what is tested can't change (M. Lipsitch and others, "Negative controls", Epidemiology 21,
2010). By as much as it moved, other figures may have moved for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadgen.measure.stats.distributions import student_t_p_value, student_t_quantile
from loadgen.measure.stats.jackknife import Floats, Jackknife

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic of one run."""

    value: float
    error: float | None
    """Its standard error by the run's rounds; None from a single round."""
    freedom: float
    """Degrees of freedom of that error."""

    @classmethod
    def of(cls, values: Floats, rounds: Jackknife) -> Estimate:
        """values: of all rounds, then without each group of them."""
        error = rounds.standard_error(values)
        widened = None if error is None else error * rounds.widening
        return cls(float(values[0]), widened, max(1, len(rounds.groups) - 1))


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much a statistic of the new run differs from that of the old ones."""

    delta: float
    error: float | None
    freedom: float

    def with_control(self, moved: float) -> Shift:
        """With a negative control that moved by this, on the same scale: it is a second standard error."""
        return self if self.error is None else replace(self, error=math.hypot(self.error, moved))

    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; None where nothing says how far runs differ by chance."""
        if self.error is None:
            return None
        margin = student_t_quantile((1 + _CONFIDENCE) / 2, self.freedom) * self.error
        return self.delta - margin, self.delta + margin

    def p_value(self) -> float | None:
        """How probable so large a difference is if there is none; None as above."""
        return None if self.error is None else student_t_p_value(self.delta, self.error, self.freedom)


def shift(old: Sequence[Estimate], new: Estimate) -> Shift:
    """The new run's value less the mean of the old ones'. old: one run, or several of the same kind."""
    mean = math.fsum(one.value for one in old) / len(old)
    if len(old) == 1:
        return _of_two(old[0], new)
    spread = float(np.var([one.value for one in old], ddof=1))
    # Runs can't lie closer together than their own rounds say, but by chance; a short new run has an error of its own.
    own = [one.error**2 for one in old if one.error is not None]
    variance = max(spread, math.fsum(own) / len(own) if own else 0.0)
    latest = max(variance, (new.error or 0.0) ** 2)
    return Shift(new.value - mean, math.sqrt(variance / len(old) + latest), len(old) - 1)


def _of_two(old: Estimate, new: Estimate) -> Shift:
    delta = new.value - old.value
    if old.error is None or new.error is None:
        return Shift(delta, None, 1)
    variances = (old.error**2, new.error**2)
    total = sum(variances)
    if not total:
        return Shift(delta, 0.0, old.freedom + new.freedom)
    shares = [(one / total) ** 2 / run.freedom for one, run in zip(variances, (old, new), strict=True)]
    return Shift(delta, math.sqrt(total), 1 / sum(shares))
