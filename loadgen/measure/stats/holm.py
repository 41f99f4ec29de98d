"""Several tests as one family: the probability of any false claim among them is kept. Knows no samples."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None], error_rate: float = 0.05) -> list[bool]:
    """Which tests reject their hypothesis, if all of them together may do so wrongly with `error_rate` only.

    One without a p value (None) rejects nothing, and counts as no test. S. Holm, "A simple sequentially rejective
    multiple test procedure", Scand. J. Stat. 6, 1979: holds however the tests depend on each other.
    """
    ordered = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    rejected = [False] * len(p_values)
    for left, (p, number) in zip(range(len(ordered), 0, -1), ordered, strict=True):
        if p > error_rate / left:
            break
        rejected[number] = True
    return rejected


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """By the same procedure: the lowest error rate of the family with which each test rejects its hypothesis."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, reached = [0.0] * len(p_values), 0.0
    for rank, number in enumerate(order):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[number]))
        found[number] = reached
    return found
