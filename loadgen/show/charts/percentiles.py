"""Latency by percentile on an HDR axis: equal steps for each further nine."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from loadgen.model.policy_summary import LatencySummary
from loadgen.model.summary import Summary
from loadgen.show.charts.chart import Chart, few_lines
from loadgen.show.charts.style import draw_band, log_duration_axis, new_figure, policy_look, say_empty
from loadgen.show.formatting import estimate

_MAX_LABEL = 40  # characters; with a longer one the legend has one column
_ROW_INCHES = 0.22
_MARKED = 0.99
_STEP = 0.035  # between the marks of two policies, as their intervals may overlap
_TICKS = {0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.9999: "99.99"}


def _draw(summary: Summary) -> Figure:
    drawn = {name: one["latency_ns"] for name, one in summary["policies"].items() if one["latency_ns"]["curve"]}
    labels = {name: f"{name}: p99 {estimate(one['p99'], one['p99_ci95'])}" for name, one in drawn.items()}
    columns = 2 if all(len(label) <= _MAX_LABEL for label in labels.values()) else 1
    figure = new_figure(
        summary,
        "Latency by percentile",
        "With handshakes. Bands: 95 % intervals from the spread between rounds. Lines end at their 10th highest value.",
        height=4.6 + _ROW_INCHES * math.ceil(len(drawn) / columns),
    )
    axes = figure.subplots()
    for number, (name, latency) in enumerate(drawn.items()):
        curve = latency["curve"]
        x = [_nines(point["share"]) for point in curve]
        style = policy_look(summary, name)
        values = [point["value"] for point in curve]
        axes.plot(x, values, label=labels[name], markevery=(0, 6), markersize=5, **style)
        draw_band(axes, x, [point["ci95"] for point in curve], style["color"], alpha=0.2)
        _mark_p99(axes, latency, (number - (len(drawn) - 1) / 2) * _STEP, style["color"])
    if not drawn:
        any_request = any(one["requests"] for one in summary["policies"].values())
        say_empty(axes, "too few requests for percentiles" if any_request else "no complete request to show")
        return figure
    axes.set_yscale("log")
    log_duration_axis(axes.yaxis, *axes.get_ylim())
    axes.xaxis.set_major_locator(FixedLocator([_nines(share) for share in _TICKS]))
    axes.set_xticklabels(list(_TICKS.values()))
    axes.set_xlim(_nines(0.5), _nines(0.9999))
    axes.set_xlabel("percentile of requests (%)")
    axes.set_ylabel("latency (log scale)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns)
    return figure


def _mark_p99(axes: Axes, latency: LatencySummary, shift: float, colour: str) -> None:
    """The interval of the p99, beside the line of its percentile."""
    p99, interval = latency["p99"], latency["p99_ci95"]
    if p99 is not None and interval is not None:
        errors = [[max(0, p99 - interval[0])], [max(0, interval[1] - p99)]]
        axes.errorbar(
            [_nines(_MARKED) + shift], [p99], yerr=errors, color=colour, marker="_", capsize=4, elinewidth=1.6, zorder=4
        )


def _nines(share: float) -> float:
    return -math.log10(1 - share)


PERCENTILES = Chart("percentiles", _draw, few_lines)
