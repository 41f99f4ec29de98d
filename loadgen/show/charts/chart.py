"""What a chart is: a function from summary to figure, and whether it says anything about a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from loadgen.model.summary import Summary
from loadgen.show.charts.style import MAX_SERIES


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `draw` is called where `applies` is true, also for a run in which nothing was answered."""

    name: str
    """The name of its files."""
    draw: Callable[[Summary], Figure]
    applies: Callable[[Summary], bool]


def few_lines(summary: Summary) -> bool:
    """A line for each policy can be told from the others."""
    return len(summary["policies"]) <= MAX_SERIES
