"""The generator's own part beside the limits of its warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loadgen.measure.checks.check import CheckOutcome
from loadgen.measure.checks.generator_share import GENERATOR_SHARE
from tests.support.simulated_runs import orders, simulated_run
from tests.support.summaries import MS, policy_summary


def checked(**changes: Any) -> CheckOutcome:
    """A run of one policy, with these changes to its summary."""
    run = simulated_run([[np.full(50, 1e6)] * 5], orders(1, 5, 0))
    return GENERATOR_SHARE.run(replace(run, policies={"persistent": policy_summary(**changes)}))


def test_a_small_part_passes() -> None:
    found = checked()
    assert found.passed is True
    assert found.message == "the generator's part is small: its CPU time is 10% of a core (persistent) at most"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"generator": {"cpu_share": 0.97, "saturated": True}}, "its CPU time is 97% of a core"),
        (
            {"generator": {"stamp_delay_ns": {"wait": {"count": 30, "p50": MS // 2, "p99": MS}, "connect": None}}},
            "its stamps' delay is 50% of the median latency",
        ),
        ({"generator": {"own_mean_ns": MS}}, "its own work is 50% of what a request takes"),
        (
            {
                "arrivals": {
                    "due": 9, "unstarted": 0, "rate_rps": 9.0, "late_p50_ns": 0, "late_p99_ns": 3 * MS // 2,
                    "late_max_ns": MS,
                }
            },
            "its lateness is 75% of the p99",
        ),
    ],
)  # fmt: skip
def test_each_part_that_is_too_large_is_named_and_warned_of_elsewhere(changes: dict[str, Any], words: str) -> None:
    found = checked(**changes)
    assert found.passed is False
    assert found.has_warning
    assert found.message == f"the generator's part is too large: {words} (persistent)"


def test_delays_that_differ_between_policies_are_a_part_of_their_difference() -> None:
    run = simulated_run([[np.full(50, 1e6)] * 5] * 2, orders(2, 5, 0))
    delays = [{"wait": {"count": 30, "p50": p50, "p99": p50}, "connect": None} for p50 in (10_000, 40_000)]
    policies = {
        name: policy_summary(generator={"stamp_delay_ns": delay})
        for name, delay in zip(("persistent", "close"), delays, strict=True)
    }
    pair: Any = {
        "baseline": "persistent", "candidate": "close",
        "latency_mean_delta_ns": 100_000, "latency_mean_delta_ci95": [90_000, 110_000], "is_certain": True,
    }  # fmt: skip
    found = GENERATOR_SHARE.run(replace(run, policies=policies, comparisons=[pair]))
    assert found.passed is False
    assert found.message.endswith("its stamps' delays differ by 30% of the difference (close / persistent)")


def test_a_policy_without_an_answer_has_no_result() -> None:
    assert checked(requests=0).results == []


def test_a_tiny_part_is_not_called_none() -> None:
    message = checked(generator={"cpu_share": 0.0004}).message
    assert message == "the generator's part is small: its CPU time is <1% of a core (persistent) at most"
