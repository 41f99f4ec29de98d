"""The frame that charts of horizontal bars share: one row a policy, from the first at the top to the last."""

from __future__ import annotations

from matplotlib.axes import Axes

from loadgen.model.summary import Summary
from loadgen.show.ordering import MAX_BARS

_ROW_INCHES = 0.62


def few_bars(summary: Summary) -> bool:
    """A bar for each policy fits on one page."""
    return len(summary["policies"]) <= MAX_BARS


def bars_height(policies: int, around: float = 2.1) -> float:
    """Height in inches of a figure with a bar for each of `policies`; around: what title, axis and footer take."""
    return around + _ROW_INCHES * policies


def frame_rows(axes: Axes, names: list[str]) -> None:
    """Name the rows, and have the first at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
