"""How all charts look: colours that colour-blind readers tell apart, titles, footers, units on axes."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from loadgen.model.units import count, format_duration

# Okabe and Ito, "Color Universal Design" (2008); the pale yellow is left out: it vanishes on white.
_BLUE, _VERMILLION, _GREEN, _PURPLE, _SKY, _ORANGE, _GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777",
)  # fmt: skip
_POLICY_LOOKS = (
    (_BLUE, "o", "-"), (_VERMILLION, "s", "--"), (_GREEN, "^", "-."), (_PURPLE, "D", ":"), (_SKY, "v", "-"),
    (_ORANGE, "P", "--"), (_GREY, "X", "-."),
)  # fmt: skip
# Colour and hatch, so that a grey print still tells them apart.
PHASE_LOOKS = {
    "queue": (_GREY, ""), "dns": (_PURPLE, "xx"), "connect": (_VERMILLION, "//"), "tls": (_ORANGE, "\\\\"),
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
    url = plan["url"] if len(plan["url"]) <= 48 else plan["url"][:47] + "…"
    think = f", think {format_duration(plan['think_ns'])}" if plan["think_ns"] else ""
    return (
        f"{plan['method']} {url} · {count(plan['users'], 'user')}{think} · {plan['rounds']} rounds of "
        f"{format_duration(plan['block_ns'])} blocks, {format_duration(plan['warmup_ns'])} warm-up\n"
        f"loadgen {summary['environment']['loadgen']} · {summary['environment']['started'][:10]} · "
        f"{summary['run'][:32]}"
    )


def look(summary: dict[str, Any], policy: str) -> dict[str, Any]:
    """Colour, marker and line of a policy; the same in all charts of a run."""
    colour, marker, line = _POLICY_LOOKS[list(summary["policies"]).index(policy) % len(_POLICY_LOOKS)]
    return {"color": colour, "marker": marker, "linestyle": line}


def log_duration_axis(axis: Any, lowest_ns: float, highest_ns: float) -> None:
    """A log axis of nanoseconds; where it spans many decades each has one label, else three."""
    decades = math.log10(max(highest_ns, 1) / max(lowest_ns, 1))
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
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
