"""Whether values that were measured one after the other rise or fall. Knows no policy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.stats.distributions import student_t_two_sided

_MIN_VALUES = 5
_ROUNDING = 1e-12
"""Up to this share of all variation is what floating point leaves of none."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through values."""

    change: float
    """What it gains from the first value to the last, in the values' unit."""
    p_value: float
    """The probability of a slope as steep as this, were the values independent, normal and without a trend."""


def trend(times: NDArray[np.float64], values: NDArray[np.float64]) -> Trend | None:
    """The line through `values` by least squares, with the t test of its slope; None of fewer than five values.

    times: when each was measured, rising.
    """
    if len(values) < _MIN_VALUES:
        return None
    x, y = times - times.mean(), values - values.mean()
    variation = float(x @ x)
    slope = float(x @ y) / variation
    left = float(np.sum((y - slope * x) ** 2))
    explained = slope * slope * variation
    freedom = len(values) - 2
    if left <= _ROUNDING * (left + explained):
        p_value = 1.0 if explained == 0 else 0.0
    else:
        p_value = student_t_two_sided(math.sqrt(explained * freedom / left), freedom)
    return Trend(slope * float(times[-1] - times[0]), p_value)
