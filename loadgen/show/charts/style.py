"""How all charts look: colours that colour-blind readers can tell apart, titles, footers, units on axes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from loadgen.model.characters import visible
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.formatting import length_text, load_text, target_text
from loadgen.show.ordering import MAX_SERIES as MAX_SERIES
from loadgen.show.ordering import spread as spread

# Okabe and Ito, "Color Universal Design" (2008); the pale yellow is left out: it vanishes on white.
BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777",
)  # fmt: skip
_SERIES_LOOKS = (
    (BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"), (SKY, "v", "-"),
    (ORANGE, "P", "--"), (GREY, "X", "-."),
)  # fmt: skip
BASE_COLOUR = GREY
_BAND_ALPHA = 0.18

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


def new_figure(summary: Summary, title: str, subtitle: str = "", height: float = 4.6) -> Figure:
    """An empty figure of one run, with title and footer."""
    return new_page(title, subtitle, footer(summary), height)


def new_page(title: str, subtitle: str, foot: str, height: float = 4.6) -> Figure:
    """An empty figure with title and footer."""
    figure = Figure(figsize=(8.4, height), layout="constrained")
    # A rectangle of its own keeps the layout off title and footer, whatever the height.
    top = 1 - (0.62 if subtitle else 0.42) / height
    figure.get_layout_engine().set(rect=(0.01, 0.42 / height, 0.98, top - 0.42 / height))  # type: ignore[union-attr, call-arg] # it is a constrained layout
    figure.text(0.015, 1 - 0.14 / height, title, fontsize=13, fontweight="bold", va="top")
    if subtitle:
        figure.text(0.015, 1 - 0.42 / height, subtitle, fontsize=9.5, color="#444444", va="top")
    figure.text(0.015, 0.1 / height, foot, fontsize=7.5, color="#666666", va="bottom")
    return figure


def footer(summary: Summary) -> str:
    """The run's key facts on two lines."""
    plan, environment = summary["plan"], summary["environment"]
    max_target = 80 if plan.get("targets") else 48
    lines = (
        f"{plan['method']} {shortened(visible(target_text(plan)), max_target)} · {shortened(load_text(plan), 72)}",
        f"{length_text(summary)}, "
        f"{format_duration(plan['warmup_ns'])} warm-up · "
        f"loadgen {environment['loadgen']} · {environment['started'][:10]} · {summary['run'][:32]}",
    )
    return "\n".join(map(visible, lines))


def shortened(text: str, max_length: int) -> str:
    """The text, cut off where it is too long."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def series_look(number: int) -> dict[str, Any]:
    """Colour, marker and line of the series with this number."""
    colour, marker, line = _SERIES_LOOKS[number % len(_SERIES_LOOKS)]
    return {"color": colour, "marker": marker, "linestyle": line}


def wrapped(name: str, max_width: int = 18) -> str:
    """A policy's long name on several lines, broken between its parts."""
    lines = [""]
    for part in re.split(r"(?<=[ -])|(?=\+)", name):
        if lines[-1] and len(lines[-1]) + len(part) > max_width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def clear_ticks(values: list[float], min_share: float = 0.055) -> list[float]:
    """The values on a log axis whose labels don't touch: each at least this share of the axis from the one before."""
    ordered = sorted(values)
    span = math.log10(ordered[-1] / ordered[0]) if len(ordered) > 1 else 0.0
    kept = ordered[:1]
    for value in ordered[1:]:
        if math.log10(value / kept[-1]) >= min_share * span:
            kept.append(value)
    return kept


def policy_look(summary: Summary, policy: str) -> dict[str, Any]:
    """Colour, marker and line of a policy; the same in all charts of a run."""
    return series_look(list(summary["policies"]).index(policy))


def log_duration_axis(axis: Any, lowest_ns: float, highest_ns: float) -> None:
    """A log axis of nanoseconds: over many decades one label in each, else three or seven."""
    decades = math.log10(max(highest_ns, 1) / max(lowest_ns, 1))
    subs = (1, 1.5, 2, 3, 4, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    duration_axis(axis)


def duration_axis(axis: Any) -> None:
    """Label an axis of nanoseconds with durations."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _short_duration(value)))
    axis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))


def count_axis(axis: Any) -> None:
    """Label an axis of counts, or rates, with thousands separators: 0.5, 1.5, 12,000."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))


def draw_band(
    axes: Axes, x: list[float], intervals: Sequence[Sequence[float] | None], colour: str, alpha: float = _BAND_ALPHA
) -> None:
    """Shade the intervals along x; nothing where one of them is not known."""
    known = [interval for interval in intervals if interval]
    if len(known) == len(x):
        low, high = zip(*known, strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0)


def say_empty(axes: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color="#666666")
    axes.set_axis_off()


def _short_duration(value_ns: float) -> str:
    """A duration without zeros at its end: 2 ms, not 2.00 ms."""
    number, unit = format_duration(value_ns).split(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}" if value_ns else "0"
