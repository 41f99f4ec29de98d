"""Several tests as one family: the probability of any false claim among them is kept. Knows no samples.

By S. Holm's procedure, which holds however the tests depend on each other ("A simple sequentially rejective multiple
test procedure", Scand. J. Stat. 6, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None], error_rate: float = 0.05) -> list[bool]:
    """Which tests reject their hypothesis, if all of them together may do so wrongly with `error_rate` only.

    One without a p value (None) rejects nothing, and counts as no test.
    """
    adjusted = iter(adjusted_p_values([p for p in p_values if p is not None]))
    return [p is not None and next(adjusted) <= error_rate for p in p_values]


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """The lowest error rate of the family with which each test rejects its hypothesis."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, reached = [0.0] * len(p_values), 0.0
    for rank, number in enumerate(order):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[number]))
        found[number] = reached
    return found
