"""What an exchange costs by its position on the connection: the first, the second, … request that it carries."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.measure.stats.positions import FIRSTS
from loadgen.model.policy_summary import PositionGroup
from loadgen.model.summary import Summary
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import (
    duration_axis,
    new_figure,
    policy_look,
    series_look,
    shortened,
)
from loadgen.show.position_lines import reusing_policies, shown_lines

_EXPLANATION = (
    "Mean of send + wait + receive, without the handshake. Bands: 95 % intervals from the spread between rounds."
)
_NO_INTERVAL = (math.nan, math.nan)


def _applies(summary: Summary) -> bool:
    """Requests of some policy were counted at more than one position."""
    return any(len(one["by_position"] or ()) > 1 for one in summary["policies"].values())


def _draw(summary: Summary) -> Figure:
    """Mean of send + wait + receive; a line for each policy that reuses connections."""
    lines, reusing = shown_lines(summary), reusing_policies(summary)
    left_out = f" {len(lines)} of {len(reusing)} shown." if len(lines) < len(reusing) else ""
    figure = new_figure(
        summary,
        "Latency by position on the connection",
        f"{_EXPLANATION}{left_out}",
        height=4.4 + 0.2 * len(lines),
    )
    axes = figure.subplots()
    firsts, ticks = _groups([group for groups in lines.values() for group in groups])
    for number, (name, groups) in enumerate(lines.items()):
        # A sweep has more cells than there are colours, and few of them are here.
        style = policy_look(summary, name) if summary["sweep"] is None else series_look(number)
        _line(axes, firsts, groups, shortened(name, 60), style)
    axes.set_xticks(range(len(firsts)), ticks)
    axes.set_xlabel("position on the connection (1: the request that opened it)")
    means = [group["exchange_mean_ns"] for groups in lines.values() for group in groups]
    if max(means) > 2 * min(means):
        axes.set_ylim(0, axes.get_ylim()[1])
    duration_axis(axes.yaxis)
    axes.set_ylabel("mean of the exchange")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2 if max(map(len, lines)) < 32 else 1)
    return figure


def _line(axes: Axes, firsts: list[int], groups: list[PositionGroup], label: str, style: dict[str, Any]) -> None:
    """A policy's line. A group that it lacks is a gap in it: the steps of the axis are the same for all lines."""
    by_first = {group["first"]: group for group in groups}
    points = [by_first.get(first) for first in firsts]
    x = range(len(firsts))
    means_ns = [point["exchange_mean_ns"] if point else math.nan for point in points]
    axes.plot(x, means_ns, label=label, markersize=5, **style)
    low, high = zip(*((point and point["ci95"]) or _NO_INTERVAL for point in points), strict=True)
    axes.fill_between(x, low, high, color=style["color"], alpha=0.18, linewidth=0)


def _groups(points: list[PositionGroup]) -> tuple[list[int], list[str]]:
    """The first position of each group from the lowest to the highest, and the label of each group.

    The last group ends where the longest connections of these policies do. A group that no policy has keeps its place.
    """
    lasts: dict[int, int] = {}
    for point in points:
        lasts[point["first"]] = max(point["last"], lasts.get(point["first"], 0))
    firsts = [first for first in FIRSTS if min(lasts) <= first <= max(lasts)]
    following = dict(pairwise(FIRSTS))
    return firsts, [_label(first, lasts.get(first) or following[first] - 1) for first in firsts]


def _label(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}+" if first == FIRSTS[-1] else f"{first}–{last}"


BY_POSITION = Chart("by_position", _draw, _applies)
