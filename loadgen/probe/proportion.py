"""How well a proportion is known from a few tries. Knows no probe."""

from __future__ import annotations

from math import sqrt

_Z95 = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """Interval of 95 % for a proportion (Wilson, J. Am. Stat. Assoc. 22, 1927); (0, 1) where nothing was tried."""
    if not tries:
        return 0.0, 1.0
    share, spread = hits / tries, _Z95 * _Z95 / tries
    middle = share + spread / 2
    half = _Z95 * sqrt(share * (1 - share) / tries + spread / (4 * tries))
    low, high = ((middle + sign * half) / (1 + spread) for sign in (-1, 1))
    # Rounding would leave a trace of a proportion where there is none.
    return (0.0 if not hits else max(0.0, low)), (1.0 if hits == tries else min(1.0, high))


def largest_unseen(tries: int) -> float:
    """The largest share of something that no try has shown; 95 % certain (Clopper-Pearson)."""
    return 1.0 if not tries else 1.0 - 0.05 ** (1 / tries)
