"""Resampling of rounds: the draws, the widened tail, and whether a 95 % interval covers what it should."""

from __future__ import annotations

from collections import Counter
from itertools import product
from time import process_time

import numpy as np
import pytest

from loadgen.measure.stats.bootstrap import BootstrapDraws, draws, expanded_tail


@pytest.mark.parametrize("rounds", [0, 1, 2, 3, 5, 7, 8, 30])
def test_draws_take_as_many_rounds_as_there_are(rounds: int) -> None:
    chosen = draws(rounds, seed=1)
    assert chosen.weights.shape == (len(chosen.probabilities), rounds)
    assert (chosen.weights >= 0).all()
    assert (chosen.weights.sum(axis=1) == rounds).all()
    assert chosen.probabilities.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_the_listing_equals_brute_force(rounds: int) -> None:
    every = Counter(tuple(pick.count(one) for one in range(rounds)) for pick in product(range(rounds), repeat=rounds))
    chosen = draws(rounds, seed=1)
    listed = dict(zip(map(tuple, chosen.weights.astype(int).tolist()), chosen.probabilities, strict=True))
    assert len(listed) == len(chosen.weights)  # no draw is listed twice
    assert listed == pytest.approx({pick: count / rounds**rounds for pick, count in every.items()})


@pytest.mark.parametrize(("rounds", "random"), [(7, False), (8, True)])
def test_the_seed_decides_only_where_draws_are_random(rounds: int, random: bool) -> None:
    assert np.array_equal(draws(rounds, seed=1).weights, draws(rounds, seed=1).weights)
    assert np.array_equal(draws(rounds, seed=1).weights, draws(rounds, seed=2).weights) is not random


def test_random_draws_favour_no_round() -> None:
    assert draws(20, seed=3).weights.mean(axis=0) == pytest.approx(np.ones(20), abs=0.1)


# t as any table has it; the tail is Φ(-√(n/(n-1)) · t).
@pytest.mark.parametrize(
    ("rounds", "t"), [(2, 12.7062), (3, 4.30265), (4, 3.18245), (5, 2.77645), (10, 2.26216), (31, 2.04227)]
)
def test_expanded_tail_follows_student_t(rounds: int, t: float) -> None:
    assert expanded_tail(rounds) == pytest.approx(normal_cdf(-t * (rounds / (rounds - 1)) ** 0.5), rel=2e-3)


@pytest.mark.parametrize(("rounds", "tail"), [(5, 0.00096), (10, 0.0086), (1_000, 0.0249)])
def test_expanded_tail_nears_two_and_a_half_percent(rounds: int, tail: float) -> None:
    assert expanded_tail(rounds) == pytest.approx(tail, rel=0.02)


@pytest.mark.parametrize("rounds", [0, 1])
def test_one_round_has_no_interval(rounds: int) -> None:
    chosen = draws(rounds, seed=1)
    assert chosen.interval(np.zeros(len(chosen.weights))) is None


def test_a_draw_without_a_value_leaves_no_interval() -> None:
    chosen = draws(3, seed=1)
    values = np.ones(len(chosen.weights))
    values[0] = np.nan
    assert chosen.interval(values) is None


def test_equal_rounds_give_a_point() -> None:
    assert interval_of_mean(draws(5, seed=1), np.full(5, 42.0)) == (42.0, 42.0)


@pytest.mark.parametrize("rounds", [3, 5, 7, 12])
def test_the_interval_lies_around_the_mean_and_within_the_rounds(rounds: int) -> None:
    values = np.random.default_rng(5).normal(100, 10, rounds)
    low, high = interval_of_mean(draws(rounds, seed=1), values)
    rounding = 1e-9
    assert values.min() - rounding <= low < values.mean() < high <= values.max() + rounding


def test_the_interval_of_mirrored_rounds_is_mirrored() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    low, high = interval_of_mean(draws(5, seed=1), values)
    assert interval_of_mean(draws(5, seed=1), -values) == pytest.approx((-high, -low))


@pytest.mark.parametrize("rounds", [5, 10])
def test_coverage_of_the_interval(rounds: int) -> None:
    """Whole rounds are faster or slower, by a normal error: does the interval hold the truth often enough?"""
    random = np.random.default_rng(2024)
    chosen = draws(rounds, seed=1)
    hits = 0
    for values in random.normal(1_000, 50, (600, rounds)):
        low, high = interval_of_mean(chosen, values)
        hits += low <= 1_000 <= high
    assert 0.88 <= hits / 600 <= 0.99


def test_draws_and_intervals_are_quick() -> None:
    begun = process_time()
    for rounds in (5, 7, 30):
        chosen = draws(rounds, seed=1)
        values = chosen.weights @ np.arange(rounds)
        for _ in range(60):  # a curve has as many points
            chosen.interval(values)
    assert process_time() - begun < 1.0


def interval_of_mean(chosen: BootstrapDraws, values: np.ndarray) -> tuple[float, float]:
    interval = chosen.interval(chosen.weights @ values / len(values))
    assert interval is not None
    return interval


def normal_cdf(x: float) -> float:
    """By Simpson's rule over the density, so as not to ask the library that is under test."""
    grid = np.linspace(-25, x, 200_001)
    height = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    step = grid[1] - grid[0]
    return float(step / 3 * (height[0] + height[-1] + 4 * height[1:-1:2].sum() + 2 * height[2:-1:2].sum()))
