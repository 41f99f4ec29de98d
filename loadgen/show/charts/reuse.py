"""Throughput, and how many requests a connection carried."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from loadgen.measure.labels import plain_number
from loadgen.model.policy import WEBSOCKET
from loadgen.model.units import format_duration
from loadgen.show.charts.style import count_axis, look, new_figure

_WIDE = 20  # bars that differ by more than this need a log axis


def throughput(summary: dict[str, Any]) -> Figure:
    """Requests per second of each policy with its interval."""
    policies = summary["policies"]
    figure = new_figure(
        summary,
        "Throughput by policy",
        f"{_loop(summary['plan'])} Lines: 95 % intervals from resampling rounds.",
        height=2.1 + 0.62 * len(policies),
    )
    axes = figure.subplots()
    longest = max(max(one["throughput_rps_ci95"] or [one["throughput_rps"]]) for one in policies.values())
    for row, (name, one) in enumerate(policies.items()):
        rate, interval = one["throughput_rps"], one["throughput_rps_ci95"]
        axes.barh(row, rate, color=look(summary, name)["color"], alpha=0.85, height=0.6)
        text = f"{rate:,.0f} req/s"
        end = rate
        if interval is not None:
            axes.plot(interval, [row, row], color="black", linewidth=1.4, marker="|", markersize=9)
            text += f"  [{interval[0]:,.0f}, {interval[1]:,.0f}]"
            end = max(rate, interval[1])
        axes.text(end + longest * 0.015, row, text, va="center", fontsize=9)
    axes.set_yticks(range(len(policies)), list(policies))
    axes.set_ylim(len(policies) - 0.4, -0.6)
    axes.set_xlim(0, longest * 1.42 or 1)
    count_axis(axes.xaxis)
    axes.set_xlabel("requests per second")
    axes.grid(visible=False, axis="y")
    return figure


def _loop(plan: dict[str, Any]) -> str:
    """What decides how many requests are sent."""
    if plan["rate_rps"] or plan["axes"].get("rate"):
        return "Open loop: a target that keeps up answers what arrives."
    pause = f"{format_duration(plan['think_ns'])} after" if plan["think_ns"] else "as soon as"
    return f"Closed loop: a user sends again {pause} it is answered."


def requests_per_connection(summary: dict[str, Any]) -> Figure:
    """Mean number of requests that a connection carried, beside how many were opened."""
    policies = summary["policies"]
    figure = new_figure(
        summary,
        "Is reuse happening? Requests per connection",
        "Mean, warm-up included; ideal is one connection for each place (a user's, or a pool's) and block.",
        height=2.1 + 0.62 * len(policies),
    )
    axes = figure.subplots()
    means = [one["connections"]["requests_per_connection"] for one in policies.values()]
    highest = max(*means, 1.0)
    # On a log scale a bar has to begin somewhere below 1.
    left = 0.5 if highest > _WIDE * max(1.0, min(means)) else 0.0
    for row, (name, one) in enumerate(policies.items()):
        connections, mean = one["connections"], means[row]
        axes.barh(row, max(mean - left, 0), left=left, color=look(summary, name)["color"], alpha=0.85, height=0.6)
        text = f"{plain_number(mean, 4)}   opened {connections['opened']:,} (ideal {connections['ideal']:,})"
        # Beside the axis, so that the axis ends where the bars do.
        axes.text(1.01, row, text, va="center", fontsize=9, transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(policies)), list(policies))
    axes.set_ylim(len(policies) - 0.4, -0.6)
    if left:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(left, highest * 1.05)
    count_axis(axes.xaxis)
    messages = any(one["protocol"] == WEBSOCKET for one in policies.values())
    what = "requests, or WebSocket messages," if messages else "requests"
    axes.set_xlabel(f"{what} per connection{' (log scale)' if left else ''}")
    axes.grid(visible=False, axis="y")
    return figure
