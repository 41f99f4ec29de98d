"""The distance of values from a distribution, and what a tolerance forgives."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.stats.distance import distance, exponential, uniform


def test_it_is_the_largest_gap_between_steps_and_curve() -> None:
    """Steps at 0.1, 0.4 and 0.9 of a uniform distribution: 2/3 of the values up to 0.4, so 2/3 - 0.4."""
    assert distance(np.array([0.9, 0.1, 0.4]), uniform(1)) == pytest.approx(2 / 3 - 0.4)


def test_values_on_one_side_are_far() -> None:
    assert distance(np.full(100, 0.5), uniform(1)) == pytest.approx(0.5)


def test_a_tolerance_forgives_shifts_up_to_it() -> None:
    exact = (np.arange(1_000) + 0.5) / 1_000
    shifted = exact + 0.05
    assert distance(shifted, uniform(1)) == pytest.approx(0.05, abs=0.001)
    assert distance(shifted, uniform(1), 0.05) == pytest.approx(0, abs=0.001)
    assert distance(shifted, uniform(1), 0.03) == pytest.approx(0.02, abs=0.001)


def test_with_a_tolerance_it_is_never_farther() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = rng.exponential(2.0, 50)
        assert distance(values, exponential(2.0), 0.1) <= distance(values, exponential(2.0))


def test_exponential_intervals_are_near_and_constant_ones_far() -> None:
    values = np.random.default_rng(6).exponential(5.0, 10_000)
    assert distance(values, exponential(5.0)) < 0.02
    assert distance(np.full(10_000, 5.0), exponential(5.0), 0.25) > 0.5
