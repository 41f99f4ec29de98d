"""Throughput: requests per second of each policy."""

from __future__ import annotations

from matplotlib.figure import Figure

from loadgen.model.plan_record import PlanRecord
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration, rate_text
from loadgen.show.charts.bars import bars_height, few_bars, frame_rows
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import count_axis, new_figure, policy_look

_REACH = 3  # times the longest bar: an interval of two rounds can reach thousands of times as far, and is cut off there


def _draw(summary: Summary) -> Figure:
    policies = summary["policies"]
    figure = new_figure(
        summary,
        "Throughput by policy",
        f"{_loop(summary['plan'])} Lines: 95 % intervals from the spread between rounds.",
        height=bars_height(len(policies)),
    )
    axes = figure.subplots()
    fastest = max(one["throughput_rps"] for one in policies.values())
    highest = max(max(one["throughput_rps_ci95"] or [one["throughput_rps"]]) for one in policies.values())
    longest = min(highest, _REACH * fastest) or highest
    for row, (name, one) in enumerate(policies.items()):
        rps, interval = one["throughput_rps"], one["throughput_rps_ci95"]
        axes.barh(row, rps, color=policy_look(summary, name)["color"], alpha=0.85, height=0.6)
        text = f"{rate_text(rps)} req/s"
        end = rps
        if interval is not None:
            ends = [place for place in interval if place <= longest]
            axes.plot([interval[0], min(interval[1], longest)], [row, row], color="black", linewidth=1.4)
            axes.plot(ends, [row] * len(ends), color="black", linestyle="none", marker="|", markersize=9)
            text += f"  [{rate_text(interval[0])}, {rate_text(interval[1])}]"
            end = min(max(rps, interval[1]), longest)
        axes.text(end + longest * 0.015, row, text, va="center", fontsize=9)
    frame_rows(axes, list(policies))
    axes.set_xlim(0, longest * 1.42 or 1)
    count_axis(axes.xaxis)
    axes.set_xlabel("requests per second")
    return figure


def _loop(plan: PlanRecord) -> str:
    """What decides how many requests are sent."""
    if plan["rate_rps"] or plan["axes"].get("rate"):
        return "Open loop: a target that keeps up answers what arrives."
    pause = f"{format_duration(plan['think_ns'])} after" if plan["think_ns"] else "as soon as"
    return f"Closed loop: a user sends again {pause} it is answered."


THROUGHPUT = Chart("throughput", _draw, few_bars)
