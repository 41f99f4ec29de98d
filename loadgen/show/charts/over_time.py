"""Each block of the run in the order in which it ran: a drift of target or machine would show as a slope."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from loadgen.model.summary import BlockSummary, Summary
from loadgen.show.charts.chart import Chart, few_lines
from loadgen.show.charts.style import count_axis, log_duration_axis, new_figure, policy_look, say_empty


def _draw(summary: Summary) -> Figure:
    figure = new_figure(
        summary,
        "Each block in the order in which it ran",
        "A drift would show as a slope. Filled: mean; hollow, dotted: p99. Each is of one block, so without interval.",
        height=5.6,
    )
    counted = [block for block in summary["blocks"] if block["seconds"]]
    if not any(block["latency_p99_ns"] for block in counted):
        say_empty(figure.subplots(), "no complete request to show")
        return figure
    above, below = figure.subplots(2, 1, sharex=True)
    for name in summary["policies"]:
        blocks = [block for block in counted if block["policy"] == name]
        x = [block["index"] + 1 for block in blocks]
        style = policy_look(summary, name)
        above.plot(x, [block["throughput_rps"] for block in blocks], label=name, markersize=5, **style)
        below.plot(x, [_or_gap(block.get("latency_mean_ns")) for block in blocks], markersize=5, **style)
        faint = style | {"linestyle": ":", "markerfacecolor": "white"}
        below.plot(x, [_or_gap(block["latency_p99_ns"]) for block in blocks], markersize=5, **faint)
    fastest = _fastest(summary["blocks"])
    # A little below 0, so that the marker of a block without answers, which stands on the axis, is seen whole.
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


def _fastest(blocks: list[BlockSummary]) -> float:
    return max((block["throughput_rps"] for block in blocks), default=0)


def _or_gap(latency_ns: int | None) -> float:
    """A block without a latency is a gap in its line."""
    return math.nan if latency_ns is None else latency_ns


OVER_TIME = Chart("over_time", _draw, few_lines)
