"""What speaks against a load, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.pilot.objections import objection
from loadgen.model.generator_limits import HONEST_CPU_SHARE
from loadgen.model.pilot_record import PilotFigures

BASE: PilotFigures = {
    "requests": 100, "errors": 0, "rate_rps": 1000.0, "latency_p50_ns": 400_000, "latency_mean_ns": 420_000,
    "lag_p50_ns": 20_000, "cpu_share": 0.2, "cpu_ns_per_request": 50_000,
}  # fmt: skip


def objected(reference: dict[str, PilotFigures] | None = None, **changed: Any) -> str:
    figures: Any = {"close": BASE | changed}
    return objection(figures, {"close": BASE} if reference is None else reference, {"close": BASE}, {"close": 1000.0})


def test_a_load_like_the_lowest_one_is_good() -> None:
    assert objected() == ""


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"cpu_share": 0.51}, "close: the generator used 51% of its core"),
        ({"lag_p50_ns": 180_000}, "close: the generator's lag rose from 20.0 µs to 180 µs"),
        ({"latency_p50_ns": 560_000}, "close: the median latency rose from 400 µs to 560 µs"),
        ({"rate_rps": 740.0}, "close: 740/s were answered, and not the 1,000/s that were offered"),
        ({"errors": 10}, "close: 9% of the requests failed"),
    ],
)
def test_each_sign_of_something_that_is_full(changed: dict[str, Any], text: str) -> None:
    assert objected(**changed) == text


@pytest.mark.parametrize(
    "changed",
    [
        {"cpu_share": HONEST_CPU_SHARE},
        {"lag_p50_ns": 160_000},
        {"latency_p50_ns": 545_000},
        {"rate_rps": 760.0},
        {"errors": 5},
        # From a few requests the rate and the lag say little.
        {"requests": 4, "rate_rps": 10.0, "lag_p50_ns": 390_000},
        {"requests": 0, "rate_rps": 0.0, "latency_p50_ns": None, "lag_p50_ns": None},
    ],
)
def test_what_may_be_chance_is_no_objection(changed: dict[str, Any]) -> None:
    assert objected(**changed) == ""


def test_the_lowest_load_is_compared_with_requests_at_once_after_another_and_has_more_room() -> None:
    assert objected({}, latency_p50_ns=950_000) == ""
    assert objected({}, latency_p50_ns=1_010_000) == "close: the median latency rose from 400 µs to 1.01 ms"
