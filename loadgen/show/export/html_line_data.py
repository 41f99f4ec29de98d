"""What the report's line charts are drawn from: a sweep's cells along an axis, latency by position. Draws nothing.

A chart is {x: {label, ticks: [[place, text]]}, y: {label, unit, scale}, lines: [{label, points, fit, dashed}]}; a point
is [x, y, low, high] with null bounds where there is no interval. Places on the axis are decided here: logarithms, or
equal steps where a value is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from loadgen.measure.labels import labels
from loadgen.measure.stats.positions import FIRSTS
from loadgen.model.characters import visible
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import Summary
from loadgen.model.sweep_summary import AmortisationSummary
from loadgen.model.units import format_duration, plain_number
from loadgen.show.ordering import spread
from loadgen.show.position_lines import shown_lines
from loadgen.show.sweep_series import AxisName, ValueKey, k_on_axis, series_along

LineChart = dict[str, Any]
# The charts along an axis: name, axis, key of a cell's value, and what stands below the axis.
_ALONG: tuple[tuple[str, AxisName, ValueKey, str], ...] = (
    ("throughput_by_users", "users", "users", "users"),
    ("latency_by_rate", "rate", "rate", "arrivals per second"),
    ("latency_by_size", "size", "size", "bytes of the body"),
    ("latency_by_gap", "gap", "gap_ns", "gap before each reuse"),
)


def line_charts(summary: Summary) -> dict[str, LineChart]:
    """The charts that say something about the run, by name."""
    found = {"amortisation": _amortisation(summary), "by_position": _by_position(summary)}
    found |= {name: _along(summary, name, axis, value, text) for name, axis, value, text in _ALONG}
    return {name: one for name, one in found.items() if one}


def point(x: float, y: float | None, interval: Sequence[float] | None) -> list[float | None]:
    """A point of a line, as above."""
    return [x, y, *(interval or (None, None))]


def line(label: str, points: list[list[float | None]], **more: Any) -> LineChart:
    """A line, as above. label: as a user gave it."""
    return {"label": visible(label), "points": points, **more}


def _along(summary: Summary, name: str, axis: AxisName, value: ValueKey, text: str) -> LineChart:
    sweep = summary["sweep"]
    if sweep is None or len(sweep["axes"].get(axis, ())) < 2:
        return {}
    cells, policies = sweep["cells"], summary["policies"]
    series = series_along(sweep, axis, value)
    values = sorted({float(cells[cell][value] or 0) for those in series.values() for cell in those})
    places = {one: math.log10(one) if values[0] > 0 else float(step) for step, one in enumerate(values)}
    lines = []
    is_rate = name == "throughput_by_users"
    for label in spread(list(series)):
        known = [(places[float(cells[cell][value] or 0)], policies[cell]) for cell in series[label]]
        answered = [(x, one) for x, one in known if one["requests"]]
        lines.append(line(label, [_rate(x, one) if is_rate else _latency(x, one, "mean") for x, one in answered]))
        if not is_rate:
            lines.append(line(f"{label}: p99", [_latency(x, one, "p99") for x, one in answered], dashed=True))
    if not any(line["points"] for line in lines):
        return {}
    written = [
        [x, format_duration(one) if value == "gap_ns" and one else plain_number(one)] for one, x in places.items()
    ]
    y = (
        value_axis("requests per second", "rps", "linear")
        if is_rate
        else value_axis("latency: mean, and p99 dashed", "ns", "log")
    )
    return {"x": {"label": text, "ticks": written}, "y": y, "lines": lines}


def value_axis(label: str, unit: str, scale: str) -> dict[str, str]:
    """The axis of a line's values."""
    return {"label": label, "unit": unit, "scale": scale}


def _rate(x: float, one: PolicySummary) -> list[float | None]:
    return point(x, one["throughput_rps"], one["throughput_rps_ci95"])


def _latency(x: float, one: PolicySummary, key: str) -> list[float | None]:
    latency: dict[str, Any] = dict(one["latency_ns"])
    return point(x, latency[key], latency.get(f"{key}_ci95"))  # earlier runs lack the mean's


def _amortisation(summary: Summary) -> LineChart:
    groups = summary["sweep"]["amortisation"] if summary["sweep"] else []
    named = spread(list(zip(labels(groups), groups, strict=True)))
    if not named:
        return {}
    largest = max(cell["requests_per_connection"] or 1.0 for _, one in named for cell in one["cells"])
    every = {cell["requests_per_connection"] for _, one in named for cell in one["cells"]}
    ticks = sorted((_place_of_k(k, largest), "∞" if k is None else plain_number(k, 4)) for k in every)
    means = [cell["mean_ns"] for _, one in named for cell in one["cells"]]
    return {
        "x": {"label": "K, requests per connection", "ticks": [list(tick) for tick in ticks]},
        "y": value_axis("mean latency (line: fitted)", "ns", "log" if max(means) > 12 * min(means) else "linear"),
        "lines": [_curve(label or "mean", one, largest) for label, one in named],
    }


def _curve(label: str, one: AmortisationSummary, largest: float) -> LineChart:
    points = [
        point(_place_of_k(cell["requests_per_connection"], largest), cell["mean_ns"], cell["ci95"])
        for cell in one["cells"]
    ]
    fit = [point(_place_of_k(part["requests"], largest), part["mean_ns"], part["ci95"]) for part in one["curve"]]
    return line(label, points, fit=fit)


def _place_of_k(k: float | None, largest: float) -> float:
    """The axis is logarithmic."""
    return math.log10(k_on_axis(k, largest))


def _by_position(summary: Summary) -> LineChart:
    """Each line of a comparison is a policy's, and has its colour; a sweep has some of its cells here."""
    found = shown_lines(summary)
    if not any(len(groups) > 1 for groups in found.values()):
        return {}
    lasts = {group["first"]: group["last"] for groups in found.values() for group in groups}
    firsts = [first for first in FIRSTS if min(lasts) <= first <= max(lasts)]
    ticks = [[step, f"{first}" if lasts.get(first) == first else f"{first}+"] for step, first in enumerate(firsts)]
    numbers = {name: number for number, name in enumerate(summary["policies"] if summary["sweep"] is None else found)}
    lines = [
        line(
            name,
            [point(firsts.index(one["first"]), one["exchange_mean_ns"], one["ci95"]) for one in groups],
            policy=numbers[name],
        )
        for name, groups in found.items()
    ]
    y = value_axis("mean, without the handshake", "ns", "linear")
    return {"x": {"label": "position on the connection (1 opened it)", "ticks": ticks}, "y": y, "lines": lines}
