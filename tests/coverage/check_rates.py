"""How often self-checks fail in sound runs, and how often they find a fault.

Each experiment is a simulated run that goes through the checks as a real one does. A sound run has nothing that its
checks look for, whatever else it has: requests that depend on each other, heavy tails, policies of unlike noise, a
machine that wanders. Of a check that tests, at most its error rate of sound runs may fail; most runs with a fault must.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.checks.arrivals import ARRIVALS
from loadgen.measure.checks.check import Check, CheckedRun
from loadgen.measure.checks.dependence import DEPENDENCE
from loadgen.measure.checks.order import ORDER
from loadgen.measure.checks.stationarity import STATIONARITY
from loadgen.model.plan import Load
from loadgen.model.units import NS_PER_MS, NS_PER_S, NS_PER_US
from tests.support.simulated_runs import WINDOW_NS, orders, simulated_run

Floats = NDArray[np.float64]
Random = np.random.Generator

REQUESTS = 100
"""Of each block."""
BLOCK_NOISE = 0.02
"""By how much blocks of one policy differ, as a standard deviation of logarithms."""
EXPERIMENTS = 1_000
_POWER = 0.8
"""The share of runs with a fault that have to fail."""


@dataclass(frozen=True, slots=True)
class CheckScenario:
    """Runs of one kind, and what a check must make of them."""

    check: Check
    name: str
    make: Callable[[Random, int, int], CheckedRun]
    """A run of this number of policies and rounds."""
    policies: int = 2
    rounds: int = 10
    is_sound: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """How often a check failed."""

    scenario: CheckScenario
    failed: int
    experiments: int

    @property
    def is_within(self) -> bool:
        """Of sound runs no more failed than chance explains, at one in a thousand; of others most did."""
        if not self.scenario.is_sound:
            return self.failed >= _POWER * self.experiments
        return self.failed <= most_by_chance(self.experiments, self.scenario.check.error_rate or 0.01)


@cache
def most_by_chance(experiments: int, rate: float) -> int:
    """As many failures, or more, of experiments that each fail with this rate are rarer than one in a thousand."""
    reached = 0.0
    for failed in range(experiments + 1):
        reached += comb(experiments, failed) * rate**failed * (1 - rate) ** (experiments - failed)
        if reached > 0.999:
            return failed
    return experiments


@dataclass(frozen=True, slots=True)
class Latency:
    """What decides the latencies of a simulated run; nothing of it is a fault unless it says so."""

    correlation: float = 0.0
    """Of requests that follow each other in a block."""
    tail: float = 0.3
    """Standard deviation of the logarithm of a request's latency."""
    heavy: bool = False
    """Blocks differ by Student's t with 3 degrees of freedom."""
    unlike: float = 1.0
    """By how much more the second policy's blocks differ."""
    wander: float = 0.0
    """Of the machine from one round to the next."""
    drift: float = 0.0
    """Of all policies, from the first block to the last."""
    own_drift: float = 0.0
    """Of the second policy alone."""
    first: float = 0.0
    """How much slower the first block of a round is."""

    def __call__(self, random: Random, policies: int, rounds: int) -> CheckedRun:
        order = orders(policies, rounds, int(random.integers(1 << 31)))
        noise = random.standard_t(3, (policies, rounds)) if self.heavy else random.normal(size=(policies, rounds))
        noise *= BLOCK_NOISE
        noise[1:2] *= self.unlike
        noise += np.cumsum(random.normal(size=rounds)) * self.wander + 0.3 * np.arange(policies)[:, None]
        noise[1:2] += np.log1p(self.own_drift) * np.linspace(0, 1, rounds)
        for number, names in enumerate(order):
            for place, policy in enumerate(names):
                noise[policy, number] += np.log1p(self.drift * (number * policies + place) / (policies * rounds - 1))
            noise[names[0], number] += np.log1p(self.first)
        shapes = random.normal(size=(policies, rounds, REQUESTS)) @ _filter(self.correlation)
        return simulated_run(NS_PER_MS * np.exp(noise[:, :, None] + self.tail * shapes), order)  # type: ignore[arg-type] # rows of rows


