"""A series of numbers as bars of text: one line, or several for a finer scale. Knows no terminal and no unit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadgen.show.text_histogram import BARS

Series = Sequence[float | None]
"""None stands for a place without a value."""

_STEPS = len(BARS) - 1
_MAX_BAR_COLUMNS = 3
"""A few wide bars are easier to see than a few thin ones; a blank behind each keeps them apart."""


def condensed(values: Series, places: int, columns: int) -> list[float | None]:
    """The means of neighbours, so that `places` values would take at most this many columns."""
    merged = max(1, math.ceil(max(places, len(values)) / columns))
    found: list[float | None] = []
    for start in range(0, len(values), merged):
        known = [value for value in values[start : start + merged] if value is not None]
        found.append(sum(known) / len(known) if known else None)
    return found


def bars(values: Series, columns: int, top: float, *, places: int = 0, lines: int = 1) -> list[str]:
    """Bars from 0 to `top`, as lines from the highest to the lowest, each at most `columns` wide.

    places: how many values there will be in the end, so that bars need not become narrower as they come. What is there
    at all can be seen. Lines have no blanks at their ends.
    """
    if columns < 1:
        return [""] * lines
    shown = condensed(values, places, columns)
    width = max(1, min(_MAX_BAR_COLUMNS, columns // max(1, places, len(shown))))
    heights = [_height(value, top, lines * _STEPS) for value in shown]
    gap = " " if width > 1 else ""
    return [
        "".join(_bar(height - below * _STEPS) * (width - len(gap)) + gap for height in heights).rstrip()
        for below in reversed(range(lines))
    ]


def falling(values: Series, aim: float | None = None) -> list[float | None]:
    """Series that fall by factors, on a logarithmic scale for `bars` with a top of 1.

    The largest is 1. The aim is 0, or else half of the smallest value.
    """
    known = [value for value in values if value]
    if not known:
        return [None] * len(values)
    low, high = math.log(aim or min(known) / 2), math.log(max(known))
    span = max(high - low, math.log(2))
    return [None if not value else max(0.0, (math.log(value) - low) / span) for value in values]


def _bar(steps: int) -> str:
    return BARS[min(_STEPS, max(0, steps))]


def _height(value: float | None, top: float, steps: int) -> int:
    if value is None or top <= 0:
        return 0
    return max(1, min(steps, round(value / top * steps)))
