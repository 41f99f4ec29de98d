"""How often the 95 % intervals of each statistic hold its truth, and how wide they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from tests.coverage.experiment import run
from tests.coverage.machines import simulate
from tests.coverage.scenarios import Scenario
from tests.coverage.tally import Tally
from tests.coverage.truth import truth

BAND = 0.93, 0.97
_AT_ONCE = 25


@dataclass(slots=True)
class Coverage:
    """Of one scenario and one number of rounds."""

    scenario: Scenario
    rounds: int
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    """By statistic."""
    widths: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Half of each interval, as a share of the truth; of a difference, of the baseline's value."""

    def outside(self, confidence: float = 0.95) -> list[str]:
        """Statistics whose coverage lies outside the band beyond chance, unless that is known of the scenario."""
        return [
            name
            for name, tally in self.tallies.items()
            if not tally.may_lie_in(*BAND, confidence) and name not in self.scenario.known
        ]


def cover(scenario: Scenario, rounds: int, experiments: int, seed: int = 1) -> Coverage:
    """Simulate experiments of one scenario, evenly over the paths of its machine."""
    found = Coverage(scenario, rounds)
    machine, policies = scenario.machine, (scenario.baseline, scenario.candidate)
    random = np.random.default_rng(seed)
    for path in range(machine.paths):
        true = truth(machine, policies, path, rounds)
        left = -(-experiments // machine.paths)
        while left > 0:
            size = min(left, _AT_ONCE)
            measured = simulate(machine, policies, random, path, (size, rounds))
            for number in range(size):
                _count(found, run(measured, number).intervals, true)
            left -= size
    return found


def _count(found: Coverage, intervals: dict, true: dict[str, float]) -> None:
    for name, interval in intervals.items():
        found.tallies[name].add(interval is not None and interval[0] <= true[name] <= interval[1])
        if interval is not None:
            whole = true[f"baseline {name.removesuffix(' difference')}"] if name.endswith("difference") else true[name]
            found.widths[name].append((interval[1] - interval[0]) / 2 / whole)
