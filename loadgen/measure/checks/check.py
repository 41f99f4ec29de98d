"""What a self-check is, what it may read of a run, and how the results of its tests become one. Knows no check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.holm import adjusted_p_values
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.cell import Cell
from loadgen.model.check_summary import CheckResult
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import ComparisonSummary
from loadgen.model.warning_codes import WarningCode

ERROR_RATE = 0.01
"""The share of sound runs in which a check that tests fails at most: of each check, whatever the number of policies."""
FLOOR = 0.05
"""A shift of latency by less than this share is no failure, however certain it is."""
_MAX_LISTED = 3


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A run as the checks read it."""

    plan: Plan
    samples: Samples
    """Those of the run, whose blocks have `counted`."""
    indices: Mapping[str, NDArray[np.int64]]
    """Of each policy's samples, also those that failed."""
    measured: Mapping[str, PolicySamples]
    policies: dict[str, PolicySummary]
    comparisons: Sequence[ComparisonSummary]

    def cells(self) -> dict[str, Cell]:
        """The plan's cells by name."""
        return {cell.name: cell for cell in self.plan.cells}


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found."""

    message: str
    results: list[CheckResult] = field(default_factory=list)
    """Empty where the check does not apply to the run."""
    has_warning: bool = False
    """A warning says the same already."""

    @property
    def passed(self) -> bool | None:
        """False if one result failed, None if none could be told."""
        told = [one["passed"] for one in self.results if one["passed"] is not None]
        return all(told) if told else None


@dataclass(frozen=True, slots=True)
class Check:
    """One self-check."""

    name: str
    question: str
    """What it asks, as the report's table says it."""
    run: Callable[[CheckedRun], CheckOutcome]
    error_rate: float | None
    """None where it compares with a limit, and tests nothing."""
    code: WarningCode | None
    """Of the warning if it fails; None where what it found has warnings of its own."""
    action: str
    """What to do if it fails: the end of a sentence."""


def result(
    subject: str, statistic: str, value: float | None, limit: float | None = None, *, p_value: float | None = None,
    passed: bool | None = None,
) -> CheckResult:  # fmt: skip
    """One result of a check, as the summary has it."""
    return {
        "subject": subject, "statistic": statistic, "value": value, "limit": limit, "p_value": p_value,
        "passed": passed,
    }  # fmt: skip


def judged(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The results of a check's tests: p values adjusted to each other; one fails if it is certain, and large enough.

    One that has a value and no p value is judged by its limit alone.
    """
    tested = [one for one in results if one["p_value"] is not None]
    p_values = iter(adjusted_p_values([one["p_value"] for one in tested if one["p_value"] is not None]))
    found: list[CheckResult] = []
    for one in results:
        p_value = None if one["p_value"] is None else next(p_values)
        value, limit = one["value"], one["limit"] or 0.0
        certain = p_value is None or p_value < ERROR_RATE
        found.append({**one, "p_value": p_value, "passed": None if value is None else not (certain and value > limit)})
    return found


def failed(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Those that failed, the largest value first."""
    return sorted((one for one in results if one["passed"] is False), key=lambda one: -(one["value"] or 0.0))


def joined(texts: Sequence[str]) -> str:
    """Some texts as the end of a sentence; of many the first few, and how many more there are."""
    more = len(texts) - _MAX_LISTED
    listed = [*texts[:_MAX_LISTED], *([f"{more} more"] if more > 0 else [])]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
