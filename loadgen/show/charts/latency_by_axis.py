"""A sweep's latency against the offered rate, the size of the response, or the gap before a reuse."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import log_duration_axis
from loadgen.show.charts.sweep_lines import Points, SweepLines, draw_points, legend_beside
from loadgen.show.sweep_series import AxisName, ValueKey

_NOTE = " Filled: mean; hollow, dotted: p99."
_NOT_STARTED = "arrivals not started"
_MIN_SPAN = 3  # an axis that spans less than this factor might have no mark at all


def _draw_line(axes: Axes, label: str, points: Points, style: dict[str, Any]) -> None:
    latencies = [(x, one["latency_ns"]) for x, one in points]
    mean = [(x, latency["mean"], latency.get("mean_ci95")) for x, latency in latencies]  # new in this version
    p99 = [(x, latency["p99"], latency["p99_ci95"]) for x, latency in latencies]
    draw_points(axes, mean, style | {"label": label})
    draw_points(axes, p99, style | {"linestyle": ":", "markerfacecolor": "white"})
    _mark_unstarted(axes, points)


def _mark_unstarted(axes: Axes, points: Points) -> None:
    """Where arrivals found no connection mean and percentiles are too low: past the knee they say little."""
    unsure = [(x, one["latency_ns"]) for x, one in points if one["percentiles_too_low"]]
    if not unsure:
        return
    x = [x for x, _ in unsure for _ in range(2)]
    y = [value for _, latency in unsure for value in (latency["mean"], latency["p99"])]
    is_known = _NOT_STARTED in axes.get_legend_handles_labels()[1]
    axes.plot(
        x, y, marker="x", markersize=12, color="black", linestyle="none", markeredgewidth=1.6, zorder=5,
        label=None if is_known else _NOT_STARTED,
    )  # fmt: skip


def _scale_values(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < _MIN_SPAN * low:
        axes.set_ylim(low / 1.7, high * 1.7)
    log_duration_axis(axes.yaxis, *axes.get_ylim())
    axes.set_ylabel("latency (log scale)")
    legend_beside(axes, last=_NOT_STARTED)


def _chart(title: str, axis: AxisName, value: ValueKey, unit: str) -> Chart:
    lines = SweepLines(title, _NOTE, axis, value, unit, _draw_line, _scale_values)
    return Chart(f"latency_by_{axis}", lines.draw, lines.applies)


LATENCY_BY_RATE = _chart("Latency by offered rate", "rate", "rate", "arrivals per second")
LATENCY_BY_SIZE = _chart("Latency by size of the response", "size", "size", "bytes of the body")
LATENCY_BY_GAP = _chart("Latency by gap", "gap", "gap_ns", "gap before each reuse")
