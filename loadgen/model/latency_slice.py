"""The type of latencies by time in `summary.json`: what a part of a run is read from. Computes nothing."""

from __future__ import annotations

from typing import TypedDict

BINS_PER_DECADE = 40
"""A bin's bounds differ by 6 %."""
MAX_SLICES = 400
"""Of all policies together: a long run has slices of several blocks."""


class LatencySlice(TypedDict):
    """Latencies of one policy's complete requests in one block, or in blocks of successive rounds, counted in bins."""

    policy: str
    """The policy."""
    first_block: int
    """Index of the first of its blocks in it."""
    last_block: int
    """Index of the last; those between that are of other policies are not in it."""
    first_bin: int
    """Number of the first bin; bin k holds latencies from 10^(k/40) ns to 10^((k+1)/40) ns."""
    counts: list[int]
    """Requests in this bin and in each one behind it."""
