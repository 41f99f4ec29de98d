"""What the verdict says about self-checks that failed: what they found, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.check_summary import CheckSummary

_SAID_ELSEWHERE = "generator_share"
"""What it finds stands beside the differences, in words of its own."""


def check_clauses(checks: Sequence[CheckSummary]) -> list[str]:
    """One clause for each check that failed."""
    return [
        f"{one['message']}: {one['action']}"
        for one in checks
        if one["passed"] is False and one["name"] != _SAID_ELSEWHERE
    ]
