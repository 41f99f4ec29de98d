"""The types of the self-checks in `summary.json`; see `loadgen.model.summary`. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class CheckResult(TypedDict):
    """What a self-check found about one policy, or about one pair of them."""

    subject: str
    """The policy; `candidate / baseline` for a pair; empty where it is the run as a whole."""
    statistic: str
    """What `value` is."""
    value: float | None
    """What was measured; null where that was not possible."""
    limit: float | None
    """How large `value` must be for the result to matter; of effective samples how small. Null where none is set."""
    p_value: float | None
    """The probability of such a value if nothing is wrong, for all tests of the check (Holm 1979); null of no test."""
    passed: bool | None
    """Null where there is not enough to tell."""


class CheckSummary(TypedDict):
    """One self-check of a run."""

    name: str
    """The check."""
    question: str
    """What it asks, in words."""
    error_rate: float | None
    """The share of sound runs in which it fails at most; null where it compares with a limit and tests nothing."""
    passed: bool | None
    """No result of it failed; null where none could be told."""
    message: str
    """What it found, in one sentence."""
    action: str
    """What to do where it failed; empty otherwise."""
    results: list[CheckResult]
    """What it found about each policy, or pair."""
