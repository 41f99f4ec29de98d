"""The chart of a diff: the mean latency of each policy in the old runs and in the new one, and by how much it changed.

Knows no file; `draw_diff` gives the files' contents.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from loadgen.measure.diff.diff_verdict import any_change
from loadgen.model.characters import visible
from loadgen.model.diff_record import Change, DiffRecord
from loadgen.model.units import format_duration, format_number
from loadgen.show.charts.bars import bars_height, frame_rows
from loadgen.show.charts.style import BLUE, GREY, VERMILLION, duration_axis, new_page, say_empty, shortened, wrapped
from loadgen.show.tables.run_changes import old_runs

_MAX_ROWS = 24
_HALF_BAR = 0.19


def draw_change_bars(diff: DiffRecord) -> Figure:
    """Of the first policies that fit on one page."""
    rows = {name: one["latency_ns"]["mean"] for name, one in list(diff["policies"].items())[:_MAX_ROWS]}
    changed = [name for name, one in rows.items() if one["is_certain"]]
    title = (
        f"Changed for certain: {shortened(', '.join(changed), 60)}"
        if changed
        else "No certain change of the mean latency"
    )
    if not changed and any_change(diff):
        title = "No certain change of a mean latency; other statistics changed"
    figure = new_page(
        visible(title),
        "Mean latency, and new / old. Lines: 95 % intervals of the change.",
        shortened(visible(f"old: {old_runs(diff)} · new: {diff['new']['path']}"), 120),
        height=bars_height(max(1, len(rows))),
    )
    if not rows:
        say_empty(figure.subplots(), "no policy was answered in each of the runs")
        return figure
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_means(left, rows)
    _draw_ratios(right, rows)
    return figure


def _draw_means(axes: Axes, rows: dict[str, Change]) -> None:
    longest = max(max(one["old"] or 0, one["new"] or 0) for one in rows.values())
    for at, one in enumerate(rows.values()):
        for offset, side, colour in ((-_HALF_BAR, one["old"], GREY), (_HALF_BAR, one["new"], BLUE)):
            axes.barh(at + offset, side or 0, height=2 * _HALF_BAR, color=colour, alpha=0.85)
            axes.text((side or 0) + longest * 0.015, at + offset, format_duration(side or 0), va="center", fontsize=8)
    frame_rows(axes, [wrapped(visible(name)) for name in rows])
    axes.set_xlim(0, longest * 1.25 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    duration_axis(axes.xaxis)
    axes.set_xlabel("mean latency (above: old, below: new)")


def _draw_ratios(axes: Axes, rows: dict[str, Change]) -> None:
    """Each ratio with its interval, around the line of no change."""
    ends = [1.0]
    for at, one in enumerate(rows.values()):
        ratio, interval = one["ratio"], one["ratio_ci95"]
        if ratio is None:
            continue
        colour = VERMILLION if one["is_certain"] else GREY
        if interval is not None:
            axes.plot(interval, [at, at], color=colour, linewidth=1.4, marker="|", markersize=9)
        axes.plot([ratio], [at], color=colour, marker="o")
        axes.annotate(
            f"{format_number(ratio, 3)}×", (ratio, at), (0, 7), textcoords="offset points", ha="center", fontsize=8
        )
        ends += [ratio, *(interval or ())]
    axes.axvline(1, color="black", linewidth=0.8)
    frame_rows(axes, [""] * len(rows))
    margin = 0.06 * (max(ends) - min(ends)) or 0.1
    axes.set_xlim(min(ends) - margin, max(ends) + margin)
    axes.set_xlabel("new / old (coloured: certain)")
