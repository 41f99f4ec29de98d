"""Responses before the end of their request: told by the phase `wait`, where connections were hardly reused."""

from __future__ import annotations

import pytest

from loadgen.measure.warnings.early_answers import is_answered_early
from loadgen.model.policy import parse_policies
from tests.support.summaries import policy_summary


@pytest.mark.parametrize(
    ("policy", "waits", "reuse_ratio", "expected"),
    [
        ("persistent", 0, 0.0, True), ("recycle:10", 499, 0.1, True), ("persistent", 500, 0.0, False),
        ("persistent", 0, 0.9, False), ("pipeline:3", 0, 0.0, False), ("h2", 0, 0.0, False),
    ],
)  # fmt: skip
def test_most_responses_without_a_wait_and_hardly_any_reuse(
    policy: str, waits: int, reuse_ratio: float, expected: bool
) -> None:
    summary = policy_summary(requests=1000, connections={"reuse_ratio": reuse_ratio})
    summary["phases_ns"]["wait"]["count"] = waits
    assert is_answered_early(summary, parse_policies(policy)[0]) is expected
