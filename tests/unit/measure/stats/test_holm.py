"""Holm's procedure on the example of a textbook, and where there is nothing to test."""

from __future__ import annotations

import pytest

from loadgen.measure.stats.holm import adjusted_p_values, holm


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        # 0.005 <= 0.05 / 4 and 0.01 <= 0.05 / 3, but 0.03 > 0.05 / 2: that one stops, and so does 0.04 after it.
        ([0.01, 0.04, 0.03, 0.005], [True, False, False, True]),
        ([0.05], [True]),
        ([0.0500001], [False]),
        ([0.03, 0.03], [False, False]),
        ([0.025, 0.05], [True, True]),
        ([None, 0.05, None], [False, True, False]),
        ([], []),
    ],
)
def test_what_is_rejected(p_values: list[float | None], rejected: list[bool]) -> None:
    assert holm(p_values) == rejected


def test_a_stricter_error_rate() -> None:
    assert holm([0.02, 0.004], 0.01) == [False, True]


def test_adjusted_p_values_are_what_the_family_needs() -> None:
    """The smallest three times, the next twice, and none smaller than the one before."""
    assert adjusted_p_values([0.01, 0.4, 0.02]) == pytest.approx([0.03, 0.4, 0.04])
    assert adjusted_p_values([0.03, 0.02, 0.9]) == pytest.approx([0.06, 0.06, 0.9])
    assert adjusted_p_values([]) == []
