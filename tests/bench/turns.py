"""Figures taken in turns: alternation, medians with quartiles, ratios turn by turn. Knows not what is measured.

Machines drift. Ways that take turns meet the same drift, so only figures of the same turn are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Spread(NamedTuple):
    """The quartiles of a list of figures."""

    low: float
    median: float
    high: float

    def text(self, digits: int = 1, unit: str = "") -> str:
        """The median, and the quartiles in brackets."""
        return f"{self.median:.{digits}f}{unit} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def spread(figures: Sequence[float]) -> Spread:
    """The quartiles. Raises ValueError where there is no figure."""
    if not figures:
        raise ValueError("no figure was measured")
    if len(figures) == 1:
        return Spread(figures[0], figures[0], figures[0])
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return Spread(low, median(figures), high)


def ratios(tops: Sequence[float], bottoms: Sequence[float]) -> Spread:
    """The quartiles of top / bottom, turn by turn."""
    return spread([top / bottom for top, bottom in zip(tops, bottoms, strict=True)])


def differences(ones: Sequence[float], others: Sequence[float]) -> Spread:
    """The quartiles of one - other, turn by turn."""
    return spread([one - other for one, other in zip(ones, others, strict=True)])


def in_turns(ways: Mapping[str, Callable[[], T]], turns: int) -> dict[str, list[T]]:
    """`turns` figures of each way; every second turn runs in the opposite order, so that no way is always the first."""
    figures: dict[str, list[T]] = {name: [] for name in ways}
    for turn in range(turns):
        for name in list(ways) if turn % 2 == 0 else reversed(list(ways)):
            figures[name].append(ways[name]())
    return figures


def against_bar(figure: float, bar: float, stretch: float) -> str:
    """Whether a figure that should be high reaches the bar, and the stretch."""
    reached = "stretch reached" if figure >= stretch else "bar reached" if figure >= bar else "below the bar"
    return f"≥ {bar:g} ({stretch:g}): {reached}"


def below_bar(figure: float, bar: float, stretch: float) -> str:
    """Whether a figure that should be low keeps the bar, and the stretch."""
    kept = "stretch reached" if figure <= stretch else "bar reached" if figure <= bar else "above the bar"
    return f"≤ {bar:g} ({stretch:g}): {kept}"
