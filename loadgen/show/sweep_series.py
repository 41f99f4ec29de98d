"""Which cells of a sweep make one line of a chart, those that differ in that chart's axis alone, and where K lies.

Draws nothing.
"""

from __future__ import annotations

from typing import Literal

from loadgen.measure.labels import CELL_KEYS, labels
from loadgen.model.sweep_summary import SweepSummary

AxisName = Literal["users", "rate", "gap", "size"]
ValueKey = Literal["users", "rate", "gap_ns", "size"]
_UNLIMITED = 3  # an unlimited K is drawn this many times as far out as the largest limit; the axis between is in 1 / K


def k_on_axis(k: float | None, largest: float) -> float:
    """The position of K on an axis; None, an unlimited K, is at its end."""
    if k is not None and k <= largest:
        return k
    return largest * float(_UNLIMITED ** (1 - (largest / k if k else 0)))


def series_along(sweep: SweepSummary, axis: AxisName, value: ValueKey) -> dict[str, list[str]]:
    """The names of each line's cells, in the order of the axis, by the line's label.

    axis: the one along which they lie. value: the key of a cell's value on it, as a number.
    """
    cells = sweep["cells"]
    others = [key for key in CELL_KEYS if key != axis]
    groups: dict[tuple[object, ...], list[str]] = {}
    for name in sorted(cells, key=lambda name: cells[name][value] or 0):
        groups.setdefault(tuple(cells[name].get(key) for key in others), []).append(name)
    ordered = sorted(groups.values(), key=lambda names: list(cells).index(names[0]))
    first: list[dict[str, object]] = [{key: cells[names[0]].get(key) for key in others} for names in ordered]
    return dict(zip(labels(first), ordered, strict=True))
