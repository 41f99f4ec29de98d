"""Where time goes: the phases of each policy, and the way from one policy's mean to another's."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.model.units import format_duration
from loadgen.show.charts.style import BASE_COLOUR, PHASE_LOOKS, duration_axis, new_figure, say_empty, wrapped

# Short phases that are not under study share the waterfall's last step.
_STEPS = {
    "queue": ("queue",), "dns": ("dns",), "connect": ("connect",), "tunnel": ("tunnel",),
    "tls": ("tls",), "upgrade": ("upgrade",),
    "wait": ("wait",),
    "send, receive": ("send", "receive"),
}  # fmt: skip


_MOST_IN_A_ROW = 6  # entries of the legend
_MANY_STEPS = 6


def phases(summary: dict[str, Any]) -> Figure:
    """Mean time per request in each phase, stacked, one bar a policy."""
    policies = summary["policies"]
    happened = [name for name in PHASE_LOOKS if any(_mean(one, name) for one in policies.values())]
    is_wide = len(happened) > _MOST_IN_A_ROW
    figure = new_figure(
        summary,
        "Where a request's time goes",
        "Mean per request; a request on a reused connection pays no handshake and counts as 0 in those phases.",
        height=2.4 + 0.62 * len(policies) + (0.25 if is_wide else 0),
    )
    axes = figure.subplots()
    names = list(policies)
    if not any(one["requests"] for one in policies.values()):
        say_empty(axes, "no complete request to show")
        return figure
    longest = max((one["latency_ns"]["mean"] or 0 for one in policies.values()), default=0)
    left = [0.0] * len(names)
    for phase in happened:
        colour, hatch = PHASE_LOOKS[phase]
        widths = [_mean(policies[name], phase) for name in names]
        axes.barh(names, widths, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.8, label=phase)
        for row, width in enumerate(widths):
            if width > 0.09 * longest:
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
                middle = left[row] + width / 2
                axes.text(middle, row, format_duration(width), ha="center", va="center", fontsize=8.5, bbox=box)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for row, total in enumerate(left):
        axes.text(total + longest * 0.01, row, format_duration(total), va="center", fontweight="bold")
    axes.set_xlim(0, longest * 1.13 or 1)
    duration_axis(axes.xaxis)
    axes.set_xlabel("mean latency")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    columns = -(-len(happened) // 2) if is_wide else max(1, len(happened))
    handles, labels = axes.get_legend_handles_labels()
    # A legend is filled column by column; phases are read row by row.
    order = [place for column in range(columns) for place in range(column, len(handles), columns)]
    axes.legend(
        [handles[place] for place in order], [labels[place] for place in order],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.3,
    )  # fmt: skip
    return figure


def _mean(policy: dict[str, Any], phase: str) -> float:
    """Mean of a phase per request (ns), 0 where it did not happen."""
    return float(policy["phases_ns"][phase]["mean_per_request"])


def extra_time(summary: dict[str, Any]) -> Figure:
    """A waterfall from the baseline's mean latency to each candidate's, through the phases."""
    comparisons = summary["comparisons"]
    if not comparisons:
        figure = new_figure(summary, "Where the extra time goes", height=2.6)
        say_empty(figure.subplots(), "nothing to compare: it takes two policies that were answered in one round")
        return figure
    title = "Where the extra time goes"
    said = ""
    if len(comparisons) == 1:
        said = _residual(comparisons[0], summary)
        only = comparisons[0]
        delta = only["latency_mean_delta_ns"]
        change = "adds" if delta >= 0 else "saves"
        title = f"{only['candidate']} {change} {format_duration(abs(delta))} to the mean request: where it goes"
    figure = new_figure(summary, title, said, height=1.2 + (3.4 if said else 3.0) * len(comparisons))
    for axes, comparison in zip(figure.subplots(len(comparisons), 1, squeeze=False)[:, 0], comparisons, strict=True):
        _waterfall(axes, comparison, summary)
        if not said:
            axes.set_title(f"{comparison['candidate']}: {_residual(comparison, summary)}", fontsize=9.5, loc="left")
    return figure


def _residual(one: dict[str, Any], summary: dict[str, Any]) -> str:
    handshake, residual = format_duration(one["handshake_mean_ns"]), format_duration(one["residual_mean_ns"])
    spoken = {summary["policies"][one[side]]["protocol"] for side in ("baseline", "candidate")}
    # Between two protocols the exchange itself differs, and not only what a new connection does to it.
    what = "all the rest" if len(spoken) == 1 else "exchange and all the rest"
    return f"handshake {handshake}, residual ({what}) {residual}"


def _waterfall(axes: Axes, comparison: dict[str, Any], summary: dict[str, Any]) -> None:
    deltas = comparison["phase_deltas_mean_ns"]
    both = [summary["policies"][comparison[side]] for side in ("baseline", "candidate")]
    steps = {
        label: sum(deltas[phase] for phase in parts)
        for label, parts in _STEPS.items()
        if any(one["phases_ns"][phase]["count"] for one in both for phase in parts)
    }
    level, end = comparison["baseline_mean_ns"], comparison["candidate_mean_ns"]
    highest = max(level, end)
    # Beside many steps there is little room for a name.
    most, size = (11, 9) if len(steps) > _MANY_STEPS else (18, 10)
    ends = [f"{wrapped(comparison[side], most)}\n(mean)" for side in ("baseline", "candidate")]
    labels = [ends[0], *(label.replace(" ", "\n") for label in steps), ends[1]]
    axes.bar(0, level, color=BASE_COLOUR, width=0.6)
    _label(axes, 0, level, format_duration(level), highest)
    for position, (label, delta) in enumerate(steps.items(), start=1):
        colour, hatch = PHASE_LOOKS.get(label, PHASE_LOOKS["send"])
        axes.bar(position, delta, bottom=level, color=colour, hatch=hatch, edgecolor="white", width=0.6)
        axes.plot([position - 1 + 0.3, position - 0.3], [level, level], color="#999999", linewidth=0.8)
        level += delta
        highest = max(highest, level)
        sign = "+" if delta >= 0 else "−"
        _label(axes, position, max(level, level - delta), f"{sign}{format_duration(abs(delta))}", highest)
    last = len(steps) + 1
    axes.plot([last - 0.7, last - 0.3], [level, level], color="#999999", linewidth=0.8)
    axes.bar(last, end, color=BASE_COLOUR, width=0.6)
    _label(axes, last, end, format_duration(end), highest)
    axes.set_xticks(range(len(labels)), labels, fontsize=size)
    axes.set_ylim(0, highest * 1.14 or 1)
    duration_axis(axes.yaxis)
    axes.set_ylabel("mean latency per request")
    axes.grid(visible=False, axis="x")


def _label(axes: Axes, x: float, y: float, text: str, highest: float) -> None:
    axes.text(x, y + highest * 0.015, text, ha="center", va="bottom", fontsize=9)
