"""The chart of a history: the headline and the mean latencies over runs, a row of panels for each group of like plans.

Knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.model.characters import visible
from loadgen.model.history_record import HistoryGroup, HistoryRecord, HistoryRun
from loadgen.model.units import count
from loadgen.show.charts.style import (
    GREY,
    MAX_SERIES,
    duration_axis,
    new_page,
    say_empty,
    series_look,
    shortened,
    spread,
)
from loadgen.show.tables.history_rows import (
    RunFigure,
    by_latest_run,
    folder_of,
    mean_of,
    pairs_of,
    policies_of,
    ratio_of,
)

MAX_GROUPS = 8
"""Groups that one chart shows; of more the latest."""
_MAX_LABELS = 6

ValueOf = Callable[[HistoryRun], RunFigure]


def draw_history_lines(history: HistoryRecord) -> Figure:
    """Of the latest groups."""
    groups = by_latest_run(history)[-MAX_GROUPS:]
    left_out = len(history["groups"]) - len(groups)
    runs = sum(len(group["runs"]) for group in groups)
    figure = new_page(
        "What reuse buys, run by run",
        "Ratio of mean latencies, and mean latencies. Bars: 95 % intervals. Dotted: the environment changed.",
        f"{count(runs, 'run')}, {count(len(groups), 'plan')}"
        + (f"; not shown: {count(left_out, 'earlier plan')}" if left_out else ""),
        height=1.4 + 2.7 * max(1, len(groups)),
    )
    if not groups:
        say_empty(figure.subplots(), "no run")
        return figure
    for (left, right), group in zip(figure.subplots(len(groups), 2, squeeze=False), groups, strict=True):
        left.set_title(shortened(visible(group["title"]), 70), loc="left", fontsize=9)
        _draw_ratios(left, group)
        _draw_means(right, group)
        for axes in (left, right):
            _name_runs(axes, group)
    return figure


def _draw_ratios(axes: Axes, group: HistoryGroup) -> None:
    for number, pair in enumerate(pairs_of(group)[: MAX_SERIES - 1], 1):
        _draw_line(axes, group, f"{pair[1]} / {pair[0]}", number, lambda run, pair=pair: ratio_of(run, pair))  # type: ignore[misc] # bound here
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_ylabel("ratio")
    _add_legend(axes)


def _draw_means(axes: Axes, group: HistoryGroup) -> None:
    for number, name in enumerate(policies_of(group)[:MAX_SERIES]):
        _draw_line(axes, group, name, number, lambda run, name=name: mean_of(run, name))  # type: ignore[misc] # bound here
    axes.set_ylim(bottom=0)
    duration_axis(axes.yaxis)
    axes.set_ylabel("mean latency")
    _add_legend(axes)


def _draw_line(axes: Axes, group: HistoryGroup, label: str, number: int, figures: ValueOf) -> None:
    look: dict[str, Any] = series_look(number)
    found = [figures(run) for run in group["runs"]]
    values = [math.nan if value is None else value for value, _ in found]
    axes.plot(range(len(found)), values, label=visible(label), markersize=4, linewidth=1, **look)
    for at, (_, interval) in enumerate(found):
        if interval is not None:
            axes.plot([at, at], interval, color=look["color"], linewidth=1.2, marker="_", markersize=5)


def _add_legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc="best")


def _name_runs(axes: Axes, group: HistoryGroup) -> None:
    """The runs along the axis, and a dotted line before each whose environment is another."""
    runs = group["runs"]
    shown = spread(list(range(len(runs))), _MAX_LABELS)
    names = [shortened(visible(folder_of(runs[at])), 16) for at in shown]
    axes.set_xticks(shown, names, fontsize=7, rotation=20, ha="right")
    axes.set_xlim(-0.5, len(runs) - 0.5)
    for at, run in enumerate(runs):
        if run["changed"]:
            axes.axvline(at - 0.5, color=GREY, linewidth=0.9, linestyle=":")
