"""What an exchange costs by its position on the connection."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from loadgen.show.charts.style import MOST_SERIES, duration_axis, new_figure, series_look, shortened, spread
from loadgen.show.text import in_order


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
    groups = {point["first"]: point for name in names for point in policies[name]["by_position"]}
    places = {first: place for place, first in enumerate(sorted(groups))}
    for number, name in enumerate(names):
        points = policies[name]["by_position"]
        x = [places[point["first"]] for point in points]
        style = series_look(number)
        axes.plot(x, [point["exchange_mean_ns"] for point in points], label=shortened(name, 60), markersize=5, **style)
        known = [(at, point["ci95"]) for at, point in zip(x, points, strict=True) if point["ci95"]]
        if known:
            low, high = zip(*(interval for _, interval in known), strict=True)
            axes.fill_between([at for at, _ in known], low, high, color=style["color"], alpha=0.18, linewidth=0)
    axes.set_xticks(list(places.values()), [_written(groups[first]) for first in places])
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
        key = tuple(cells[name][part] for part in ("base", "users", "rate", "idle", "size"))
        longest[key] = max(longest.get(key, name), name, key=lambda one: len(summary["policies"][one]["by_position"]))
    return list(longest.values())


def _written(point: dict[str, Any]) -> str:
    first, last = point["first"], point["last"]
    return f"{first}" if first == last else f"{first}+" if first > 100 else f"{first}–{last}"
