"""What is simulated: machines, two policies on each, and where an interval is known not to cover 93 to 97 of 100."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.coverage.machines import Gap, Lognormal, Machine, Pareto, Policy, rising, wandering

_PLAIN = Policy()
_DRIFT = "covers more: a policy's own interval includes the drift, which is the same for all policies"
_SKEWED = "covers less: where rounds differ, the few slow ones have most of the requests beyond the p99"
_CLUSTERED = "covers less: a few slow stretches have most of the requests beyond the p99"
_OWN = tuple(f"{side} {name}" for side in ("baseline", "candidate") for name in ("mean", "p50", "p99", "req/s"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A baseline and a candidate on a machine."""

    name: str
    machine: Machine
    candidate: Policy
    baseline: Policy = _PLAIN
    aims: tuple[float, ...] = ()
    """Precisions by which simulated runs end, within tens of rounds."""
    known: dict[str, str] = field(default_factory=dict)
    """By statistic, why its intervals cover more or less than they should here."""


SCENARIOS = (
    Scenario("independent requests, close", Machine(Lognormal(0.3)), Policy(pays_every=1), aims=(0.02, 0.05)),
    Scenario(
        "correlated 0.95, recycle:10",
        Machine(Lognormal(0.3), correlation=0.95),
        Policy(pays_every=10),
        aims=(0.05,),
        known={"baseline p99": _CLUSTERED},
    ),
    Scenario("correlated 0.5, recycle:2", Machine(Lognormal(0.3), correlation=0.5), Policy(pays_every=2)),
    Scenario(
        "drift of up to 30 %",
        Machine(Lognormal(0.3), correlation=0.5, path=rising),
        Policy(1.1),
        aims=(0.02, 0.05),
        known=dict.fromkeys(_OWN, _DRIFT),
    ),
    Scenario(
        "a speed that wanders",
        Machine(Lognormal(0.3), correlation=0.5, path=wandering),
        Policy(1.1),
        known=dict.fromkeys(_OWN, _DRIFT),
    ),
    Scenario("heavy tail, σ = 1", Machine(Lognormal(1.0), correlation=0.5), Policy(1.1), aims=(0.05,)),
    Scenario("heavy tail, σ = 1.5", Machine(Lognormal(1.5)), Policy(1.1)),
    Scenario("power law, exponent 2.5", Machine(Pareto(2.5)), Policy(1.1)),
    Scenario("0.9 % are 20 times as slow", Machine(Gap(2.3656, 20)), Policy(1.1)),
    Scenario(
        "rounds differ by 5 %, close",
        Machine(Lognormal(0.3), round_spread=0.05),
        Policy(pays_every=1),
        aims=(0.02,),
        known=dict.fromkeys(("baseline p99", "candidate p99", "p99 difference"), _SKEWED),
    ),
)
