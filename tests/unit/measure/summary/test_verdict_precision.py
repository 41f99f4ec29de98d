"""What warning and verdict say of a run that went on until its ratios were known well enough."""

from __future__ import annotations

import pytest

from loadgen.measure.summary.verdict_precision import precision_clauses
from loadgen.measure.warnings.imprecision import precision_warnings
from loadgen.model.summary import PrecisionSummary

PAIR, THREE = ("persistent", "close"), ("persistent", "close", "recycle:9")

NO_INTERVAL = "a ratio has no interval, where ±2% was asked for"
OVER = "--max-time was over after"


def precision(half_width: float | None, rounds: int = 7, max_rounds: int = 75) -> PrecisionSummary:
    is_reached = half_width is not None and half_width <= 0.02
    return {
        "aim": 0.02, "half_width": half_width, "is_reached": is_reached, "rounds": rounds, "max_rounds": max_rounds,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "policies", "clause"),
    [
        (precision(0.0176), PAIR, "the run stopped after 7 rounds, when the ratio was known within ±1.8%"),
        (precision(0.0004), THREE, "the run stopped after 7 rounds, when each ratio was known within ±0.04%"),
    ],
)
def test_precise_enough(found: PrecisionSummary, policies: tuple[str, ...], clause: str) -> None:
    assert precision_warnings(found, policies, ()) == []
    assert precision_clauses(found, [], len(policies)) == [clause]


@pytest.mark.parametrize(
    ("found", "policies", "without_answer", "message"),
    [
        (precision(0.031, 75), PAIR, (), f"{OVER} 75 rounds: the ratio is known within ±3.1%, not ±2%"),
        (precision(0.31), THREE, (), "the run ended after 7 rounds: each ratio is known within ±31%, not ±2%"),
        (precision(None, 1, 1), PAIR, (), f"{OVER} 1 round: {NO_INTERVAL}"),
        (
            precision(None),
            PAIR,
            ("persistent",),
            f"persistent had no complete request in the last 3 rounds: {NO_INTERVAL}",
        ),
    ],
)  # fmt: skip
def test_not_precise_enough(
    found: PrecisionSummary, policies: tuple[str, ...], without_answer: tuple[str, ...], message: str
) -> None:
    warnings = precision_warnings(found, policies, without_answer)
    assert warnings == [{"code": "precision_not_reached", "message": message}]
    assert precision_clauses(found, warnings, len(policies)) == [message]


def test_nothing_is_said_where_no_precision_was_asked_for() -> None:
    assert precision_warnings(None, PAIR, ()) == precision_clauses(None, [], 2) == []