@cache
def _filter(correlation: float) -> Floats:
    """Makes an autoregression with a variance of 1 of independent values in a row."""
    lags = np.arange(REQUESTS)[None, :] - np.arange(REQUESTS)[:, None]
    found = np.where(lags >= 0, correlation ** np.maximum(lags, 0) * np.sqrt(1 - correlation**2), 0.0)
    found[0] /= np.sqrt(1 - correlation**2)
    return found


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Arrivals of a Poisson process, as asked for unless something says otherwise."""

    rate_rps: float = 500
    late_ns: int = 20 * NS_PER_US
    """Mean of how late the generator begins them."""
    even: bool = False
    """They come at equal intervals."""
    keep: float = 1.0
    """The share of the samples that is kept."""

    def __call__(self, random: Random, policies: int, rounds: int) -> CheckedRun:
        """Every policy of a round has the same arrivals, as in a real run."""
        due = [self._due(random) for _ in range(rounds)]
        kept = [[one[random.random(len(one)) < self.keep] for one in due] for _ in range(policies)]
        late = [[random.exponential(self.late_ns, len(one)) for one in rows] for rows in kept]
        latency = [[np.full(len(one), float(NS_PER_MS)) for one in rows] for rows in kept]
        load = Load(rounds=rounds, rate_rps=self.rate_rps, arrivals="poisson")
        run = simulated_run(latency, orders(policies, rounds, 1), load=load, at_ns=kept, late=late)
        for block in run.samples.blocks:
            block["due"] = len(due[block["round"]])
        return run

    def _due(self, random: Random) -> Floats:
        expected = self.rate_rps * WINDOW_NS / NS_PER_S
        if self.even:
            return np.arange(round(expected)) * NS_PER_S / self.rate_rps
        return np.sort(random.uniform(0, WINDOW_NS, random.poisson(expected)))


def _stalls(random: Random, policies: int, rounds: int) -> CheckedRun:
    """Every other block has one group of 40 slow requests, in 2,000."""
    latency = NS_PER_MS * np.exp(0.1 * random.normal(size=(policies, rounds, 2_000)))
    latency[:, 1::2, 700:740] *= 5
    return simulated_run(latency, orders(policies, rounds, 1))  # type: ignore[arg-type] # rows of rows


_SOUND = {
    "independent requests": Latency(),
    "requests depend on each other (0.9)": Latency(correlation=0.9),
    "heavy tails of requests and blocks": Latency(tail=1.2, heavy=True),
    "one policy's blocks differ 5 × as much": Latency(unlike=5),
}
_SIZES = ((2, 5), (5, 10), (2, 20))
SCENARIOS: Sequence[CheckScenario] = (
    *(
        CheckScenario(check, name, make, *size)
        for check in (STATIONARITY, ORDER)
        for name, make in _SOUND.items()
        for size in _SIZES
    ),
    *(
        CheckScenario(ORDER, name, make, *size)
        for name, make in (
            ("the machine wanders, 5 % a round", Latency(wander=0.05)),
            ("all drift by 20 %", Latency(drift=0.2)),
        )
        for size in _SIZES
    ),
    *(CheckScenario(ARRIVALS, "Poisson, 20 µs late", OpenLoop(), 2, rounds) for rounds in (1, 5, 10)),
    CheckScenario(ARRIVALS, "Poisson, a quarter of the samples", OpenLoop(keep=0.25), 2, 5),
    CheckScenario(ARRIVALS, "Poisson, 5,000/s", OpenLoop(rate_rps=5_000), 2, 3),
    CheckScenario(STATIONARITY, "a policy drifts by 20 %", Latency(own_drift=0.2, tail=0.1), is_sound=False),
    CheckScenario(STATIONARITY, "all drift by 20 %", Latency(drift=0.2, tail=0.1), is_sound=False),
    CheckScenario(ORDER, "the first of a round is 15 % slower", Latency(first=0.15), is_sound=False),
    CheckScenario(ORDER, "the same, five policies", Latency(first=0.15), 5, 10, is_sound=False),
    CheckScenario(ARRIVALS, "equal intervals instead of Poisson", OpenLoop(even=True), 2, 5, is_sound=False),
    CheckScenario(ARRIVALS, "Poisson, 3 ms late", OpenLoop(late_ns=3 * NS_PER_MS), 2, 5, is_sound=False),
    CheckScenario(DEPENDENCE, "a stall in two blocks of five", _stalls, 1, 5, is_sound=False),
)


def failures(scenario: CheckScenario, experiments: int = EXPERIMENTS, seed: int = 0) -> Found:
    """Run the experiments of one scenario."""
    random = np.random.default_rng(seed)
    runs = (scenario.make(random, scenario.policies, scenario.rounds) for _ in range(experiments))
    return Found(scenario, sum(scenario.check.run(run).passed is False for run in runs), experiments)


def line_of(found: Found) -> str:
    """A line of the table."""
    scenario, rate = found.scenario, found.scenario.check.error_rate
    stated = f"at most {rate:.0%}" if scenario.is_sound and rate else f"at least {_POWER:.0%}"
    return (
        f"{scenario.check.name:14} {'sound' if scenario.is_sound else 'fault':6} {scenario.name:42} "
        f"{scenario.policies} × {scenario.rounds:<3} {found.failed / found.experiments:7.2%}  {stated:13} "
        f"{'' if found.is_within else 'MISSED'}"
    ).rstrip()
