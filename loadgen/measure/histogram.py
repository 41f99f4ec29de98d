"""Log-linear histograms of durations: mergeable, 0.1 % wide bins, quantiles of weighted sums of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A bin is one of 1,024 equal parts of an octave: the top bits of the value's own floating-point form.
_PARTS_BITS = 10
_SHIFT = 52 - _PARTS_BITS


@dataclass(frozen=True, slots=True)
class Histograms:
    """Several histograms over the same bins. edges_ns: bins + 1 values. counts: histograms × bins."""

    edges_ns: NDArray[np.float64]
    counts: NDArray[np.float64]

    def quantiles(self, weights: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles (ns) of weighted sums of the histograms.

        weights: sums × histograms. shares: in 0..1. Returns sums × shares; NaN where a sum is empty.
        """
        result = np.empty((len(weights), len(shares)))
        lower, width = self.edges_ns[:-1], np.diff(self.edges_ns)
        for index, row in enumerate(weights):
            cumulated = np.cumsum(row @ self.counts)
            total = cumulated[-1] if len(cumulated) else 0
            if not total:
                result[index] = np.nan
                continue
            wanted = shares * total
            bins = np.minimum(np.searchsorted(cumulated, wanted), len(cumulated) - 1)
            before = np.where(bins > 0, cumulated[bins - 1], 0)
            inside = (wanted - before) / np.maximum(cumulated[bins] - before, 1)
            result[index] = lower[bins] + np.clip(inside, 0, 1) * width[bins]
        return result


def histograms(values_ns: NDArray[Any], group: NDArray[Any], groups: int) -> Histograms:
    """Histograms of the positive integers `values_ns`, one for each of `groups` groups that `group` numbers."""
    if not len(values_ns):
        return Histograms(np.array([1.0, 2.0]), np.zeros((groups, 1)))
    bins = np.maximum(values_ns, 1).astype(np.float64).view(np.int64) >> _SHIFT
    first = int(bins.min())
    width = int(bins.max()) - first + 1
    counts = np.bincount(group * width + (bins - first), minlength=groups * width).reshape(groups, width)
    used = np.flatnonzero(counts.any(axis=0))
    # Empty bins are left out; a used bin keeps its own lower edge and the next one begins after it.
    lower = ((used + first) << _SHIFT).view(np.float64)
    upper = ((used + first + 1) << _SHIFT).view(np.float64)
    return Histograms(_joined(lower, upper), _spread(counts[:, used], lower, upper))


def _joined(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.unique(np.concatenate([lower, upper]))


def _spread(counts: NDArray[Any], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts for the bins between all edges: the gaps between used bins are bins of count 0."""
    edges = _joined(lower, upper)
    result = np.zeros((len(counts), len(edges) - 1))
    result[:, np.searchsorted(edges, lower)] = counts
    return result
