"""What is taken from the runs of a calibration; the runs themselves are in tests/process/cli/test_calibrate.py."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.cli.calibration_runs import highest_honest_rate, policy_floor, rates_to_try
from tests.support.summaries import policy_summary


def test_rates_lie_around_half_a_core_and_within_bounds() -> None:
    assert rates_to_try(10_000) == (20_000, 35_000, 50_000, 70_000, 100_000)
    assert rates_to_try(100) == (100_000,), "each once"
    assert rates_to_try(100_000_000) == (50,)


def rated(rate_rps: float, **changes: Any) -> Any:
    arrivals = {"due": 100, "unstarted": 0, "rate_rps": rate_rps, "late_p50_ns": 20_000, "late_p99_ns": 9_000_000}
    generator = {"cpu_share": 0.4, "stamp_delay_ns": {"connect": None, "wait": {"count": 9, "p50": 9_000, "p99": 1}}}
    for name, value in changes.items():
        part = next((part for part in (arrivals, generator) if name in part), None)
        if part is not None:
            part[name] = value
    return policy_summary(arrivals=arrivals, generator=generator, errors=changes.get("errors", {}))


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu_share": 0.51},
        {"late_p50_ns": 600_000},
        {"late_p50_ns": None},
        {"unstarted": 1},
        {"errors": {"connect_timeout": 1}},
        {"stamp_delay_ns": {"connect": None, "wait": {"count": 9, "p50": 200_000, "p99": 300_000}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_highest_rate_is_the_last_that_was_kept_honestly(changes: dict[str, Any]) -> None:
    summary: Any = {"policies": {"low": rated(1_000), "middle": rated(2_000), "high": rated(3_000, **changes)}}
    assert highest_honest_rate(summary) == 2_000
    only: Any = {"policies": {"high": rated(3_000, **changes)}}
    assert highest_honest_rate(only) is None


def test_a_policy_s_floor_begins_without_rates() -> None:
    assert policy_floor(policy_summary()) == {
        "requests": 1_000, "cpu_ns_per_request": policy_summary()["generator"]["cpu_ns_per_request"],
        "latency_p50_ns": 1_000_000, "max_rate_rps": None, "rates_tried_rps": [],
    }  # fmt: skip
