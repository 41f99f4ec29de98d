"""Latencies counted in bins for a histogram: the same bins in every run, so that two can be laid over each other.

Knows no chart. The exact percentiles are in quantiles.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.model.policy_summary import LatencyBin

_BINS_PER_DECADE = 20


def latency_bins(latency_ns: NDArray[Any]) -> list[LatencyBin]:
    """The bins from the lowest to the highest that is not empty. Each is 12 % wider than the one before it.

    latency_ns: integers; one of 0 counts as 1 ns.
    """
    if not len(latency_ns):
        return []
    numbers = np.floor(np.log10(np.maximum(latency_ns, 1)) * _BINS_PER_DECADE).astype(np.int64)
    lowest = int(numbers.min())
    return [
        {"low": _edge(lowest + offset), "high": _edge(lowest + offset + 1), "count": count}
        for offset, count in enumerate(np.bincount(numbers - lowest).tolist())
    ]


def _edge(number: int) -> int:
    return round(10 ** (number / _BINS_PER_DECADE))
