"""Which warning requests get that outlast the window: longer blocks help a slow server, not one that serves too few."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.summary.verdict import verdict_clauses
from loadgen.measure.warnings.outlasted import outlasted_warnings
from loadgen.model.load import Load
from loadgen.model.units import NS_PER_MS
from tests.support.summaries import policy_summary


def summary(unserved: int, outlasted: int, p99_ms: int = 4, reused: float = 1.0, syns: int | None = None) -> Any:
    found = policy_summary(seconds=5.0, blocks=5)
    found["latency_ns"]["p99"] = p99_ms * NS_PER_MS
    found["connections"] |= {
        "ideal": 50, "unserved": unserved, "warmup_outlasted": outlasted, "reuse_ratio": reused,
    }  # fmt: skip
    found["sockets"]["syn_retransmits"] = syns
    return found


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        (
            summary(40, 40),
            "connections_unserved",
            "40 connections, 80% of those in use at a time, got no response in a",
        ),
        (summary(40, 40), "connections_unserved", "took less than 4.00 ms: the server, or what is before it, serves"),
        (summary(40, 40), "connections_unserved", "at a time, and those that are kept make others wait; raise"),
        (summary(40, 40, reused=0.0), "connections_unserved", "or some requests are much slower than others; raise"),
        (summary(40, 40, syns=20), "connections_unserved", "4.00 ms: a listen queue was full, or the server serves"),
        (summary(40, 40, p99_ms=900), "window_outlasted", "40 requests of the warm-up lasted beyond the measured"),
        (summary(0, 1), "window_outlasted", "no percentile shows it; use a longer --block"),
        (summary(0, 0), None, ""),
    ],
)
def test_the_warning(found: Any, code: str | None, said: str) -> None:
    warnings = list(outlasted_warnings(found, Load()))
    assert [one.value for one, _ in warnings] == ([] if code is None else [code])
    assert said in "".join(message for _, message in warnings)


def test_the_verdict_says_whose_figures_these_are() -> None:
    served = summary(0, 0)
    clauses = verdict_clauses({"persistent": summary(40, 40), "close": served}, [], [])
    assert clauses[0] == (
        "connections got no response in a whole window (80% with persistent), so the figures are those of the rest"
    )
    many: Any = {f"pool:{number}": summary(40, 40) for number in range(4)} | {"close": served}
    assert verdict_clauses(many, [], [])[0].startswith("connections of 4 of 5 got no response in a whole window, so")
    assert not any("no response" in clause for clause in verdict_clauses({"close": served}, [], []))
