"""Is reuse happening? How many requests a connection carried, beside how many connections were opened."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from loadgen.model.policy import WEBSOCKET
from loadgen.model.summary import Summary
from loadgen.model.units import plain_number
from loadgen.show.charts.bars import bars_height, few_bars, frame_rows
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import count_axis, new_figure, policy_look

_WIDE = 20  # bars that differ by more than this factor need a log axis
_LOG_START = 0.5  # on a log axis a bar has to begin somewhere below 1


def _draw(summary: Summary) -> Figure:
    policies = summary["policies"]
    figure = new_figure(
        summary,
        "Is reuse happening? Requests per connection",
        "Mean, warm-up included; ideal is one connection for each slot (a user's, or one of a pool) and block.",
        height=bars_height(len(policies)),
    )
    axes = figure.subplots()
    means = [one["connections"]["requests_per_connection"] for one in policies.values()]
    highest = max(*means, 1.0)
    left = _LOG_START if highest > _WIDE * max(1.0, min(means)) else 0.0
    for row, (name, one) in enumerate(policies.items()):
        connections, mean = one["connections"], means[row]
        colour = policy_look(summary, name)["color"]
        axes.barh(row, max(mean - left, 0), left=left, color=colour, alpha=0.85, height=0.6)
        text = f"{plain_number(mean, 4)}   opened {connections['opened']:,} (ideal {connections['ideal']:,})"
        # Beside the axis, so that the axis ends where the bars do.
        axes.text(1.01, row, text, va="center", fontsize=9, transform=axes.get_yaxis_transform())
    frame_rows(axes, list(policies))
    if left:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(left, highest * 1.05)
    count_axis(axes.xaxis)
    messages = any(one["protocol"] == WEBSOCKET for one in policies.values())
    what = "requests, or WebSocket messages," if messages else "requests"
    axes.set_xlabel(f"{what} per connection{' (log scale)' if left else ''}")
    return figure


REQUESTS_PER_CONNECTION = Chart("requests_per_connection", _draw, few_bars)
