"""Runs that end as soon as the headline ratio is precise: whether their intervals hold the truth, and their length."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from loadgen.measure.stats.precision import RoundSums, half_width
from loadgen.measure.stats.sequential import jackknife
from tests.coverage.experiment import run
from tests.coverage.machines import Floats, Requests, simulate
from tests.coverage.scenarios import Scenario
from tests.coverage.tally import Tally
from tests.coverage.truth import truth

LEAST = 0.93
FIRST_LOOK = 5
_AT_ONCE = 10
STATISTICS = ("mean ratio", "p50 ratio", "p99 ratio", "req/s ratio")
"""Of a machine that drifts, other statistics depend on when the run ends."""


@dataclass(slots=True)
class EarlyEnds:
    """Of one scenario and one precision."""

    scenario: Scenario
    aim: float
    max_rounds: int
    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in STATISTICS})
    rounds: list[int] = field(default_factory=list)
    """Of each run."""
    spreads: list[float] = field(default_factory=list)
    """Standard deviation of the logarithm of the ratio in one round, as all rounds show it."""

    @property
    def ideal_rounds(self) -> float:
        """As many as would be enough if the spread were known."""
        return (1.96 * fmean(self.spreads) / math.log1p(self.aim)) ** 2


def end_early(scenario: Scenario, aim: float, experiments: int, max_rounds: int = 60, seed: int = 5) -> EarlyEnds:
    """Simulate runs of at most `max_rounds` that end when the ratio's half-width is at most `aim`."""
    found = EarlyEnds(scenario, aim, max_rounds)
    machine, policies = scenario.machine, (scenario.baseline, scenario.candidate)
    random = np.random.default_rng(seed)
    for number in range(-(-experiments // _AT_ONCE)):
        path = number % machine.paths
        true = truth(machine, policies, path, max_rounds)
        measured = simulate(machine, policies, random, path, (_AT_ONCE, max_rounds))
        for at in range(_AT_ONCE):
            rounds = _end(measured, at, aim, found)
            found.rounds.append(rounds)
            cut = [Requests(one.latency_ns[:, :rounds], one.counted[:, :rounds]) for one in measured]
            intervals = run(cut, at, stops_early=True, own=False).intervals
            for name, tally in found.tallies.items():
                low, high = intervals[name] or (math.nan, math.nan)
                tally.add(low <= true[name] <= high)
    return found


def _end(measured: list[Requests], at: int, aim: float, found: EarlyEnds) -> int:
    """The round after which the run is precise."""
    sums = [_sums(one, at) for one in measured]
    ratios = (sums[1].latency_ns / sums[1].requests) / (sums[0].latency_ns / sums[0].requests)
    found.spreads.append(float(np.log(ratios).std(ddof=1)))
    for rounds in range(FIRST_LOOK, found.max_rounds):
        if _width(sums, rounds) <= aim:
            return rounds
    return found.max_rounds


def _sums(requests: Requests, at: int) -> RoundSums:
    counted = requests.counted[at]
    return RoundSums(counted.sum(axis=1).astype(np.float64), (requests.latency_ns[at] * counted).sum(axis=1))


def _width(sums: list[RoundSums], rounds: int) -> float:
    found = jackknife(np.ones(rounds, np.bool_), stops_early=True)
    weights = found.weights()
    means: list[Floats] = [(weights @ one.latency_ns[:rounds]) / (weights @ one.requests[:rounds]) for one in sums]
    interval = found.ratio_interval(means[1] / means[0])
    return math.inf if interval is None else half_width(interval)
