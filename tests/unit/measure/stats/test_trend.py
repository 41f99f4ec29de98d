"""The slope of values over time, and how certain it is."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.stats.trend import trend


def test_a_line_is_found_whole() -> None:
    found = trend(np.arange(6.0), 3 + 0.5 * np.arange(6.0))
    assert found is not None
    assert found.change == pytest.approx(2.5)
    assert found.p_value == 0


def test_values_that_do_not_vary_have_no_trend() -> None:
    found = trend(np.arange(6.0), np.full(6, 7.0))
    assert found is not None
    assert (found.change, found.p_value) == (0, 1)


def test_the_p_value_is_that_of_the_t_test() -> None:
    """By hand: the slope of 0.6 explains 3.6 of 5.2, so t² = 3.6 * 3 / 1.6, with 3 degrees of freedom."""
    found = trend(np.arange(5.0), np.array([1.0, 3.0, 2.0, 3.0, 4.0]))
    assert found is not None
    assert found.change == pytest.approx(0.6 * 4)
    assert found.p_value == pytest.approx(0.0805096, abs=1e-6)


def test_times_may_have_holes() -> None:
    found = trend(np.array([0.0, 1, 2, 5, 9]), np.array([0.0, 1, 2, 5, 9]))
    assert found is not None
    assert found.change == pytest.approx(9)


def test_four_values_are_too_few() -> None:
    assert trend(np.arange(4.0), np.arange(4.0)) is None
