"""How often a diff of two simulated runs claims a change where there is none, and finds one that rounds suffice for."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from loadgen.measure.diff.diff_verdict import any_change
from loadgen.measure.diff.run_diff import diff_runs
from tests.coverage.tally import Tally
from tests.support.simulated_diffs import run

ROUNDS_FACTOR = 30
"""A run needs this many times (spread / change) ^ 2 rounds: docs/statistics.md."""
LEAST_FOUND = 2 / 3
"""Of the changes that have as many rounds as that, at the very least."""


@dataclass(slots=True)
class Diffs:
    """Of runs with so many rounds."""

    rounds: int
    claims: Tally = field(default_factory=Tally)
    """Anything is called changed; the runs are alike."""
    found: Tally = field(default_factory=Tally)
    """What was added to each latency is called certain."""
    held: Tally = field(default_factory=Tally)
    """Its interval holds what was added."""


def diff_pairs(rounds: int, experiments: int, seed: int = 4) -> Diffs:
    """Pairs of runs; what is added to the second is as much as these rounds suffice for."""
    random = np.random.default_rng(seed)
    added_ns = round(_spread_ns(random, rounds) * sqrt(ROUNDS_FACTOR / rounds))
    result = Diffs(rounds)
    for _ in range(experiments):
        result.claims.add(any_change(diff_runs([run(random, rounds=rounds)], run(random, rounds=rounds))))
        new = run(random, added_ns, rounds=rounds)
        mean = diff_runs([run(random, rounds=rounds)], new)["policies"]["persistent"]["latency_ns"]["mean"]
        low, high = mean["delta_ci95"] or (np.inf, -np.inf)
        result.found.add(mean["is_certain"])
        result.held.add(low <= added_ns <= high)
    return result


def _spread_ns(random: np.random.Generator, rounds: int, runs: int = 8) -> float:
    """The standard deviation of the means of a run's rounds, on average."""
    found = []
    for _ in range(runs):
        measured = run(random, rounds=rounds).policies["persistent"].measured
        found.append(np.std(measured.latency_sums_ns / measured.latency_counts, ddof=1))
    return float(np.mean(found))
