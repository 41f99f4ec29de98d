"""Where the extra time goes: a waterfall from the baseline's mean latency to each candidate's, through the phases."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.measure.stats.statuses import StatusCounts
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary, Summary
from loadgen.model.units import format_duration, format_estimate
from loadgen.show.charts.chart import Chart, few_lines
from loadgen.show.charts.phase_looks import PHASE_LOOKS
from loadgen.show.charts.style import BASE_COLOUR, MAX_SERIES, duration_axis, new_figure, say_empty, wrapped
from loadgen.show.formatting import estimate

_MINOR = [phase for phase, look in PHASE_LOOKS.items() if look.is_minor]
# The waterfall's steps: one a phase, and a last one that the minor phases share.
STEPS = [*([phase] for phase in PHASE_LOOKS if phase not in _MINOR), _MINOR]
_MANY_STEPS = 6
_MAX_WATERFALLS = MAX_SERIES - 1


def _applies(summary: Summary) -> bool:
    return few_lines(summary) and len(summary["comparisons"]) <= _MAX_WATERFALLS


def _draw(summary: Summary) -> Figure:
    comparisons = summary["comparisons"]
    if not comparisons:
        figure = new_figure(summary, "Where the extra time goes", height=2.6)
        say_empty(figure.subplots(), "nothing to compare: it takes two policies that were answered in one round")
        return figure
    title = "Where the extra time goes"
    residual = ""
    if len(comparisons) == 1:
        only = comparisons[0]
        residual = _explained(only, summary)
        if not _is_unwanted(only, summary):
            title = _finding(only)
    figure = new_figure(summary, title, residual, height=1.2 + (3.4 if residual else 3.0) * len(comparisons))
    for axes, comparison in zip(figure.subplots(len(comparisons), 1, squeeze=False)[:, 0], comparisons, strict=True):
        _waterfall(axes, comparison, summary)
        if not residual:
            both = f"{comparison['candidate']} against {comparison['baseline']}"
            axes.set_title(f"{both}: {_explained(comparison, summary)}", fontsize=9, loc="left")
    return figure


def _is_unwanted(comparison: ComparisonSummary, summary: Summary) -> bool:
    """One side's responses are mostly redirects or errors: then a title must not be a finding."""
    sides = (comparison["baseline"], comparison["candidate"])
    return any(StatusCounts.of([summary["policies"][name]]).are_unwanted for name in sides)


def _finding(comparison: ComparisonSummary) -> str:
    """The title of a chart of one comparison: the same number as in the verdict, and nothing that is not certain."""
    delta_ns, interval_ns = comparison["latency_mean_delta_ns"], comparison.get("latency_mean_delta_ci95")
    if interval_ns is not None and not comparison["is_certain"]:
        return f"{comparison['candidate']} and {comparison['baseline']}: no certain difference"
    change = "adds" if delta_ns >= 0 else "saves"
    amount, _ = format_estimate(abs(delta_ns), interval_ns)
    return f"{comparison['candidate']} {change} {amount} per request on average: where it goes"


def _explained(comparison: ComparisonSummary, summary: Summary) -> str:
    """The difference with its interval, and its two parts."""
    interval_ns = comparison.get("latency_mean_delta_ci95")  # earlier runs lack it
    return f"{estimate(comparison['latency_mean_delta_ns'], interval_ns, sign=True)}: {_residual(comparison, summary)}"


def _residual(comparison: ComparisonSummary, summary: Summary) -> str:
    handshake, residual = (
        format_duration(comparison["handshake_mean_ns"]),
        format_duration(comparison["residual_mean_ns"]),
    )
    protocols = {summary["policies"][name]["protocol"] for name in (comparison["baseline"], comparison["candidate"])}
    # Between two protocols the exchange itself differs, and not only what a new connection does to it.
    what = "all the rest" if len(protocols) == 1 else "exchange and all the rest"
    return f"handshake {handshake}, residual ({what}) {residual}"


def _waterfall(axes: Axes, comparison: ComparisonSummary, summary: Summary) -> None:
    sides = (comparison["baseline"], comparison["candidate"])
    steps = _steps(comparison, summary)
    level: float = comparison["baseline_mean_ns"]
    end = comparison["candidate_mean_ns"]
    highest = max(level, end)
    axes.bar(0, level, color=BASE_COLOUR, width=0.6)
    _label(axes, 0, level, format_duration(level), highest)
    for position, (phases, delta) in enumerate(steps, start=1):
        look = PHASE_LOOKS[phases[0]]
        axes.bar(position, delta, bottom=level, color=look.colour, hatch=look.hatch, edgecolor="white", width=0.6)
        axes.plot([position - 1 + 0.3, position - 0.3], [level, level], color="#999999", linewidth=0.8)
        level += delta
        highest = max(highest, level)
        sign = "+" if delta >= 0 else "−"
        _label(axes, position, max(level, level - delta), f"{sign}{format_duration(abs(delta))}", highest)
    last = len(steps) + 1
    axes.plot([last - 0.7, last - 0.3], [level, level], color="#999999", linewidth=0.8)
    axes.bar(last, end, color=BASE_COLOUR, width=0.6)
    _label(axes, last, end, format_duration(end), highest)
    # Beside many steps there is little room for a name.
    width, size = (11, 9) if len(steps) > _MANY_STEPS else (18, 10)
    ends = [f"{wrapped(name, width)}\n(mean)" for name in sides]
    labels = [ends[0], *(",\n".join(phase.value for phase in phases) for phases, _ in steps), ends[1]]
    axes.set_xticks(range(len(labels)), labels, fontsize=size)
    axes.set_ylim(0, highest * 1.14 or 1)
    duration_axis(axes.yaxis)
    axes.set_ylabel("mean latency per request")
    axes.grid(visible=False, axis="x")


def _steps(comparison: ComparisonSummary, summary: Summary) -> list[tuple[list[Phase], float]]:
    """The steps that happened on either side, each with its part of the difference (ns)."""
    deltas = comparison["phase_deltas_mean_ns"]
    both = [summary["policies"][name]["phases_ns"] for name in (comparison["baseline"], comparison["candidate"])]
    return [
        (phases, sum(deltas[phase.value] for phase in phases))
        for phases in STEPS
        if any(one[phase.value]["count"] for one in both for phase in phases)
    ]


def _label(axes: Axes, x: float, y: float, text: str, highest: float) -> None:
    axes.text(x, y + highest * 0.015, text, ha="center", va="bottom", fontsize=9)


EXTRA_TIME = Chart("extra_time", _draw, _applies)
