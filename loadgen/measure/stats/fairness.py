"""How evenly a few counts are spread, as one number. Knows neither addresses nor policies."""

from __future__ import annotations

from collections.abc import Sequence


def jain_index(counts: Sequence[int]) -> float | None:
    """Jain's index of fairness, (Σx)² / (n Σx²): 1 where all are equal, 1/n where one of n has everything.

    n times the index is the number of equal ones that would be as uneven. None where there are fewer than two counts,
    or nothing was counted. R. Jain, D. Chiu, W. Hawe: A Quantitative Measure of Fairness, DEC-TR-301, 1984.
    """
    total = sum(counts)
    if len(counts) < 2 or not total:
        return None
    return total * total / (len(counts) * sum(one * one for one in counts))
