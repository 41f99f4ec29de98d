"""The types of what `loadgen history --json` prints: the headline of many runs, in groups of like plans.

`docs/history.schema.json` is made from these types. Computes nothing.
"""

from __future__ import annotations

from typing import TypedDict

from loadgen.model.diff_record import UnlikeFact
from loadgen.model.policy_summary import RatioInterval, WholeInterval

HISTORY_SCHEMA = 1
"""The version of this layout: the history's `schema`."""


class HistoryPolicy(TypedDict):
    """One policy in one run."""

    latency_mean_ns: int | None
    """Mean latency (ns); null where nothing was answered."""
    latency_mean_ci95: WholeInterval
    """Its interval (ns)."""
    throughput_rps: float
    """Answered requests per second."""


class HistoryComparison(TypedDict):
    """How two policies compare in one run."""

    baseline: str
    """The policy that the other is compared with."""
    candidate: str
    """The policy that is compared."""
    latency_mean_ratio: float
    """Mean latency, candidate / baseline: the headline."""
    latency_mean_ratio_ci95: RatioInterval
    """Interval of that ratio."""


class HistoryRun(TypedDict):
    """One run."""

    run: str
    """Its name."""
    path: str
    """Its folder."""
    started: str
    """When it started (ISO 8601, UTC)."""
    changed: list[UnlikeFact]
    """In what its environment differs from that of the run before it in the group."""
    policies: dict[str, HistoryPolicy]
    """Each policy, by name."""
    comparisons: list[HistoryComparison]
    """Each pair of policies that compares."""


class HistoryGroup(TypedDict):
    """Runs of one plan against one target, the earliest first."""

    title: str
    """The request and the load, in words, and what else tells the plan from others that these words fit."""
    runs: list[HistoryRun]
    """At least one."""


class LeftOutRun(TypedDict):
    """A folder that could not be read."""

    path: str
    """The folder."""
    reason: str
    """What is wrong with it."""


class HistoryRecord(TypedDict):
    """The whole of it."""

    schema: int
    """Version of this layout."""
    groups: list[HistoryGroup]
    """Runs of unlike plans are in groups of their own; the group with the earliest run comes first."""
    left_out: list[LeftOutRun]
    """Folders that hold a run which could not be read."""
