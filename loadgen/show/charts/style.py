"""How all charts look: colours that colour-blind readers tell apart, titles, footers, units on axes."""

from __future__ import annotations

import math
import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from loadgen.model.units import format_duration
from loadgen.show.text import load_text

# Okabe and Ito, "Color Universal Design" (2008); the pale yellow is left out: it vanishes on white.
_BLUE, _VERMILLION, _GREEN, _PURPLE, _SKY, _ORANGE, _GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777",
)  # fmt: skip
_POLICY_LOOKS = (
    (_BLUE, "o", "-"), (_VERMILLION, "s", "--"), (_GREEN, "^", "-."), (_PURPLE, "D", ":"), (_SKY, "v", "-"),
    (_ORANGE, "P", "--"), (_GREY, "X", "-."),
)  # fmt: skip
MOST_SERIES = len(_POLICY_LOOKS)
"""So many lines can be told apart in one chart."""
# Colour and hatch, so that a grey print still tells them apart.
PHASE_LOOKS = {
    "queue": (_GREY, ""), "dns": (_PURPLE, "xx"), "connect": (_VERMILLION, "//"),
    "tunnel": ("#8C564B", "oo"), "tls": (_ORANGE, "\\\\"),
    "upgrade": ("#F0E442", ".."), "send": (_SKY, ""), "wait": (_BLUE, ""), "receive": (_GREEN, "--"),
}  # fmt: skip
BASE_COLOUR = _GREY

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "loadgen",  # the same run draws the same file
    "axes.formatter.use_mathtext": False,
    "text.parse_math": False,  # a URL may hold dollar signs
}


def new_figure(summary: dict[str, Any], title: str, subtitle: str = "", height: float = 4.6) -> Figure:
    """An empty figure with title and footer."""
    figure = Figure(figsize=(8.4, height), layout="constrained")
    # A rectangle of its own keeps the layout off title and footer, whatever the height.
    top = 1 - (0.62 if subtitle else 0.42) / height
    figure.get_layout_engine().set(rect=(0.01, 0.42 / height, 0.98, top - 0.42 / height))  # type: ignore[union-attr, call-arg] # it is a constrained layout
    figure.text(0.015, 1 - 0.14 / height, title, fontsize=13, fontweight="bold", va="top")
    if subtitle:
        figure.text(0.015, 1 - 0.42 / height, subtitle, fontsize=9.5, color="#444444", va="top")
    figure.text(0.015, 0.1 / height, footer(summary), fontsize=7.5, color="#666666", va="bottom")
    return figure


def footer(summary: dict[str, Any]) -> str:
    """The run's key facts on two lines."""
    plan = summary["plan"]
    return (
        f"{plan['method']} {shortened(plan['url'], 48)} · {shortened(load_text(plan), 72)}\n"
        f"{plan['rounds']} rounds of {format_duration(plan['block_ns'])} blocks, {format_duration(plan['warmup_ns'])} "
        f"warm-up · loadgen {summary['environment']['loadgen']} · {summary['environment']['started'][:10]} · "
        f"{summary['run'][:32]}"
    )


def shortened(text: str, most: int) -> str:
    """The text, or as much of it as there is room for."""
    return text if len(text) <= most else text[: most - 1] + "…"


def series_look(number: int) -> dict[str, Any]:
    """Colour, marker and line of the series with this number."""
    colour, marker, line = _POLICY_LOOKS[number % len(_POLICY_LOOKS)]
    return {"color": colour, "marker": marker, "linestyle": line}


def wrapped(name: str, most: int = 18) -> str:
    """A policy's long name on several lines, broken between its parts."""
    lines = [""]
    for part in re.split(r"(?<=[ -])|(?=\+)", name):
        if lines[-1] and len(lines[-1]) + len(part) > most:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def spread(items: list[Any], most: int = MOST_SERIES) -> list[Any]:
    """At most so many of the items, evenly from the first to the last."""
    if len(items) <= most:
        return items
    return [items[round(number * (len(items) - 1) / (most - 1))] for number in range(most)]


def clear_ticks(places: list[float], apart: float = 0.055) -> list[float]:
    """Of places on a log axis those whose labels don't touch: each so far (of the whole axis) from the one before."""
    ordered = sorted(places)
    span = math.log10(ordered[-1] / ordered[0]) if len(ordered) > 1 else 0.0
    kept = ordered[:1]
    for place in ordered[1:]:
        if math.log10(place / kept[-1]) >= apart * span:
            kept.append(place)
    return kept


def look(summary: dict[str, Any], policy: str) -> dict[str, Any]:
    """Colour, marker and line of a policy; the same in all charts of a run."""
    return series_look(list(summary["policies"]).index(policy))


def log_duration_axis(axis: Any, lowest_ns: float, highest_ns: float) -> None:
    """A log axis of nanoseconds; where it spans many decades each has one label, else three or seven."""
    decades = math.log10(max(highest_ns, 1) / max(lowest_ns, 1))
    subs = (1, 1.5, 2, 3, 4, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    duration_axis(axis)


def duration_axis(axis: Any) -> None:
    """Label an axis of nanoseconds with durations."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    axis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))


def count_axis(axis: Any) -> None:
    """Label an axis of counts with thousands separators."""
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}")
    )


def say_empty(axes: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color="#666666")
    axes.set_axis_off()


def _plain(value_ns: float) -> str:
    """A duration without digits that say nothing: 2 ms, not 2.00 ms."""
    number, unit = format_duration(value_ns).split(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}" if value_ns else "0"
