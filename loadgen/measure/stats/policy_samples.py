"""One policy's complete samples, arranged by round for statistics of all rounds and of all but some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import LATENCY
from loadgen.measure.data.downsampling import left_out
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.policy_totals import PolicyTotals, policy_totals
from loadgen.measure.stats.quantiles import PooledQuantiles, RoundQuantiles, by_round
from loadgen.model.records import ABSENT, HANDSHAKE
from loadgen.model.units import NS_PER_S


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
    latency_sums_ns: NDArray[np.float64]
    """Their sum in each round (ns); where `totals` are known, that of all complete requests."""
    handshake_sums_ns: NDArray[np.float64]
    """The sum of their handshakes in each round (ns)."""
    latency_counts: NDArray[np.float64]
    """How many latencies each of these sums has."""
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

    def means_ns(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean latency (ns) if each round counts as often as a row of `weights` says; NaN where none is left."""
        return _quotients(weights @ self.latency_sums_ns, weights @ self.latency_counts)

    def rates_rps(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Throughput (requests per second), in the same way."""
        return _quotients(weights @ self.answered, weights @ self.seconds)

    def handshake_mean_ns(self, number: int) -> int | None:
        """Mean handshake per request of a round (ns), 0 on a reused connection; None where nothing was answered."""
        requests = self.latency_counts[number]
        return round(float(self.handshake_sums_ns[number] / requests)) if requests else None

    def quantiles_ns(self, rounds: Jackknife) -> PooledQuantiles:
        """Quantiles of the latency (ns): of all requests, if only a share of the samples is there and more is known."""
        totals, active = self.totals, rounds.active()
        if totals is None:
            return self.by_round.over(rounds)
        return self.by_round.over(rounds, lambda share: totals.quantiles_ns(LATENCY, [share], active)[0])


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
    totals = policy_totals(blocks, samples.histograms, rounds)
    if totals is None:
        sums = np.bincount(round_of, weights=latency, minlength=rounds)
        counts = np.bincount(round_of, minlength=rounds).astype(np.float64)
        handshakes = np.bincount(round_of, weights=valid.sum_ns(*HANDSHAKE), minlength=rounds)
    else:
        sums, counts = totals.sums_ns[LATENCY], totals.requests
        handshakes = np.sum([totals.sums_ns[phase.value] for phase in HANDSHAKE], axis=0)
    return PolicySamples(
        name=name,
        valid=valid,
        latency_ns=latency,
        by_round=by_round(latency, round_of, rounds),
        latency_sums_ns=sums,
        handshake_sums_ns=handshakes,
        latency_counts=counts,
        requests=requests,
        answered=answered,
        seconds=seconds,
        left_out=left_out(blocks),
        totals=totals,
    )


def quantiles(values: NDArray[Any], *shares: float) -> list[int]:
    """Nearest-rank quantiles of unsorted values; faster than sorting if few are wanted."""
    ranks = [max(0, int(np.ceil(share * len(values))) - 1) for share in shares]
    parted = np.partition(values, ranks)
    return [int(parted[rank]) for rank in ranks]


def quantile(ordered: NDArray[Any], share: float) -> int:
    """The nearest-rank quantile of sorted values, always one of them."""
    return int(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)])


def _quotients(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.full(len(sums), np.nan)
    np.divide(sums, counts, out=found, where=counts > 0)
    return found
