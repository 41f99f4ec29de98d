"""A sweep over two axes as a map: one square a cell, with its value written into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from matplotlib.figure import Figure

from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import new_figure, say_empty, shortened
from loadgen.show.sweep_grid import TITLES, AxisValue, Grid, SweepGrid, axis_text, sweep_grid

_MAX_POLICIES = 2
_DARK = 0.55  # on a square darker than this the text is white
_WHOLE_PERCENT = 9.95


def _applies(summary: Summary) -> bool:
    """Two axes vary, and there are one or two policies."""
    return sweep_grid(summary, _MAX_POLICIES) is not None


@dataclass(frozen=True, slots=True)
class _Map:
    """What is drawn: a number for each square, and how numbers become colours and text."""

    title: str
    note: str
    grid: Grid
    colours: str
    """Name of matplotlib's colour map."""
    norm: Callable[[list[float]], Normalize]
    """The scale of the colours, from all known numbers."""
    write: Callable[[float], str]


def _draw(summary: Summary) -> Figure:
    grid = sweep_grid(summary, _MAX_POLICIES)
    assert grid is not None
    chosen = _choose(grid)
    figure = new_figure(summary, chosen.title, chosen.note, height=1.9 + 0.46 * len(grid.rows))
    axes = figure.subplots()
    if not any(value is not None for value in chosen.grid.values()):
        say_empty(axes, "no complete request to show")
        return figure
    size = min(9.5, 72 * 7.2 / len(grid.columns) / 5.2)  # about eight characters fit into a square
    _squares(axes, chosen, grid.rows, grid.columns, size)
    axes.set_xlim(-0.5, len(grid.columns) - 0.5)
    axes.set_ylim(len(grid.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.columns)), [axis_text(grid.across, value) for value in grid.columns], fontsize=size)
    axes.set_yticks(range(len(grid.rows)), [axis_text(grid.down, value) for value in grid.rows])
    axes.set_xlabel(TITLES[grid.across])
    axes.set_ylabel(TITLES[grid.down])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


def _choose(grid: SweepGrid) -> _Map:
    """The mean latency of each cell; of two policies their difference in percent, which is the question then."""
    against = grid.against_baseline()
    if not against:
        (means,) = grid.means.values()
        return _Map(
            "Mean latency of each cell", "Log scale of colours; handshake included.", means, "cividis_r",
            lambda known: LogNorm(min(known), max(known)), format_duration,
        )  # fmt: skip
    ((pair, percents),) = against.items()
    # Two bases are two policies of the plan, so each has a name.
    names = [shortened(f"{name}", 24) for name in pair]
    return _Map(
        f"Mean latency of {names[0]} against {names[1]}", "Difference in percent; above 0 it is slower.",
        percents, "PuOr_r",
        lambda known: CenteredNorm(0, max(map(abs, known)) or 1), _percent,
    )  # fmt: skip


def _percent(value: float) -> str:
    """Small differences with a decimal, so that +0.4 % is not shown as none."""
    return f"{value:+.{1 if abs(value) < _WHOLE_PERCENT else 0}f} %"


def _squares(axes: Axes, chosen: _Map, rows: Sequence[AxisValue], columns: Sequence[AxisValue], size: float) -> None:
    norm = chosen.norm([value for value in chosen.grid.values() if value is not None])
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            value = chosen.grid.get((row, column))
            colour = (0.93, 0.93, 0.93, 1.0) if value is None else colormaps[chosen.colours](norm(value))
            axes.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour, linewidth=0)
            light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
            text = "–" if value is None else chosen.write(value)
            axes.text(x, y, text, ha="center", va="center", fontsize=size, color="white" if light < _DARK else "black")


HEAT_MAP = Chart("heat_map", _draw, _applies)
