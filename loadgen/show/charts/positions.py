"""What an exchange costs by its position on the connection."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from matplotlib.figure import Figure

from loadgen.measure.stats.positions import FIRSTS
from loadgen.show.charts.style import MOST_SERIES, duration_axis, look, new_figure, series_look, shortened, spread
from loadgen.show.text import in_order

_MISSING: dict[str, Any] = {"exchange_mean_ns": math.nan, "ci95": (math.nan, math.nan)}


def has_positions(summary: dict[str, Any]) -> bool:
    """Some connection's requests were counted at more than one position."""
    return any(len(one["by_position"] or ()) > 1 for one in summary["policies"].values())


def by_position(summary: dict[str, Any]) -> Figure:
    """Mean of send + wait + receive against 1st, 2nd, … request on a connection; a line for each policy that reuses."""
    policies = summary["policies"]
    reusing = [name for name in in_order(summary) if policies[name]["by_position"]]
    names = spread(_longest(summary, reusing) if len(reusing) > MOST_SERIES else reusing)
    left = f" {len(names)} of {len(reusing)} shown." if len(names) < len(reusing) else ""
    figure = new_figure(
        summary,
        "Latency by position on the connection",
        f"Mean of send + wait + receive, without the handshake. Bands: 95 % intervals from resampling rounds.{left}",
        height=4.4 + 0.2 * len(names),
    )
    axes = figure.subplots()
    firsts, ticks = _groups([point for name in names for point in policies[name]["by_position"]])
    for number, name in enumerate(names):
        # A group that a policy lacks is a gap in its line: the steps of the axis are the same for all.
        by_first = {point["first"]: point for point in policies[name]["by_position"]}
        points = [by_first.get(first, _MISSING) for first in firsts]
        # A sweep has more cells than there are colours, and few of them are here.
        style = look(summary, name) if summary["sweep"] is None else series_look(number)
        means_ns = [point["exchange_mean_ns"] for point in points]
        axes.plot(range(len(firsts)), means_ns, label=shortened(name, 60), markersize=5, **style)
        low, high = zip(*(point["ci95"] or _MISSING["ci95"] for point in points), strict=True)
        axes.fill_between(range(len(firsts)), low, high, color=style["color"], alpha=0.18, linewidth=0)
    axes.set_xticks(range(len(firsts)), ticks)
    axes.set_xlabel("position on the connection (1: the request that opened it)")
    means = [point["exchange_mean_ns"] for name in names for point in policies[name]["by_position"]]
    if max(means) > 2 * min(means):
        axes.set_ylim(0, axes.get_ylim()[1])
    duration_axis(axes.yaxis)
    axes.set_ylabel("mean of the exchange")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2 if max(map(len, names)) < 32 else 1)
    return figure


def _longest(summary: dict[str, Any], names: list[str]) -> list[str]:
    """Of a sweep's cells that differ in K alone the one of which most positions were counted, of several the largest K.

    Where connections are never replaced their first positions are gone before the window begins.
    """
    if summary["sweep"] is None:
        return names
    cells = summary["sweep"]["cells"]
    longest: dict[tuple[Any, ...], str] = {}
    for name in names:  # K rises within each group
        key = tuple(cells[name][part] for part in ("base", "users", "rate", "gap", "size"))
        longest[key] = max(longest.get(key, name), name, key=lambda one: len(summary["policies"][one]["by_position"]))
    return list(longest.values())


def _groups(points: list[dict[str, Any]]) -> tuple[list[int], list[str]]:
    """The first position of each group from the lowest to the highest there is, and how the groups are written.

    A group ends where the longest connections of these policies do; one that none has is there to keep its place.
    """
    lasts: dict[int, int] = {}
    for point in points:
        lasts[point["first"]] = max(point["last"], lasts.get(point["first"], 0))
    firsts = [first for first in FIRSTS if min(lasts) <= first <= max(lasts)]
    following = dict(pairwise(FIRSTS))
    return firsts, [_written(first, lasts.get(first) or following[first] - 1) for first in firsts]


def _written(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}+" if first == FIRSTS[-1] else f"{first}–{last}"
