"""Figures of all complete requests of a policy where only a share of its samples is there: sums, maxima, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import LATENCY, SERIES, BlockHistograms
from loadgen.measure.data.downsampling import add_up, left_out
from loadgen.measure.data.row_assignment import Integers
from loadgen.model.block_facts import BlockFacts

AllRounds = slice(None)
Rounds = NDArray[np.bool_] | slice
"""Which rounds count."""


@dataclass(frozen=True, slots=True)
class PolicyTotals:
    """Means and maxima are exact, quantiles to 0.8 %. Series are `latency` and the phases."""

    requests: NDArray[np.float64]
    """Complete requests of each round."""
    sums_ns: dict[str, NDArray[np.float64]]
    """The sum of each series in each round (ns)."""
    max_ns: dict[str, int]
    """The longest of each series (ns)."""
    histograms: dict[str, BlockHistograms]
    """Of each series."""
    round_of: NDArray[np.int64]
    """The round of each block, by its index; -1 for blocks of other policies."""
    latency_of: dict[int, BlockHistograms]
    """The latencies of each block, by its index."""

    def mean_ns(self, series: str, rounds: Rounds = AllRounds) -> float:
        """The mean per request (ns); one in which a phase did not happen counts as 0."""
        return float(self.sums_ns[series][rounds].sum() / self.requests[rounds].sum())

    def count(self, series: str) -> int:
        """In how many requests the phase happened."""
        return int(self.histograms[series].columns["count"].sum(dtype=np.int64))

    def quantiles_ns(self, series: str, shares: Sequence[float], rounds: Rounds = AllRounds) -> list[int]:
        """Nearest-rank quantiles (ns) of the requests in which it happened."""
        found = self.histograms[series]
        if not isinstance(rounds, slice):
            found = found.chosen(rounds[self.round_of[found.columns["block"]]])
        return found.quantiles_ns(shares, self.max_ns[series])

    def latency_p50_ns(self, rounds: Rounds = AllRounds) -> int:
        """The median latency (ns)."""
        return self.quantiles_ns(LATENCY, [0.5], rounds)[0]


def policy_totals(blocks: Sequence[BlockFacts], histograms: BlockHistograms, rounds: int) -> PolicyTotals | None:
    """The totals of a policy's blocks; None where all its samples are there, or nothing is known of the others."""
    counted = [block["counted"] for block in blocks if "counted" in block]
    if not left_out(blocks) or not all("sums_ns" in one for one in counted):
        return None
    rounds_of = np.array([block["round"] for block in blocks], np.int64)
    requests = np.bincount(rounds_of, [one["requests"] for one in counted], rounds)
    sums = {name: np.bincount(rounds_of, [one["sums_ns"][name] for one in counted], rounds) for name in SERIES}
    indices: Integers = np.array([block["index"] for block in blocks], np.int64)
    round_of = np.full(int(indices.max()) + 1, -1, np.int64)
    round_of[indices] = rounds_of
    own = histograms.of_blocks(indices)
    series = {name: own.of_series(name) for name in SERIES}
    return PolicyTotals(requests, sums, add_up(counted)["max_ns"], series, round_of, series[LATENCY].by_block())
