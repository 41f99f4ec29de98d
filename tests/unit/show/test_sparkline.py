"""Series of numbers as bars of text."""

from __future__ import annotations

import pytest

from loadgen.show.sparkline import bars, condensed, falling


def test_heights_are_shares_of_the_top() -> None:
    assert bars([1, 2, 4, 8, None, 0], 6, 8) == ["▁▂▄█ ▁"]


def test_higher_charts_have_finer_steps() -> None:
    assert bars([8, 9, 16, 1], 4, 16, lines=2) == [" ▁█", "███▁"]


def test_a_few_bars_are_wide_and_keep_their_width() -> None:
    first = bars([8], 30, 8, places=5)
    assert first == ["██"]
    assert bars([8, 4], 30, 8, places=5) == ["██ ▄▄"]
    assert bars([8, 4], 11, 8, places=5) == ["█ ▄"]


@pytest.mark.parametrize("columns", [1, 7, 40])
def test_many_values_are_condensed(columns: int) -> None:
    (line,) = bars([5.0] * 301, columns, 5, places=400)
    assert 0 < len(line) <= columns
    assert set(line) <= {"█"}


def test_condensed_values_are_means_of_those_that_are_known() -> None:
    assert condensed([1, 3, None, 5, None, None], 6, 3) == [2, 5, None]


def test_without_room_or_values_nothing_is_drawn() -> None:
    assert bars([1, 2], 0, 2, lines=2) == ["", ""]
    assert bars([], 9, 0) == [""]
    assert falling([None]) == [None]


def test_what_falls_by_factors_falls_in_even_steps() -> None:
    found = falling([None, 0.4, 0.2, 0.1], aim=0.05)
    assert found[0] is None
    assert found[1:] == pytest.approx([1, 2 / 3, 1 / 3])
    assert falling([0.05], aim=0.05) == [0]
