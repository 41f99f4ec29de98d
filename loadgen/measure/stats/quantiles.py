"""Durations by round: exact quantiles of all rounds, and of all but some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RoundQuantiles:
    """The values of each round, sorted."""

    ordered: tuple[NDArray[Any], ...]

    def left_out(self, groups: Sequence[NDArray[np.intp]], shares: Sequence[float]) -> NDArray[np.float64]:
        """Nearest-rank quantiles of the rounds in `groups`: in the first row of all, then without one group each.

        shares: in 0..1. Returns (1 + groups) × shares, in the values' unit; NaN where no value is left.
        """
        parts = [self._values(group) for group in groups]
        pooled = np.sort(np.concatenate(parts)).astype(np.int64)
        without = [pooled[:0], *parts]
        sizes = np.array([len(pooled) - len(part) for part in without])
        ranks = np.maximum(1, np.ceil(np.outer(sizes, shares) * (1 - 1e-12)).astype(np.int64))
        found = np.full(ranks.shape, np.nan)
        filled = np.flatnonzero(sizes > 0)
        if len(filled):
            found[filled] = _of_rank(pooled, [without[row] for row in filled], ranks[filled])
        return found

    def _values(self, group: NDArray[np.intp]) -> NDArray[Any]:
        """The sorted values of these rounds."""
        if len(group) == 1:
            return self.ordered[int(group[0])]
        values = [self.ordered[number] for number in group.tolist()]
        return np.sort(np.concatenate([np.empty(0, np.int64), *values]))


def _of_rank(pooled: NDArray[np.int64], without: list[NDArray[Any]], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the values of these ranks (from 1) among the pooled ones, one part of which is left out.

    By bisection between the value that has the rank among all, and the one that has it if all that is left out lies
    below.
    """
    sizes = np.array([len(part) for part in without])[:, None]
    low, high = pooled[ranks - 1], pooled[np.minimum(ranks + sizes, len(pooled)) - 1]
    while (low < high).any():
        middle = low + (high - low) // 2
        taken = [np.searchsorted(part, row, side="right") for part, row in zip(without, middle, strict=True)]
        enough = np.searchsorted(pooled, middle, side="right") - np.stack(taken) >= ranks
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return low


def by_round(values: NDArray[Any], round_of: NDArray[Any], rounds: int) -> RoundQuantiles:
    """Sort `values` into `rounds` rounds, as `round_of` numbers them."""
    order = np.argsort(round_of, kind="stable")
    parts = np.split(values[order], np.searchsorted(round_of[order], np.arange(1, rounds)))
    return RoundQuantiles(tuple(np.sort(part) for part in parts))
