"""The frame that charts of a sweep along one axis share: a line for each combination of the other axes.

Knows no chart: what is drawn against the axis, and how, its users say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import Summary
from loadgen.model.units import NS_PER_US, format_duration, plain_number
from loadgen.show.charts.style import clear_ticks, draw_band, new_figure, say_empty, series_look, shortened, spread
from loadgen.show.sweep_series import AxisName, ValueKey, series_along

Points = list[tuple[float, PolicySummary]]
"""One line's cells: the value of the axis, and what was measured there."""
DrawLine = Callable[[Axes, str, Points, dict[str, Any]], None]
"""Draws one line: axes, label, points, and the look of the series."""


@dataclass(frozen=True, slots=True)
class SweepLines:
    """One chart along an axis."""

    title: str
    note: str
    """What the subtitle adds to the explanation of the bands."""
    axis: AxisName
    """The axis of the plan."""
    value: ValueKey
    """The key of a cell's value on that axis, as a number."""
    unit: str
    """The axis's title."""
    draw_line: DrawLine
    scale_values: Callable[[Axes], None]
    """Scales and labels the axis of what is drawn."""

    def applies(self, summary: Summary) -> bool:
        return summary["sweep"] is not None and len(summary["sweep"]["axes"].get(self.axis, ())) > 1

    def draw(self, summary: Summary) -> Figure:
        sweep, policies = summary["sweep"], summary["policies"]
        assert sweep is not None
        series = series_along(sweep, self.axis, self.value)
        shown = spread(list(series))
        left_out = f" {len(shown)} of {len(series)} lines shown." if len(shown) < len(series) else ""
        note = f"Bands: 95 % intervals from the spread between rounds.{self.note}{left_out}"
        figure = new_figure(summary, self.title, note, height=5.0)
        axes = figure.subplots()
        if not any(policies[name]["requests"] for names in series.values() for name in names):
            say_empty(axes, "no complete request to show")
            return figure
        cells = sweep["cells"]
        for number, label in enumerate(shown):
            points = [(cells[name][self.value] or 0, policies[name]) for name in series[label]]
            answered = [point for point in points if point[1]["requests"]]
            self.draw_line(axes, shortened(label, 44), answered, series_look(number))
        self._scale_axis(axes, sorted({cells[name][self.value] or 0 for names in series.values() for name in names}))
        self.scale_values(axes)
        return figure

    def _scale_axis(self, axes: Axes, values: list[float]) -> None:
        """A log axis with a mark for each of the values; linear close to 0 where a value is 0."""
        positive = [value for value in values if value > 0]
        if len(positive) < len(values) or not positive:
            axes.set_xscale("symlog", linthresh=min(positive, default=1))
            ticks = values[:1] + clear_ticks(positive)
        else:
            axes.set_xscale("log")
            ticks = clear_ticks(values)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: self._text(value)))
        axes.set_xlabel(f"{self.unit} (log scale)")

    def _text(self, value: float) -> str:
        return format_duration(value) if self.value == "gap_ns" and value >= NS_PER_US else plain_number(value)


def draw_points(
    axes: Axes, points: Sequence[tuple[float, float | None, Sequence[float] | None]], style: dict[str, Any]
) -> None:
    """A line through the points (x, y, interval of y) with the band of those that have an interval."""
    axes.plot([x for x, _, _ in points], [y for _, y, _ in points], markersize=5, **style)
    known = [(x, interval) for x, _, interval in points if interval]
    if known:
        draw_band(axes, [x for x, _ in known], [interval for _, interval in known], style["color"])


def legend_beside(axes: Axes, last: str = "") -> None:
    """A legend to the right of the axes; the entry `last` comes at its end."""
    handles, names = axes.get_legend_handles_labels()
    ordered = sorted(zip(handles, names, strict=True), key=lambda one: one[1] == last)
    axes.legend(*zip(*ordered, strict=True), loc="upper left", bbox_to_anchor=(1.0, 1.0))
