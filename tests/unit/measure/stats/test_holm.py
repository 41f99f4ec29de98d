"""Holm's procedure on the example of a textbook, and where there is nothing to test."""

from __future__ import annotations

import pytest

from loadgen.measure.stats.holm import holm


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
