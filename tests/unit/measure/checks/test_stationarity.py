"""Latency that changes over the run: of one policy, of all alike, of their ratio."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.checks.check import CheckOutcome
from loadgen.measure.checks.stationarity import STATIONARITY
from tests.support.simulated_runs import orders, simulated_run


def checked(*changes: float, rounds: int = 10, noise: float = 0.01, seed: int = 1) -> CheckOutcome:
    """Policies whose latency changes by these shares from the first round to the last."""
    rng = np.random.default_rng(seed)
    latency = [
        [
            1e6 * np.exp(np.log1p(change) * at / (rounds - 1) + rng.normal() * noise + rng.normal(size=50) * 0.05)
            for at in range(rounds)
        ]
        for change in changes
    ]
    return STATIONARITY.run(simulated_run(latency, orders(len(changes), rounds, seed)))


def test_a_steady_run_passes() -> None:
    found = checked(0, 0)
    assert found.passed is True
    assert found.message.startswith("no trend of 5% or more is certain; the largest estimate is ")
    assert [one["subject"] for one in found.results] == ["persistent", "close", "close / persistent"]


@pytest.mark.parametrize(("change", "words"), [(0.2, "slower"), (-0.2, "faster")])
def test_a_policy_alone_is_named(change: float, words: str) -> None:
    found = checked(change)
    assert found.passed is False
    assert found.message.startswith("over the run persistent became ")
    assert found.message.endswith(f"% {words}")


def test_policies_that_drift_alike_keep_their_difference() -> None:
    found = checked(0.3, 0.3)
    assert found.passed is False
    assert [one["passed"] for one in found.results] == [False, False, True]
    assert found.message.endswith(
        "the policies drifted alike, so their differences hold, and the figures of each alone do not"
    )


def test_a_ratio_that_changes_is_named() -> None:
    found = checked(0, 0.3)
    assert [one["passed"] for one in found.results] == [True, False, False]
    assert "over the run close became " in found.message
    assert "% slower, and the ratio close / persistent rose by " in found.message
    assert found.message.endswith("so the difference depends on when it was measured")


def test_a_small_change_does_not_matter_however_certain_it_is() -> None:
    found = checked(0.03, noise=0)
    (only,) = found.results
    assert only["p_value"] is not None
    assert only["p_value"] < 0.01
    assert only["passed"] is True


def test_four_rounds_can_t_tell() -> None:
    found = checked(0.5, 0, rounds=4)
    assert found.passed is None
    assert found.message == "fewer than 5 rounds show no trend"


def test_a_round_without_samples_is_left_out() -> None:
    latency = [[np.full(20 if at != 3 else 0, 1e6) for at in range(8)]]
    found = STATIONARITY.run(simulated_run(latency, orders(1, 8, 0)))
    assert found.passed is True
    assert found.results[0]["value"] == 0
