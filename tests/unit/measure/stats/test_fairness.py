"""Jain's index of fairness, by hand."""

from __future__ import annotations

import pytest

from loadgen.measure.stats.fairness import jain_index


@pytest.mark.parametrize(
    ("counts", "index"),
    [
        ([5, 5, 5], 1.0),
        ([9, 0, 0], 1 / 3),
        ([1, 1, 0, 0], 0.5),  # as uneven as two of four
        ([2, 1], 0.9),
        ([7], None),
        ([], None),
        ([0, 0], None),
    ],
)
def test_the_index(counts: list[int], index: float | None) -> None:
    assert jain_index(counts) == (None if index is None else pytest.approx(index))
