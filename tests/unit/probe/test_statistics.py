"""Proportions, medians and even spreads of a few tries, against published values."""

from __future__ import annotations

import pytest

from loadgen.probe.evenness import chi_squared_tail, even_p_value, evenness_text
from loadgen.probe.medians import median_of, median_text
from loadgen.probe.proportion import largest_unseen, wilson


def test_a_proportion_has_its_interval() -> None:
    assert wilson(3, 10) == pytest.approx((0.1078, 0.6032), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(10, 10)[1] == 1
    assert wilson(0, 0) == (0, 1)


def test_what_was_never_seen_may_have_a_share() -> None:
    assert largest_unseen(0) == 1
    assert largest_unseen(300) == pytest.approx(3 / 300, rel=0.01)  # the rule of three


@pytest.mark.parametrize(
    ("number", "interval"),
    [(1, (0, 0)), (5, (0, 4)), (6, (0, 5)), (9, (1, 7)), (12, (2, 9)), (15, (3, 11))],
)
def test_a_median_has_an_interval_of_order_statistics(number: int, interval: tuple[int, int]) -> None:
    found = median_of(range(number))
    assert (found.low, found.high) == interval
    assert found.middle == (number - 1) / 2


def test_a_median_is_certain_if_its_interval_leaves_zero_out() -> None:
    assert median_of([1, 2, 3]).is_certain
    assert median_of([-1, -2, -3]).is_certain
    assert not median_of([-1, 2, 3]).is_certain


@pytest.mark.parametrize(("degrees", "value"), [(1, 3.841), (2, 5.991), (3, 7.815), (4, 9.488), (5, 11.070)])
def test_chi_squared_is_as_in_the_tables(degrees: int, value: float) -> None:
    assert chi_squared_tail(value, degrees) == pytest.approx(0.05, abs=1e-4)


def test_even_counts_are_probable_and_uneven_ones_are_not() -> None:
    assert even_p_value([16, 16]) == 1
    assert (even_p_value([28, 4]) or 1) < 0.001
    assert even_p_value([32]) is None
    assert [evenness_text(one) for one in (None, 0.4, 0.004, 1e-9)] == [
        "", "; even, p = 0.4", "; uneven, p = 0.004", "; uneven, p < 0.0001",
    ]  # fmt: skip
    assert even_p_value([4, 3]) is None


def test_a_median_is_written_with_its_interval_in_one_unit() -> None:
    assert median_text([3_000_000, 3_020_000, 3_040_000]) == "3.02 ms [3.00, 3.04]"
