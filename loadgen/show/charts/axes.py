"""A sweep along one axis: throughput or latency against users, rate, size or gap, a line for each of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from loadgen.measure.labels import labels, plain_number
from loadgen.model.units import NS_PER_MS, format_duration
from loadgen.show.charts.style import (
    clear_ticks,
    count_axis,
    log_duration_axis,
    new_figure,
    say_empty,
    series_look,
    shortened,
    spread,
)

_PLACE = ("base", "users", "rate", "recycle", "gap", "size")
_THROUGHPUT, _LATENCY = "throughput", "latency"


@dataclass(frozen=True, slots=True)
class AxisChart:
    """axis: of the plan's. place: the key of a cell's value as a number. shows: what is drawn against it."""

    title: str
    axis: str
    place: str
    unit: str
    shows: str

    def applies(self, summary: dict[str, Any]) -> bool:
        return len((summary["sweep"] or {"axes": {}})["axes"].get(self.axis, ())) > 1

    def draw(self, summary: dict[str, Any]) -> Figure:
        series = self._series(summary)
        shown = spread(list(series))
        left = f" {len(shown)} of {len(series)} lines shown." if len(shown) < len(series) else ""
        what = "" if self.shows is _THROUGHPUT else " Filled: p50; hollow, dotted: p99."
        figure = new_figure(
            summary, self.title, f"Bands: 95 % intervals from resampling rounds.{what}{left}", height=5.0
        )
        axes = figure.subplots()
        policies = summary["policies"]
        if not any(policies[name]["requests"] for names in series.values() for name in names):
            say_empty(axes, "no complete request to show")
            return figure
        draw = _throughput if self.shows is _THROUGHPUT else _latency
        cells = summary["sweep"]["cells"]
        for number, label in enumerate(shown):
            points = [(cells[name][self.place], policies[name]) for name in series[label]]
            draw(axes, shortened(label, 44), [point for point in points if point[1]["requests"]], series_look(number))
        self._scale(axes, sorted({cells[name][self.place] for names in series.values() for name in names}))
        handles, names = axes.get_legend_handles_labels()
        last = sorted(zip(handles, names, strict=True), key=lambda one: one[1] == _NOT_STARTED)
        axes.legend(*zip(*last, strict=True), loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return figure

    def _series(self, summary: dict[str, Any]) -> dict[str, list[str]]:
        """The cells of each line, in the order of the axis."""
        cells = summary["sweep"]["cells"]
        others = [key for key in _PLACE if key != self.axis]
        groups: dict[tuple[Any, ...], list[str]] = {}
        for name in sorted(cells, key=lambda name: cells[name][self.place]):
            groups.setdefault(tuple(cells[name][key] for key in others), []).append(name)
        ordered = sorted(groups.values(), key=lambda names: list(cells).index(names[0]))
        first = [{key: cells[names[0]][key] for key in others} for names in ordered]
        return dict(zip(labels(first), ordered, strict=True))

    def _scale(self, axes: Axes, places: list[float]) -> None:
        """A log axis with a mark for each value of it; linear close to 0, where a value is 0."""
        positive = [place for place in places if place > 0]
        if len(positive) < len(places) or not positive:
            axes.set_xscale("symlog", linthresh=min(positive, default=1))
            ticks = places[:1] + clear_ticks(positive)
        else:
            axes.set_xscale("log")
            ticks = clear_ticks(places)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: self._written(value)))
        axes.set_xlabel(f"{self.unit} (log scale)")
        if self.shows is _THROUGHPUT:
            axes.set_ylim(0, axes.get_ylim()[1])
            axes.set_ylabel("requests per second")
            count_axis(axes.yaxis)
        else:
            axes.set_yscale("log")
            low, high = axes.get_ylim()
            if high < 3 * low:  # else there might be no mark at all
                axes.set_ylim(low / 1.7, high * 1.7)
            log_duration_axis(axes.yaxis, *axes.get_ylim())
            axes.set_ylabel("latency (log scale)")

    def _written(self, value: float) -> str:
        return format_duration(value) if self.place == "gap_ns" and value >= NS_PER_MS / 1e3 else plain_number(value)


AXIS_CHARTS = {
    "throughput_by_users": AxisChart("Throughput by users", "users", "users", "users", _THROUGHPUT),
    "latency_by_rate": AxisChart("Latency by offered rate", "rate", "rate", "arrivals per second", _LATENCY),
    "latency_by_size": AxisChart("Latency by size of the response", "size", "size", "bytes of the body", _LATENCY),
    "latency_by_gap": AxisChart("Latency by gap", "gap", "gap_ns", "gap before each reuse", _LATENCY),
}

_NOT_STARTED = "arrivals not started"

Points = list[tuple[float, dict[str, Any]]]


def _throughput(axes: Axes, label: str, points: Points, style: dict[str, Any]) -> None:
    _line(axes, [(x, one["throughput_rps"], one["throughput_rps_ci95"]) for x, one in points], style | {"label": label})


def _latency(axes: Axes, label: str, points: Points, style: dict[str, Any]) -> None:
    for name, more in (("p50", {"label": label}), ("p99", {"linestyle": ":", "markerfacecolor": "white"})):
        latencies = [(x, one["latency_ns"]) for x, one in points]
        _line(axes, [(x, latency[name], latency[f"{name}_ci95"]) for x, latency in latencies], style | more)
    # Where arrivals found no connection the percentiles are too small: past the knee they say little.
    lost = [(x, one["latency_ns"]) for x, one in points if one["percentiles_too_low"]]
    if lost:
        x = [x for x, _ in lost for _ in range(2)]
        y = [latency[name] for _, latency in lost for name in ("p50", "p99")]
        known = _NOT_STARTED in axes.get_legend_handles_labels()[1]
        axes.plot(
            x, y, marker="x", markersize=12, color="black", linestyle="none", markeredgewidth=1.6, zorder=5,
            label=None if known else _NOT_STARTED,
        )  # fmt: skip


def _line(axes: Axes, points: list[tuple[float, float, list[float] | None]], style: dict[str, Any]) -> None:
    """A line through the points with the band of those that have an interval."""
    axes.plot([x for x, _, _ in points], [y for _, y, _ in points], markersize=5, **style)
    known = [(x, interval) for x, _, interval in points if interval]
    if known:
        low, high = zip(*(interval for _, interval in known), strict=True)
        axes.fill_between([x for x, _ in known], low, high, color=style["color"], alpha=0.18, linewidth=0)
