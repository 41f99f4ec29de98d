"""Durations by round: quantiles of any weighted mixture of rounds, to far below the spread between rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 1024


@dataclass(frozen=True, slots=True)
class Rounds:
    """The values of each round, sorted."""

    ordered: tuple[NDArray[Any], ...]

    def quantiles(self, weights: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles of mixtures in which each round's values count as often as the round's weight says.

        weights: mixtures × rounds. shares: in 0..1. Returns mixtures × shares, in the values' unit; NaN where a mixture
        is empty. A mixture's quantile lies between the least and the greatest of its rounds' own, so only that span is
        looked at, in 1,024 steps.
        """
        sizes = np.array([len(values) for values in self.ordered], np.float64)
        totals = weights @ sizes
        result = np.full((len(weights), len(shares)), np.nan)
        filled = [values for values in self.ordered if len(values)]
        if not filled:
            return result
        for column, share in enumerate(shares):
            own = [values[max(0, int(np.ceil(share * len(values))) - 1)] for values in filled]
            edges = np.unique(np.linspace(float(min(own)), float(max(own)), _STEPS + 1))
            below = np.array([np.searchsorted(values, edges, side="right") for values in self.ordered])
            # The slack is for sums that are whole numbers but for rounding.
            reached = weights @ below >= (share * totals)[:, None] * (1 - 1e-12)
            result[:, column] = np.where(totals > 0, edges[reached.argmax(axis=1)], np.nan)
        return result


def by_round(values: NDArray[Any], round_of: NDArray[Any], rounds: int) -> Rounds:
    """Sort `values` into `rounds` rounds, as `round_of` numbers them."""
    return Rounds(tuple(np.sort(values[round_of == number]) for number in range(rounds)))
