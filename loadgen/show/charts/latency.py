"""Latency: by percentile, and over the blocks of the run."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from loadgen.show.charts.style import count_axis, log_duration_axis, look, new_figure, say_empty

_MOST_INSIDE = 3  # a longer legend would cover the lines
_TICKS = {0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.9999: "99.99"}


def percentiles(summary: dict[str, Any]) -> Figure:
    """Latency by percentile on an HDR axis: equal steps for each further nine."""
    figure = new_figure(
        summary,
        "Latency by percentile",
        "Handshake included. Bands: 95 % intervals from resampling rounds. A line ends at its 10th highest sample.",
    )
    axes = figure.subplots()
    drawn = False
    for name, one in summary["policies"].items():
        curve = one["latency_ns"]["curve"]
        if not curve:
            continue
        drawn = True
        x = [_nines(point["share"]) for point in curve]
        style = look(summary, name)
        axes.plot(x, [point["value"] for point in curve], label=name, markevery=(0, 6), markersize=5, **style)
        if all(point["ci95"] for point in curve):
            low, high = zip(*(point["ci95"] for point in curve), strict=True)
            axes.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
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
    if len(axes.lines) > _MOST_INSIDE:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.legend(loc="upper left")
    return figure


def over_time(summary: dict[str, Any]) -> Figure:
    """Each block of the run in the order in which it ran: throughput above, latency below."""
    figure = new_figure(
        summary,
        "Each block in the order in which it ran",
        "Policies take turns in shuffled order; a drift would show as a slope. Filled: p50; hollow, dotted: p99.",
        height=5.6,
    )
    counted = [block for block in summary["blocks"] if block["seconds"]]
    if not any(block["latency_p50_ns"] for block in counted):
        say_empty(figure.subplots(), "no complete request to show")
        return figure
    above, below = figure.subplots(2, 1, sharex=True)
    for name in summary["policies"]:
        blocks = [block for block in counted if block["policy"] == name]
        x = [block["index"] + 1 for block in blocks]
        style = look(summary, name)
        above.plot(x, [block["throughput_rps"] for block in blocks], label=name, markersize=5, **style)
        below.plot(x, _latencies(blocks, "p50"), markersize=5, **style)
        faint = style | {"linestyle": ":", "markerfacecolor": "white"}
        below.plot(x, _latencies(blocks, "p99"), markersize=5, **faint)
    fastest = max((block["throughput_rps"] for block in summary["blocks"]), default=0)
    # A little below 0: a block without answers stands on the axis, and is to be seen.
    above.set_ylim(-0.03 * fastest if fastest else 0, fastest * 1.1 or 1)
    above.set_ylabel("requests per second")
    count_axis(above.yaxis)
    above.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05))
    below.set_yscale("log")
    log_duration_axis(below.yaxis, *below.get_ylim())
    below.set_ylabel("latency (log scale)")
    below.set_xlabel("block")
    below.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _latencies(blocks: list[dict[str, Any]], name: str) -> list[float]:
    """Of each block, a gap where it has none."""
    return [math.nan if block[f"latency_{name}_ns"] is None else block[f"latency_{name}_ns"] for block in blocks]


def _nines(share: float) -> float:
    return -math.log10(1 - share)
