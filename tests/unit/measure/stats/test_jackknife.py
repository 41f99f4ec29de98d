"""Leaving out rounds: which ones, and intervals that equal the textbook's where the textbook has one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from loadgen.measure.stats.jackknife import MAX_GROUPS, Jackknife

T4 = 2.7764451  # Student's t with four degrees of freedom, 97.5 %
VALUES = np.array([3.0, 5.0, 4.0, 8.0, 6.0])


def every(rounds: int, widening: float = 1.0) -> Jackknife:
    return Jackknife.over(np.ones(rounds, np.bool_), widening)


def means(jackknife: Jackknife, values: Sequence[float] | np.ndarray) -> np.ndarray:
    weights = jackknife.weights()
    return np.asarray(weights @ np.asarray(values) / weights.sum(axis=1))


def test_every_round_counts_and_then_all_but_one() -> None:
    weights = Jackknife.over(np.array([True, False, True])).weights()
    assert weights.tolist() == [[1, 0, 1], [0, 0, 1], [1, 0, 0]]


def test_of_very_many_rounds_neighbours_are_left_out_together() -> None:
    active = np.arange(1_000) % 4 > 0
    found = Jackknife.over(active)
    assert len(found.groups) == MAX_GROUPS
    assert np.concatenate(found.groups).tolist() == np.flatnonzero(active).tolist()
    assert {len(group) for group in found.groups} == {3, 4}
    assert found.weights()[0].tolist() == active.tolist()


def test_the_interval_of_a_mean_is_the_textbooks() -> None:
    margin = T4 * VALUES.std(ddof=1) / math.sqrt(5)
    jackknife = every(5)
    assert jackknife.interval(means(jackknife, VALUES)) == pytest.approx((5.2 - margin, 5.2 + margin))


def test_a_wider_interval_tests_as_much_stricter() -> None:
    values = np.exp(means(every(5), VALUES))
    (low, high), (lower, higher) = every(5).ratio_interval(values) or [], every(5, 1.5).ratio_interval(values) or []
    assert math.log(higher / lower) == pytest.approx(1.5 * math.log(high / low))
    p_value = every(5, 1.5).p_value(values)
    assert p_value is not None
    assert p_value > (every(5).p_value(values) or 0)


def test_the_interval_of_a_ratio_is_that_of_its_logarithm() -> None:
    jackknife = every(5)
    low, high = jackknife.interval(means(jackknife, VALUES)) or (0, 0)
    found = jackknife.ratio_interval(np.exp(means(jackknife, VALUES)))
    assert found == pytest.approx([math.exp(low), math.exp(high)])
    assert jackknife.duration_interval(np.exp(means(jackknife, VALUES))) == [
        round(math.exp(low)),
        round(math.exp(high)),
    ]


@pytest.mark.parametrize("shift", [0.0, 0.01, -0.01])
def test_the_p_value_is_five_percent_where_the_interval_ends_at_no_difference(shift: float) -> None:
    margin = T4 * VALUES.std(ddof=1) / math.sqrt(5)
    jackknife = every(5)
    ratios = np.exp(means(jackknife, VALUES - VALUES.mean() + margin + shift))
    low, _ = jackknife.ratio_interval(ratios) or (0, 0)
    p_value = jackknife.p_value(ratios)
    assert p_value is not None
    assert (p_value < 0.05) == (low > 1) or shift == 0
    assert p_value == pytest.approx(0.05, abs=1e-6 if not shift else 0.01)


def test_equal_rounds_give_a_point() -> None:
    assert every(5).ratio_interval(np.full(6, 2.0)) == pytest.approx([2, 2])
    assert every(5).p_value(np.full(6, 2.0)) == 0
    assert every(5).p_value(np.full(6, 1.0)) == 1


@pytest.mark.parametrize("rounds", [0, 1])
def test_one_round_has_no_interval(rounds: int) -> None:
    jackknife = every(rounds)
    values = np.ones(len(jackknife.weights()))
    assert jackknife.interval(values) is jackknife.ratio_interval(values) is jackknife.p_value(values) is None
    assert jackknife.duration_interval(values) is jackknife.difference_interval(values) is None


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0])
def test_without_a_value_somewhere_there_is_no_interval_of_factors(bad: float) -> None:
    assert every(3).ratio_interval(np.array([1.0, 1.0, bad, 1.0])) is None
    assert every(3).p_value(np.array([1.0, 1.0, bad, 1.0])) is None


@pytest.mark.parametrize("other", [1e9, 1e100])
def test_a_bound_that_means_nothing_is_no_interval(other: float) -> None:
    """Two rounds that have little in common, and 12.7 standard errors: no number of 64 bits, and then no number."""
    values = np.array([math.sqrt(other), other, 1.0])
    assert every(2).duration_interval(values) is every(2).ratio_interval(values) is None
    assert (every(2).difference_interval(values) is None) == (other > 1e30)
