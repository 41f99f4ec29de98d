"""Is something spread evenly? Pearson's chi-squared test for a few counts. Knows no probe."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, pi, sqrt

MIN_EXPECTED = 5
"""Below this many in each place, the test's probabilities are not right (Cochran, Biometrics 10, 1954)."""


UNEVEN_P = 0.01
"""Counts that are less probable than this are called uneven."""


def evenness_text(p_value: float | None) -> str:
    """`; even, p = 0.4`, to be added to counts; empty where nothing can be said."""
    if p_value is None:
        return ""
    return f"; {'un' if p_value < UNEVEN_P else ''}even, p {'< 0.0001' if p_value < 0.0001 else f'= {p_value:.2g}'}"


def even_p_value(counts: Sequence[int]) -> float | None:
    """How probable counts as uneven as these are where all places are equally likely.

    None where that can't be said: there are fewer than two places, or too few were counted.
    """
    places, total = len(counts), sum(counts)
    if places < 2 or total < MIN_EXPECTED * places:
        return None
    expected = total / places
    return chi_squared_tail(sum((one - expected) ** 2 for one in counts) / expected, places - 1)


def chi_squared_tail(value: float, degrees: int) -> float:
    """The probability of more than `value` with such degrees of freedom (Abramowitz and Stegun 26.4.4, 26.4.5)."""
    half = value / 2
    term, total = (exp(-half), 0.0) if degrees % 2 == 0 else (sqrt(2 * value / pi) * exp(-half), erfc(sqrt(half)))
    start = 2 if degrees % 2 == 0 else 3
    for number in range(start, degrees + 1, 2):
        total += term
        term *= value / number
    return min(1.0, total)
