"""Durations counted in bins: exact to 0.4 %, small whatever their number, and the sum of two is one. Reads no file.

The bins are those of HdrHistogram (G. Tene): each power of two is cut into 256 equal parts.
"""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

_BINS_PER_OCTAVE = 256
_MAX_BIN = 65 * _BINS_PER_OCTAVE  # an integer of 64 bits has no higher one


class EncodedHistogram(TypedDict):
    """A histogram in a message."""

    count: int
    """Durations counted."""
    sum_ns: int
    """Their sum (ns)."""
    max_ns: int
    """The longest (ns)."""
    bins: list[int]
    """Numbers of the bins that are not empty."""
    counts: list[int]
    """Durations in each of them."""


class Histogram:
    """Counts of durations (ns, integers of at least 0) with their exact sum and maximum."""

    def __init__(self) -> None:
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0
        self._counts: dict[int, int] = {}

    def add(self, durations_ns: NDArray[Any]) -> Histogram:
        """Count these as well."""
        if len(durations_ns):
            bins = _bins(durations_ns)
            lowest = int(np.min(bins))
            counts = np.bincount(bins - lowest)  # there are so few bins that it is much faster than sorting
            found = np.flatnonzero(counts)
            self._merge((found + lowest).tolist(), counts[found].tolist())
            self.count += len(durations_ns)
            self.sum_ns += int(durations_ns.sum(dtype=np.int64))
            self.max_ns = max(self.max_ns, int(durations_ns.max()))
        return self

    def merge(self, encoded: EncodedHistogram) -> None:
        """Add another one's counts, as `encode` gave them."""
        self._merge(encoded["bins"], encoded["counts"])
        self.count += encoded["count"]
        self.sum_ns += encoded["sum_ns"]
        self.max_ns = max(self.max_ns, encoded["max_ns"])

    def encode(self) -> EncodedHistogram:
        """As integers, for a message."""
        return {
            "count": self.count,
            "sum_ns": self.sum_ns,
            "max_ns": self.max_ns,
            "bins": list(self._counts),
            "counts": list(self._counts.values()),
        }

    @property
    def mean_ns(self) -> float | None:
        """The exact mean; None where nothing was counted."""
        return self.sum_ns / self.count if self.count else None

    def quantile_ns(self, share: float) -> int | None:
        """The nearest-rank quantile (ns) as the middle of its bin; None where nothing was counted."""
        if not self.count:
            return None
        bins = np.array(sorted(self._counts), np.int64)
        reached = np.cumsum([self._counts[number] for number in bins.tolist()])
        found = int(bins[np.searchsorted(reached, max(1, int(np.ceil(share * self.count))))])
        return min(round(_middle_ns(found)), self.max_ns)

    def _merge(self, bins: list[int], counts: list[int]) -> None:
        own = self._counts
        for number, count in zip(bins, counts, strict=True):
            own[number] = own.get(number, 0) + count


def check_histogram(encoded: EncodedHistogram) -> None:
    """Raise ValueError where an encoded histogram does not add up."""
    bins, counts = encoded["bins"], encoded["counts"]
    if len(bins) != len(counts) or len(set(bins)) != len(bins) or sum(counts) != encoded["count"]:
        raise ValueError("a histogram does not add up")
    if min(counts, default=1) < 1 or min(encoded["sum_ns"], encoded["max_ns"]) < 0:
        raise ValueError("a histogram counts below 0")
    if bins and not -1 <= min(bins) <= max(bins) < _MAX_BIN:
        raise ValueError("a histogram has an unknown bin")


def _bins(durations_ns: NDArray[Any]) -> NDArray[np.int64]:
    mantissa, exponent = np.frexp(durations_ns.astype(np.float64))
    numbers = exponent.astype(np.int64) * _BINS_PER_OCTAVE + ((mantissa - 0.5) * 2 * _BINS_PER_OCTAVE).astype(np.int64)
    # Zero has neither: it gets a bin of its own, below all others.
    return np.where(durations_ns > 0, numbers, -1)


def _middle_ns(number: int) -> float:
    if number < 0:
        return 0.0
    exponent, step = divmod(number, _BINS_PER_OCTAVE)
    return float(np.ldexp(0.5 + (step + 0.5) / (2 * _BINS_PER_OCTAVE), exponent))
