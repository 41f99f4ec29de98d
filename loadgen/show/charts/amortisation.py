"""How the cost of a connection is shared by the requests on it: what was measured, and the model fitted to it."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from loadgen.measure.labels import labels
from loadgen.model.summary import Summary
from loadgen.model.sweep_summary import AmortisationSummary
from loadgen.model.units import format_duration, plain_number
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import (
    MAX_SERIES,
    clear_ticks,
    draw_band,
    duration_axis,
    log_duration_axis,
    new_figure,
    series_look,
    shortened,
    spread,
)
from loadgen.show.formatting import with_interval
from loadgen.show.sweep_series import k_on_axis

_MAX_BAND = 1.6  # the axis makes room for intervals up to this many times the highest mean
_WIDE = 12  # curves that differ by more than this factor need a log axis


def _applies(summary: Summary) -> bool:
    return bool(summary["sweep"] and summary["sweep"]["amortisation"])


def _draw(summary: Summary) -> Figure:
    """Mean latency against requests per connection, one curve for each group of cells that differ in K alone."""
    assert summary["sweep"] is not None
    groups = summary["sweep"]["amortisation"]
    named = spread(list(zip(labels(groups), groups, strict=True)))
    left_out = f" {MAX_SERIES} of {len(groups)} groups are shown." if len(named) < len(groups) else ""
    figure = new_figure(
        summary,
        "What a connection costs, shared by the K requests on it",
        f"Points: measured, with 95 % intervals. Lines: fitted. ★: 90 % of what the last K saves.{left_out}",
        height=4.5 + 0.22 * len(named),
    )
    axes = figure.subplots()
    largest = max(cell["requests_per_connection"] or 1.0 for _, one in named for cell in one["cells"])
    for number, (label, one) in enumerate(named):
        _curve(axes, one, label if len(groups) > 1 else "", series_look(number), largest)
    _scale(axes, [one for _, one in named], largest)
    axes.set_ylabel("mean latency per request")
    axes.set_xlabel("K, requests per connection (log scale)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1)
    return figure


def _curve(axes: Axes, group: AmortisationSummary, label: str, style: dict[str, Any], largest: float) -> None:
    """A group's fitted curve, its measured points, and the star at the K of 90 %."""
    colour = style["color"]
    curve = group["curve"]
    k = [k_on_axis(point["requests"], largest) for point in curve]
    name = f"{shortened(label, 34)}: {_formula(group)}" if label else _formula(group)
    axes.plot(k, [point["mean_ns"] for point in curve], color=colour, linestyle=style["linestyle"], label=name)
    draw_band(axes, k, [point["ci95"] for point in curve], colour)
    cells = group["cells"]
    x = [k_on_axis(cell["requests_per_connection"], largest) for cell in cells]
    axes.plot(
        x, [cell["mean_ns"] for cell in cells], color=colour, marker=style["marker"], linestyle="none", markersize=6
    )
    for at, cell in zip(x, cells, strict=True):
        if cell["ci95"] is not None:
            axes.plot([at, at], cell["ci95"], color=colour, linewidth=1.4, marker="_", markersize=7)
    if group["k90"] is not None:
        reached_ns = cells[0]["mean_ns"] - 0.9 * group["saving_ns"]
        axes.plot(
            k_on_axis(group["k90"], largest),
            reached_ns,
            marker="*",
            markersize=15,
            color=colour,
            markeredgecolor="black",
            zorder=4,
        )


def _formula(group: AmortisationSummary) -> str:
    """The fitted model with its numbers, for the legend."""
    text = f"{format_duration(group['exchange_ns'])} + {format_duration(group['handshake_ns'])} / K"
    text += "" if group["r2"] is None else f" (R² {group['r2']:.3f})"
    if group["k90"] is not None:
        text += f", 90 % at K = {with_interval(group['k90'], group['k90_ci95'], _k)}"
    return text


def _scale(axes: Axes, groups: list[AmortisationSummary], largest: float) -> None:
    """A mark on the axis for every K, the unlimited one included; the other axis begins at 0 if the curves allow it."""
    every = {cell["requests_per_connection"] for one in groups for cell in one["cells"]}
    marks = {k_on_axis(k, largest): "∞" if k is None else plain_number(k, 4) for k in every}
    ticks = clear_ticks(list(marks))
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [marks[tick] for tick in ticks])
    # The measured means decide the axis: a band that is much wider, or reaches below 0, is cut.
    means = [cell["mean_ns"] for one in groups for cell in one["cells"]]
    lowest = min(means)
    widest = max([*means, *(cell["ci95"][1] for one in groups for cell in one["cells"] if cell["ci95"])])
    highest = min(widest, _MAX_BAND * max(means))
    if highest > _WIDE * max(1, lowest):
        axes.set_yscale("log")
        axes.set_ylim(max(1, lowest) / 1.5, highest * 1.3)
        log_duration_axis(axes.yaxis, *axes.get_ylim())
    else:
        axes.set_ylim(0, highest * 1.08)
        duration_axis(axes.yaxis)


def _k(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"


AMORTISATION = Chart("amortisation", _draw, _applies)
