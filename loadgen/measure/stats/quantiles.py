"""Durations by round: quantiles of any weighted mixture of rounds, to far below the spread between rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VALUES = 2048


@dataclass(frozen=True, slots=True)
class RoundQuantiles:
    """The values of each round, sorted."""

    ordered: tuple[NDArray[Any], ...]

    def quantiles(self, weights: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles of mixtures in which each round's values count as often as the round's weight says.

        weights: mixtures × rounds. shares: in 0..1. Returns mixtures × shares, in the values' unit; NaN where a mixture
        is empty. A mixture's quantile lies between the lowest and the highest of its rounds' own, so only that span is
        searched, at about 2,048 of the values measured in it.
        """
        rounds, weights = _drawn_alike(self.ordered, weights)
        sizes = np.array([len(values) for values in rounds], np.float64)
        totals = weights @ sizes
        result = np.full((len(weights), len(shares)), np.nan)
        filled = [values for values, drawn in zip(rounds, weights.any(axis=0), strict=True) if drawn and len(values)]
        if not filled:
            return result
        for column, share in enumerate(shares):
            own = [values[max(0, int(np.ceil(share * len(values))) - 1)] for values in filled]
            edges = _values_between(filled, min(own), max(own)).astype(np.float64)
            below = np.array([np.searchsorted(values, edges, side="right") for values in rounds])
            # The slack allows for rounding in sums that should be whole numbers.
            reached = _first_reaching(weights, below, share * totals * (1 - 1e-12))
            result[:, column] = np.where(totals > 0, edges[reached], np.nan)
        return result


def _drawn_alike(
    rounds: tuple[NDArray[Any], ...], weights: NDArray[np.float64]
) -> tuple[tuple[NDArray[Any], ...], NDArray[np.float64]]:
    """The same mixtures with rounds that follow each other as one, if each mixture gives them the same weight."""
    drawn = np.flatnonzero(weights.any(axis=0))
    columns = weights[:, drawn]
    differs = (columns[:, 1:] != columns[:, :-1]).any(axis=0)
    if len(weights) < 2 or differs.all():
        return rounds, weights
    first = np.flatnonzero(np.append(True, differs))
    units = np.split(drawn, first[1:])
    return tuple(np.sort(np.concatenate([rounds[number] for number in unit])) for unit in units), columns[:, first]


def _first_reaching(weights: NDArray[np.float64], below: NDArray[Any], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each mixture the first column of `below` (rounds × edges, rising) whose weighted sum is what is wanted.

    By bisection, for all mixtures at once: thousands of mixtures of thousands of edges make too large a product.
    """
    low = np.zeros(len(weights), np.intp)
    high = np.full(len(weights), below.shape[1] - 1, np.intp)
    while (low < high).any():
        middle = (low + high) // 2
        enough = np.einsum("mr,rm->m", weights, below[:, middle]) >= wanted
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return high


def _values_between(rounds: list[NDArray[Any]], low: Any, high: Any) -> NDArray[Any]:
    """Values measured from `low` to `high`, both included, evenly by rank from each round."""
    max_values = max(16, _VALUES // len(rounds))
    found = [np.array([low, high])]
    for values in rounds:
        first, last = np.searchsorted(values, low, side="left"), np.searchsorted(values, high, side="right")
        found.append(values[first : last : max(1, (last - first) // max_values)])
    return np.unique(np.concatenate(found))


def by_round(values: NDArray[Any], round_of: NDArray[Any], rounds: int) -> RoundQuantiles:
    """Sort `values` into `rounds` rounds, as `round_of` numbers them."""
    order = np.argsort(round_of, kind="stable")
    parts = np.split(values[order], np.searchsorted(round_of[order], np.arange(1, rounds)))
    return RoundQuantiles(tuple(np.sort(part) for part in parts))
