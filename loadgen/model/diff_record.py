"""The types of `diff.json`, what changed from earlier runs to a new one: each key with its unit. Computes nothing.

`docs/diff.schema.json` is made from these types. Units and intervals are those of `summary.json`, but that an interval
comes from the rounds of both runs, or where there are several old runs from the spread between them.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from loadgen.model.gate_summary import GateSummary
from loadgen.model.policy_summary import RatioInterval

DIFF_SCHEMA = 1
"""The version of this layout: the diff's `schema`."""


class Change(TypedDict):
    """One statistic in the old runs and in the new one."""

    old: float | None
    """Its value in the old run, the mean of several; null where it has none."""
    new: float | None
    """Its value in the new run; null where it has none."""
    delta: float | None
    """New less old, in the statistic's unit; whole where that is ns."""
    delta_ci95: RatioInterval
    """Interval of that difference."""
    ratio: float | None
    """New / old; null where the old value is 0."""
    ratio_ci95: RatioInterval
    """Interval of that ratio; null too where the statistic can be 0."""
    p_value: float | None
    """How probable so large a change is if there is none; null where there is no interval."""
    is_certain: bool
    """It changed: all that the diff calls certain changed, at 95 % together."""


class LatencyChanges(TypedDict):
    """Latency of complete requests (ns)."""

    mean: Change
    """Mean: the statistic that the verdict goes by."""
    p50: Change
    """Median."""
    p99: Change
    """99th percentile."""


class PolicyChanges(TypedDict):
    """What changed under one policy."""

    old_rounds: int
    """Rounds of the old runs in which it was answered."""
    new_rounds: int
    """Rounds of the new run in which it was answered."""
    latency_ns: LatencyChanges
    """Latency (ns)."""
    throughput_rps: Change
    """Answered requests per second."""
    reuse_ratio: Change
    """Share of complete requests that were not the first on their connection."""
    error_ratio: Change
    """Share of finished requests that failed."""
    phases_ns: dict[str, Change]
    """Mean per request of each phase that happened in a run (ns); a request without it counts as 0."""


class ComparisonChange(TypedDict):
    """How the comparison of two policies itself changed: what reuse saves now, and what it saved before."""

    baseline: str
    """The policy that the other is compared with."""
    candidate: str
    """The policy that is compared."""
    latency_mean_ratio: Change
    """Mean latency, candidate / baseline; the `ratio` is that of the two ratios."""


class UnlikeFact(TypedDict):
    """Something in which the runs differ."""

    what: str
    """The part of plan or environment."""
    old: str
    """As the old run has it."""
    new: str
    """As the new run has it."""
    is_refused: bool
    """Runs that differ in this are compared by `--force` alone."""


class DiffedRun(TypedDict):
    """A run that was compared."""

    run: str
    """Its name."""
    path: str
    """Its folder, as it was given."""
    started: str
    """When it started (ISO 8601, UTC)."""


class MachineControl(TypedDict):
    """The generator's own work per request, which no target can change: how far the machine itself changed."""

    old_own_mean_ns: int
    """Mean over the policies in the old run (ns)."""
    new_own_mean_ns: int
    """Mean over the policies in the new run (ns)."""
    moved: float
    """By how much it changed: root mean square over the policies of the logarithm of new / old.

    All intervals of times have this as a second standard error, and those of throughput as much of it as users wait.
    """


class DiffRecord(TypedDict):
    """The whole of `diff.json`."""

    schema: int
    """Version of this layout."""
    old: list[DiffedRun]
    """The earlier runs."""
    new: DiffedRun
    """The run that is compared with them."""
    unlike: list[UnlikeFact]
    """In what plans and environments differ."""
    spread: Literal["rounds", "runs"]
    """What intervals come from: the rounds of one old and one new run, or the spread between several old runs."""
    machine: MachineControl | None
    """Whether the machine changed; null where several old runs say how far runs differ, or a run does not know it."""
    certain_changes: int
    """Changes that are certain, of all policies and comparisons."""
    verdict: list[str]
    """The answer, one line for each policy and each comparison."""
    policies: dict[str, PolicyChanges]
    """Each policy that all of the runs have, by name."""
    left_out: list[str]
    """Policies that were not answered in each of the runs."""
    comparisons: list[ComparisonChange]
    """Each pair of policies that all of the runs compare."""
    gates: NotRequired[list[GateSummary]]
    """What became of each gate (`--fail-if`); absent where there was none."""
