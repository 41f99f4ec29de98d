"""One policy's complete samples, arranged for percentiles and for resampling by round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.downsampling import left_out
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.bootstrap import BootstrapDraws, draws
from loadgen.measure.stats.policy_totals import PolicyTotals, policy_totals
from loadgen.measure.stats.quantiles import RoundQuantiles, by_round
from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_S

_MAX_UNITS = 200
"""Rounds up to which each is drawn by itself: an interval of thousands is no better, and takes hours."""


@dataclass(frozen=True, slots=True)
class PolicySamples:
    """The complete samples of one policy, or of one cell of a sweep."""

    name: str
    valid: Samples
    """The complete samples themselves."""
    latency_ns: NDArray[np.int64]
    """Their latencies (ns), in the same order."""
    by_round: RoundQuantiles
    """The latencies, round by round."""
    requests: NDArray[np.float64]
    """Completed requests of each round."""
    answered: NDArray[np.float64]
    """What throughput counts, of each round.

    In a closed loop these are the requests. In an open loop they are the responses that came within the window, because
    arrivals that wait may be answered in a later one.
    """
    seconds: NDArray[np.float64]
    """Length of each round's window (s); 0 for a round without one, as an interrupted run can have."""
    left_out: int = 0
    """Complete samples that thinning has taken out of `valid`; `requests` counts them."""
    totals: PolicyTotals | None = None
    """Figures of all complete requests, where samples were left out and these are known."""

    @property
    def rounds(self) -> NDArray[np.int64]:
        """The round of each complete sample."""
        return self.valid.columns["round"].astype(np.int64)


def policy_samples(samples: Samples, policy: int, indices: NDArray[np.int64], rounds: int) -> PolicySamples:
    """Arrange the samples of one policy. policy: its index. indices: those of its samples."""
    name = samples.policies[policy]
    valid = samples.of(indices[samples.columns["error"][indices] == ABSENT])
    latency = valid.latency_ns()
    round_of = valid.columns["round"].astype(np.int64)
    requests = np.bincount(round_of, minlength=rounds).astype(np.float64)
    blocks = [block for block in samples.blocks if block["policy"] == name]
    for block in blocks:
        requests[block["round"]] += left_out([block])
    answered, seconds = requests.copy(), np.zeros(rounds)
    for block in blocks:
        seconds[block["round"]] += block["window_ns"] / NS_PER_S
        if "due" in block and "answered" in block:
            answered[block["round"]] = block["answered"]
    ordered = by_round(latency, round_of, rounds)
    totals = policy_totals(blocks, samples.histograms, rounds)
    return PolicySamples(name, valid, latency, ordered, requests, answered, seconds, left_out(blocks), totals)


def round_draws(active: NDArray[np.bool_], seed: int) -> tuple[BootstrapDraws, NDArray[np.float64]]:
    """Draws of the rounds that `active` marks, and their weights over all rounds (draws × rounds).

    Of more than 200 rounds, batches of rounds that followed each other are drawn as one.
    """
    rounds = int(active.sum())
    units = min(rounds, _MAX_UNITS)
    chosen = draws(units, seed)
    weights = np.zeros((len(chosen.weights), len(active)))
    weights[:, active] = chosen.weights if units == rounds else chosen.weights[:, np.arange(rounds) * units // rounds]
    return chosen, weights


def quantiles(values: NDArray[Any], *shares: float) -> list[int]:
    """Nearest-rank quantiles of unsorted values; faster than sorting if few are wanted."""
    ranks = [max(0, int(np.ceil(share * len(values))) - 1) for share in shares]
    parted = np.partition(values, ranks)
    return [int(parted[rank]) for rank in ranks]


def quantile(ordered: NDArray[Any], share: float) -> int:
    """The nearest-rank quantile of sorted values, always one of them."""
    return int(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)])
