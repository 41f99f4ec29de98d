"""How a run's length is written: by time, by a number of requests, and as a run of an earlier version recorded it."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.show.formatting import length_text


@pytest.mark.parametrize(
    ("plan", "precision", "text"),
    [
        ({}, None, "5 rounds of 2.00 s blocks"),
        ({"requests": None}, {"rounds": 1}, "1 round of 2.00 s blocks"),
        ({"requests": 1_003}, None, "1,003 requests of each policy in 5 rounds"),
        ({"requests": 1, "rounds": 1}, None, "1 request of each policy in 1 round"),
    ],
)
def test_the_length_of_a_run(plan: dict[str, Any], precision: dict[str, int] | None, text: str) -> None:
    summary: Any = {"plan": {"rounds": 5, "block_ns": 2_000_000_000} | plan, "precision": precision}
    assert length_text(summary) == text
