"""How far measured values are from a distribution that they should have. Knows no test and no probability of one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def distance(values: Floats, cdf: Callable[[Floats], Floats], tolerance: float = 0.0) -> float:
    """The Kolmogorov-Smirnov distance: the share of values that lie on the wrong side of some point.

    tolerance: each value may be off by so much. The distance is then never larger than without, so a test of it alarms
    no more often than one of the plain distance.
    """
    ordered = np.sort(values)
    size = len(ordered)
    above = np.arange(1, size + 1) / size - cdf(ordered + tolerance)
    below = cdf(ordered - tolerance) - np.arange(size) / size
    return max(0.0, float(np.max(above)), float(np.max(below)))


def uniform(length: float) -> Callable[[Floats], Floats]:
    """The distribution of values that lie anywhere from 0 to `length`."""
    return lambda values: np.clip(values / length, 0, 1)


def exponential(mean: float) -> Callable[[Floats], Floats]:
    """The distribution of the distances between the events of a Poisson process."""
    return lambda values: -np.expm1(-np.maximum(values, 0) / mean)
