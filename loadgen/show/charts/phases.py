"""Where a request's time goes: the mean of each phase, stacked, one bar a policy."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.measure.stats.floor import exchange_floor_ns
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.charts.bars import bars_height, few_bars, frame_rows
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.phase_looks import PHASE_LOOKS
from loadgen.show.charts.style import GREY, duration_axis, new_figure, say_empty
from loadgen.show.formatting import estimate

# Entries of the legend: names of phases are short, those of the generator's part are not.
_MAX_IN_A_ROW, _MAX_WITH_GENERATOR = 6, 4
_LABEL_ROOM = 0.3  # beyond the longest bar, for a mean with its interval; as a share of that bar
_LABELLED = 0.09  # a bar wider than this share of the longest has room for its value
_OWN_SHIFT, _OWN_HEIGHT = 0.48, 0.12  # of the thin bar below a policy's bar
_DELAY_SHIFT = -0.27  # the error bar lies above the values


def _draw(summary: Summary) -> Figure:
    policies = summary["policies"]
    happened = [phase for phase in PHASE_LOOKS if any(_mean_ns(one, phase) for one in policies.values())]
    floor_ns = exchange_floor_ns(summary["environment"].get("calibration"))
    of_generator = any(map(_own_ns, policies.values())) + any(map(_delay_ns, policies.values())) + bool(floor_ns)
    entries = len(happened) + of_generator
    is_wide = entries > (_MAX_WITH_GENERATOR if of_generator else _MAX_IN_A_ROW)
    figure = new_figure(
        summary,
        "Where a request's time goes",
        "Mean per request; a request on a reused connection pays no handshake and counts as 0 in those phases.",
        height=bars_height(len(policies), 2.4) + (0.25 if is_wide else 0),
    )
    axes = figure.subplots()
    if not any(one["requests"] for one in policies.values()):
        say_empty(axes, "no complete request to show")
        return figure
    longest: float = max((one["latency_ns"]["mean"] or 0 for one in policies.values()), default=0)
    ends = _stack(axes, policies, happened, longest)
    _mark_delays(axes, policies, ends)
    _draw_own(axes, policies)
    if floor_ns:
        axes.axvline(floor_ns, color="black", linestyle=":", linewidth=1.2, label="floor of this machine")
    longest = max(longest, *map(_own_ns, policies.values()))
    for row, (end, one) in enumerate(zip(ends, policies.values(), strict=True)):
        latency = one["latency_ns"]
        text = estimate(latency["mean"], latency.get("mean_ci95"))  # new in this version
        axes.text(end + longest * 0.01, row, text, va="center", fontweight="bold")
    axes.set_xlim(0, longest * (1 + _LABEL_ROOM) or 1)
    duration_axis(axes.xaxis)
    axes.set_xlabel("mean latency")
    frame_rows(axes, list(policies))
    _legend(axes, columns=-(-entries // 2) if is_wide else max(1, entries))
    return figure


def _stack(axes: Axes, policies: dict[str, PolicySummary], happened: list[Phase], longest: float) -> list[float]:
    """Draw each phase beside those before it; returns where each policy's bar ends."""
    names = list(policies)
    ends = [0.0] * len(names)
    for phase in happened:
        look = PHASE_LOOKS[phase]
        widths = [_mean_ns(one, phase) for one in policies.values()]
        axes.barh(
            names, widths, left=ends, color=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0.8,
            label=phase.value,
        )  # fmt: skip
        for row, width in enumerate(widths):
            if width > _LABELLED * longest:
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
                middle = ends[row] + width / 2
                axes.text(middle, row, format_duration(width), ha="center", va="center", fontsize=8.5, bbox=box)
        ends = [start + width for start, width in zip(ends, widths, strict=True)]
    return ends


def _mark_delays(axes: Axes, policies: dict[str, PolicySummary], ends: list[float]) -> None:
    """At the end of each bar the delay of its stamps: the error bar."""
    delays = [min(_delay_ns(one), end) for one, end in zip(policies.values(), ends, strict=True)]
    if any(delays):
        rows = [row + _DELAY_SHIFT for row in range(len(ends))]
        axes.errorbar(
            ends, rows, xerr=[delays, [0] * len(ends)], fmt="none", ecolor="black", elinewidth=1.2, capsize=4,
            label="stamp delay",
        )  # fmt: skip


def _draw_own(axes: Axes, policies: dict[str, PolicySummary]) -> None:
    """Below each bar and apart from it: the generator's own work is in no phase."""
    own = [_own_ns(one) for one in policies.values()]
    if any(own):
        rows = [row + _OWN_SHIFT for row in range(len(own))]
        axes.barh(
            rows, own, height=_OWN_HEIGHT, color="white", hatch="////", edgecolor=GREY, linewidth=0.6,
            label="generator's own work",
        )  # fmt: skip


def _legend(axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    # A legend is filled column by column; phases are read row by row.
    order = [entry for column in range(columns) for entry in range(column, len(handles), columns)]
    axes.legend(
        [handles[entry] for entry in order], [labels[entry] for entry in order],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.3,
    )  # fmt: skip


def _mean_ns(policy: PolicySummary, phase: Phase) -> float:
    """Mean of a phase per request, 0 where it did not happen."""
    return float(policy["phases_ns"][phase.value]["mean_per_request"])


def _own_ns(policy: PolicySummary) -> float:
    """Mean own work per request, 0 where it was not measured."""
    return float(policy["generator"].get("own_mean_ns") or 0)


def _delay_ns(policy: PolicySummary) -> float:
    """By how much late stamps lengthen a request, 0 where that was not measured."""
    delays = policy["generator"].get("stamp_delay_ns") or {"connect": None, "wait": None}
    total = 0.0
    for phase, delay in ((Phase.CONNECT, delays["connect"]), (Phase.WAIT, delays["wait"])):
        count = policy["phases_ns"][phase.value]["count"]
        total += delay["p50"] * count / policy["requests"] if delay is not None and policy["requests"] else 0
    return total


PHASES = Chart("phases", _draw, few_bars)
