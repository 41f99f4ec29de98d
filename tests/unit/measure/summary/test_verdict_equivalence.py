"""What the verdict says of two policies that may be alike."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.summary.verdict_equivalence import equivalence_clause, equivalent_count


def compared(
    bound: float | None,
    shown: bool = False,
    interval: tuple[float, float] | None = (0.985, 1.015),
    certain: bool = True,
) -> Any:
    """The part of a ComparisonSummary that is read here."""
    return {
        "latency_mean_ratio": 1.01,
        "latency_mean_ratio_ci95": None if interval is None else list(interval),
        "is_certain": certain,
        "equivalence": None if bound is None else {"bound": bound, "shown": shown},
    }


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (compared(0.02, True), "equivalent within 2% (1.010× [0.985, 1.015])"),
        (
            compared(0.02, interval=(0.985, 1.03)),
            "not shown to be equivalent within 2% (1.010× [0.985, 1.030]): more rounds may show it",
        ),
        (compared(0.02, interval=(1.03, 1.1)), "not equivalent within 2% (1.010× [1.030, 1.100])"),
        (compared(0.02, interval=(0.9, 0.97)), "not equivalent within 2% (1.010× [0.900, 0.970])"),
        (  # beside "no certain difference"
            compared(0.02, interval=(1.03, 1.1), certain=False),
            "not shown to be equivalent within 2% (1.010× [1.030, 1.100]): more rounds may show it",
        ),
        (
            compared(0.0001),
            "not shown to be equivalent within 0.01% (1.01000× [0.98500, 1.01500]): more rounds may show it",
        ),
        (compared(0.02, interval=None), "not shown to be equivalent within 2% (one round, no interval)"),
        (compared(None), ""),
    ],
)
def test_the_ratio_stands_beside_the_claim(one: Any, said: str) -> None:
    assert equivalence_clause(one) == said


def test_many_are_counted() -> None:
    assert equivalent_count([compared(0.5, number < 3) for number in range(5)]) == (
        "3 of 5 comparisons are equivalent within 50%"
    )
    assert equivalent_count([compared(None)] * 5) == ""
