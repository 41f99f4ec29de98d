"""How often a difference is called certain where there is none, and equivalence shown where it is not quite true."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loadgen.measure.stats.equivalence import equivalence
from tests.coverage.experiment import run
from tests.coverage.machines import Machine, Policy, simulate
from tests.coverage.tally import Tally
from tests.coverage.truth import truth

ERROR_RATE = 0.05
_AT_ONCE = 25


@dataclass(slots=True)
class Claims:
    """Of one machine and one number of rounds."""

    machine: str
    rounds: int
    candidates: int
    certain: Tally = field(default_factory=Tally)
    """At least one difference is called certain; all policies are alike."""
    equivalent: Tally = field(default_factory=Tally)
    """The interval of the ratio lies within a bound that is exactly the true ratio."""


def claim(name: str, machine: Machine, candidates: int, rounds: int, experiments: int, seed: int = 3) -> Claims:
    """Simulate experiments with candidates that are the baseline, and with one that takes 1.5 times as long."""
    found = Claims(name, rounds, candidates)
    random = np.random.default_rng(seed)
    alike, slower = (Policy(),) * (1 + candidates), (Policy(), Policy(1.5))
    for number in range(-(-experiments // _AT_ONCE)):
        path, size = number % machine.paths, (_AT_ONCE, rounds)
        same = simulate(machine, alike, random, path, size)
        other = simulate(machine, slower, random, path, size)
        bound = truth(machine, (slower[0], slower[1]), path, rounds)["mean ratio"]
        for at in range(_AT_ONCE):
            found.certain.add(any(one["is_certain"] for one in run(same, at, own=False).comparisons))
            interval = run(other, at, own=False).comparisons[0]["latency_mean_ratio_ci95"]
            shown = equivalence(interval, bound - 1)
            found.equivalent.add(shown is not None and shown["shown"])
    return found
