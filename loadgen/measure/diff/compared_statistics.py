"""The statistics that a diff is about, one row each: how a value follows from rounds, and on which scale it varies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loadgen.measure.diff.measured_run import Floats, PolicyRounds
from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.sequential import jackknife
from loadgen.measure.stats.unpaired import Estimate
from loadgen.model.records import Phase

StatisticOf = Callable[[PolicyRounds, Jackknife], Floats]


@dataclass(frozen=True, slots=True)
class ComparedStatistic:
    """One of them."""

    values: StatisticOf
    """Of all rounds first, then without each group of them."""
    varies_by_factors: bool
    """It is positive, and its test and the interval of its ratio are those of its logarithm."""
    is_whole: bool = False
    """Its unit is ns, in whole numbers."""

    @property
    def is_of_time(self) -> bool:
        """A slower machine changes it."""
        return self.varies_by_factors or self.is_whole

    def estimates(self, policy: PolicyRounds, stops_early: bool) -> Estimates:
        """Of one policy in one run. stops_early: precision decided how many rounds there are.

        Rounds count in which the policy was measured at all, whether it was answered or not.
        """
        rounds = jackknife((policy.measured.requests > 0) | (policy.failed > 0), stops_early)
        return Estimates.of(self.values(policy, rounds), rounds)


@dataclass(frozen=True, slots=True)
class Estimates:
    """A statistic of one run, by itself and as its logarithm."""

    plain: Estimate
    logarithm: Estimate | None
    """None where the value is 0."""

    @classmethod
    def of(cls, found: Floats, rounds: Jackknife) -> Estimates:
        """found: of all rounds, then without each group of them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.log(found)
        return cls(Estimate.of(found, rounds), Estimate.of(logarithms, rounds) if found[0] > 0 else None)


def mean_ratio_estimates(baseline: PolicyRounds, candidate: PolicyRounds, stops_early: bool) -> Estimates | None:
    """The ratio of mean latencies within a run, of rounds in which both were answered; None where there is none."""
    both = (baseline.measured.requests > 0) & (candidate.measured.requests > 0)
    if not both.any():
        return None
    rounds = jackknife(both, stops_early)
    weights = rounds.weights()
    return Estimates.of(candidate.measured.means_ns(weights) / baseline.measured.means_ns(weights), rounds)


def _percentile(share: float) -> StatisticOf:
    return lambda policy, rounds: policy.measured.quantiles_ns(rounds).left_out(share)


def _phase(name: str) -> StatisticOf:
    return lambda policy, rounds: _share(rounds, policy.phase_sums_ns[name], policy.measured.latency_counts)


def _share(rounds: Jackknife, part: Floats, whole: Floats) -> Floats:
    """part / whole, with rounds left out; not a number where nothing is left."""
    weights = rounds.weights()
    parts, wholes = weights @ part, weights @ whole
    found = np.full(len(parts), np.nan)
    np.divide(parts, wholes, out=found, where=wholes > 0)
    return found


def _errors(policy: PolicyRounds, rounds: Jackknife) -> Floats:
    return _share(rounds, policy.failed, policy.failed + policy.measured.requests)


LATENCY: dict[str, ComparedStatistic] = {
    "mean": ComparedStatistic(lambda policy, rounds: policy.measured.means_ns(rounds.weights()), True, True),
    "p50": ComparedStatistic(_percentile(0.5), True, True),
    "p99": ComparedStatistic(_percentile(0.99), True, True),
}
SHARES: dict[str, ComparedStatistic] = {
    "throughput_rps": ComparedStatistic(lambda policy, rounds: policy.measured.rates_rps(rounds.weights()), True),
    "reuse_ratio": ComparedStatistic(
        lambda policy, rounds: _share(rounds, policy.reused, policy.measured.requests), False
    ),
    "error_ratio": ComparedStatistic(_errors, False),
}
PHASES: dict[str, ComparedStatistic] = {
    phase.value: ComparedStatistic(_phase(phase.value), False, True) for phase in Phase
}


def happened(phase: str, policies: Sequence[PolicyRounds]) -> bool:
    """The phase took time in one of these runs."""
    return any(policy.phase_sums_ns[phase].any() for policy in policies)
