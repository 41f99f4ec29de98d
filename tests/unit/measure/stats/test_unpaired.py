"""Two runs that share no round: Welch's interval, and that of several old runs."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.unpaired import Estimate, shift


def estimate(values: list[float]) -> Estimate:
    """The mean of rounds, each of which has one value."""
    rounds = Jackknife.over(np.ones(len(values), np.bool_))
    weights = rounds.weights()
    return Estimate.of(weights @ np.array(values) / weights.sum(axis=1), rounds)


def test_two_runs_are_compared_by_welch_s_test() -> None:
    """The jackknife of a mean is its usual standard error, so the test is Welch's of the rounds' values."""
    old, new = [20.0, 21.0, 19.0, 23.0, 17.0], [24.0, 24.5, 25.0, 23.5, 24.0, 25.0, 24.0]
    errors = [np.var(values, ddof=1) / len(values) for values in (old, new)]
    found = shift([estimate(old)], estimate(new))
    assert found.delta == pytest.approx(np.mean(new) - np.mean(old))
    assert found.error == pytest.approx(np.sqrt(sum(errors)))
    assert found.freedom == pytest.approx(sum(errors) ** 2 / (errors[0] ** 2 / 4 + errors[1] ** 2 / 6))
    low, high = found.interval() or (0, 0)
    assert 0 < low < found.delta < high
    assert (found.p_value() or 1) < 0.05


def test_runs_without_any_spread() -> None:
    one = Estimate(1.0, 0.0, 4)
    assert shift([one], one).p_value() == 1
    assert shift([one], Estimate(0.5, 0.0, 4)).p_value() == 0


def test_a_single_round_has_no_interval() -> None:
    found = shift([Estimate(1.0, 0.1, 4)], Estimate(2.0, None, 1))
    assert (found.delta, found.interval(), found.p_value()) == (1, None, None)


def test_several_old_runs_say_how_far_runs_lie_apart() -> None:
    """A prediction interval: the mean of n, its spread s, and t of n - 1 degrees times s √(1 + 1/n)."""
    old = [Estimate(value, 0.001, 4) for value in (9.0, 10.0, 11.0)]
    low, high = shift(old, Estimate(10.0, 0.001, 4)).interval() or (0, 0)
    assert (low, high) == pytest.approx((-4.9683, 4.9683), abs=1e-3)


def test_old_runs_that_happen_to_agree_are_as_far_apart_as_their_rounds_say() -> None:
    old = [Estimate(10.0, 1.0, 4)] * 3
    assert shift(old, Estimate(12.0, 1.0, 4)).p_value() == pytest.approx(0.2254, abs=1e-3)
