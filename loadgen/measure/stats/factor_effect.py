"""Whether a factor, such as the place in a round, shifts values beyond what policy and round do. Knows no time.

The model is additive: value = policy + round + level of the factor + error. The F test compares it with the model
without the factor (R. A. Fisher; H. Scheffé, The Analysis of Variance, 1959, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.stats.distributions import f_sf

_MIN_FREEDOM = 3
_ROUNDING = 1e-12
"""Up to this share of all variation is what floating point leaves of none."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """What the levels of a factor do."""

    levels: dict[int, float]
    """Each level's shift, about a mean of 0, in the values' unit."""
    p_value: float
    """The probability of shifts as large as these, were there none and the errors independent and normal."""

    @property
    def highest(self) -> int:
        """The level with the highest shift."""
        return max(self.levels, key=self.levels.__getitem__)

    @property
    def lowest(self) -> int:
        """The level with the lowest shift."""
        return min(self.levels, key=self.levels.__getitem__)

    @property
    def spread(self) -> float:
        """The highest shift less the lowest one."""
        return self.levels[self.highest] - self.levels[self.lowest]


def factor_effect(
    values: NDArray[np.float64], policies: Numbers, rounds: Numbers, levels: Numbers
) -> FactorEffect | None:
    """Of each value its policy, its round and its level of the factor.

    None where the factor can't be told from the rest, or fewer than three degrees of freedom are left for the error.
    """
    if not len(values):
        return None
    centre = _Centring(rounds)
    y = centre.column(values)
    known = np.unique(levels)
    without = centre.columns(policies)
    both = np.hstack([without, centre.columns(levels)])
    error, rank, fitted = _fit(both, y)
    error_without, rank_without, _ = _fit(without, y)
    freedom, added = len(y) - centre.groups - rank, rank - rank_without
    if added < len(known) - 1 or added < 1 or freedom < _MIN_FREEDOM:
        return None
    shifts = fitted[without.shape[1] :]
    found = {int(level): float(shift) for level, shift in zip(known, shifts - shifts.mean(), strict=True)}
    explained, noise = max(0.0, error_without - error), _ROUNDING * float(y @ y)
    if error <= noise:
        return FactorEffect(found, 1.0 if explained <= noise else 0.0)
    return FactorEffect(found, f_sf(explained / added / (error / freedom), added, freedom))


class _Centring:
    """Takes the mean of each round off, which leaves the same as a term of its own for each round."""

    def __init__(self, rounds: Numbers) -> None:
        _, self._of = np.unique(rounds, return_inverse=True)
        self._sizes = np.bincount(self._of)
        self.groups = len(self._sizes)

    def column(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = values - (np.bincount(self._of, values) / self._sizes)[self._of]
        return found

    def columns(self, levels: Numbers) -> NDArray[np.float64]:
        """One column a level, 1 where a value has it."""
        return np.column_stack([self.column((levels == level).astype(np.float64)) for level in np.unique(levels)])


def _fit(columns: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, int, NDArray[np.float64]]:
    """By least squares: what is left of the variation, the rank, and the coefficients."""
    fitted, _, rank, _ = np.linalg.lstsq(columns, y, rcond=1e-9)
    left = y - columns @ fitted
    return float(left @ left), int(rank), fitted
