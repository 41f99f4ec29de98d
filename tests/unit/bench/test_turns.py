"""Alternation, quartiles and ratios of the benchmark."""

from __future__ import annotations

from functools import partial

import pytest

from tests.bench.turns import Spread, against_bar, below_bar, differences, in_turns, ratios, spread


def test_ways_take_turns_and_none_is_always_first() -> None:
    order: list[str] = []

    def way(name: str) -> int:
        order.append(name)
        return len(order)

    figures = in_turns({name: partial(way, name) for name in "ab"}, 3)
    assert "".join(order) == "abbaab"
    assert figures == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_quartiles() -> None:
    assert spread([1, 2, 3, 4, 5]) == Spread(2, 3, 4)
    assert spread([7.0]) == Spread(7, 7, 7)
    with pytest.raises(ValueError, match="no figure"):
        spread([])


def test_ratios_and_differences_are_of_the_same_turn() -> None:
    # Each turn says 2 ×, however much the machine drifted between turns.
    assert ratios([20, 40, 200], [10, 20, 100]) == Spread(2, 2, 2)
    assert differences([20, 40, 200], [10, 30, 190]) == Spread(10, 10, 10)
    with pytest.raises(ValueError, match="zip"):
        ratios([1], [1, 2])


def test_text_shows_the_median_and_the_quartiles() -> None:
    assert Spread(0.5, 0.75, 1).text(2, " ×") == "0.75 × [0.50, 1.00]"


@pytest.mark.parametrize(
    ("figure", "said"),
    [(0.79, "below the bar"), (0.8, "bar reached"), (1.1, "stretch reached"), (2, "stretch reached")],
)
def test_high_is_good(figure: float, said: str) -> None:
    assert against_bar(figure, 0.8, 1.1) == f"≥ 0.8 (1.1): {said}"


@pytest.mark.parametrize(
    ("figure", "said"), [(31, "above the bar"), (30, "bar reached"), (10, "stretch reached"), (-5, "stretch reached")]
)
def test_low_is_good(figure: float, said: str) -> None:
    assert below_bar(figure, 30, 10) == f"≤ 30 (10): {said}"
