"""What the verdict says about differences that are smaller than this machine can resolve."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.measure.stats.floor import WithinFloor
from loadgen.measure.summary.verdict_words import named
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import format_duration

_MAX_NAMED = 2


def floor_clauses(found: Sequence[WithinFloor], policies: dict[str, PolicySummary], family: int) -> list[str]:
    """At most one clause. family: how many comparisons the run has."""
    if not found:
        return []
    if len(found) > _MAX_NAMED:
        return [f"{len(found)} of {family} differences are within the floor of this machine: see the warnings"]
    if family == 1:
        return [f"this difference is within the floor of this machine ({format_duration(found[0].floor_ns)})"]
    listed = " and ".join(
        f"{named(one.comparison['candidate'], policies)} ({format_duration(one.floor_ns)})" for one in found
    )
    return [f"within the floor of this machine: the difference of {listed}"]
