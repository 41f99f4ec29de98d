"""Latencies by time: counts of each block's latencies, so that percentiles of any part of a run can be read from them.

Percentiles of a whole run are exact (quantiles.py); those that are read from these are right within 6 %. Reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import BlockHistograms, bounds_ns
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.block_facts import BlockFacts
from loadgen.model.latency_slice import BINS_PER_DECADE, MAX_SLICES, LatencySlice

Bins = NDArray[np.int64]
"""Requests by the number of their bin; latencies below 1 ns are in bin 0."""


def latency_slices(blocks: Sequence[BlockFacts], measured: Mapping[str, PolicySamples]) -> list[LatencySlice]:
    """Slices in the order in which they begin; one without a complete request is left out."""
    rounds_in_slice = -(-len(blocks) // MAX_SLICES)
    of_slice: dict[tuple[int, str], list[BlockFacts]] = {}
    for block in blocks:
        of_slice.setdefault((block["round"] // rounds_in_slice, block["policy"]), []).append(block)
    found = [_slice(policy, part, measured[policy]) for (_, policy), part in of_slice.items()]
    return [one for one in found if one is not None]


def _slice(policy: str, blocks: Sequence[BlockFacts], measured: PolicySamples) -> LatencySlice | None:
    parts = [_counts(block, measured) for block in blocks]
    counts = np.zeros(max(map(len, parts)), np.int64)
    for part in parts:
        counts[: len(part)] += part
    used = np.flatnonzero(counts)
    if not len(used):
        return None
    return {
        "policy": policy,
        "first_block": blocks[0]["index"],
        "last_block": blocks[-1]["index"],
        "first_bin": int(used[0]),
        "counts": counts[used[0] : used[-1] + 1].tolist(),
    }


def _counts(block: BlockFacts, measured: PolicySamples) -> Bins:
    """Of one block: of all of its requests where they were counted, else of the samples that are there."""
    if measured.totals is not None and block["index"] in measured.totals.latency_of:
        return _rebinned(measured.totals.latency_of[block["index"]])
    return np.bincount(_numbers(measured.by_round.ordered[block["round"]].astype(np.float64)))


def _rebinned(histograms: BlockHistograms) -> Bins:
    """Finer bins, each by its middle."""
    middles = np.array([sum(bounds_ns(number)) / 2 for number in histograms.columns["bin"].tolist()])
    return np.bincount(_numbers(middles), weights=histograms.columns["count"]).astype(np.int64)


def _numbers(latency_ns: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(np.log10(np.maximum(latency_ns, 1)) * BINS_PER_DECADE).astype(np.int64)
