"""A sweep over two axes as a map: one square a cell, with its value written into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from matplotlib.figure import Figure

from loadgen.measure.labels import plain_number
from loadgen.model.summary import Summary, SweepSummary
from loadgen.model.units import format_duration, parse_duration_ns
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import new_figure, say_empty, shortened

Axis = Literal["users", "rate", "recycle", "gap", "size"]
Value = str | float | None
"""A cell's value of an axis."""
Grid = dict[tuple[Value, Value], float | None]
"""The number of each square, by its row's and its column's value."""

_TITLES: dict[Axis, str] = {
    "users": "users", "rate": "arrivals per second", "recycle": "K, requests per connection", "gap": "gap",
    "size": "bytes of the body",
}  # fmt: skip
_DARK = 0.55  # on a square darker than this the text is white


def _applies(summary: Summary) -> bool:
    """Two axes vary, and there are one or two policies."""
    sweep = summary["sweep"]
    return sweep is not None and len(_varied(sweep)) == 2 and len(_bases(sweep)) <= 2


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
    sweep = summary["sweep"]
    assert sweep is not None
    down, across = _varied(sweep)
    rows, columns = (sorted(sweep["axes"][axis], key=_number) for axis in (down, across))
    chosen = _choose(summary, sweep, down, across)
    figure = new_figure(summary, chosen.title, chosen.note, height=1.9 + 0.46 * len(rows))
    axes = figure.subplots()
    if not any(value is not None for value in chosen.grid.values()):
        say_empty(axes, "no complete request to show")
        return figure
    size = min(9.5, 72 * 7.2 / len(columns) / 5.2)  # about eight characters fit into a square
    _squares(axes, chosen, rows, columns, size)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), [_text(across, value) for value in columns], fontsize=size)
    axes.set_yticks(range(len(rows)), [_text(down, value) for value in rows])
    axes.set_xlabel(_TITLES[across])
    axes.set_ylabel(_TITLES[down])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


def _choose(summary: Summary, sweep: SweepSummary, down: Axis, across: Axis) -> _Map:
    """The mean latency of each cell; of two policies their difference in percent, which is the question then."""
    bases = _bases(sweep)
    grids = [_means(summary, sweep, base, down, across) for base in bases]
    if len(grids) == 1:
        return _Map(
            "Mean latency of each cell", "Log scale of colours; handshake included.", grids[0], "cividis_r",
            lambda known: LogNorm(min(known), max(known)), format_duration,
        )  # fmt: skip
    baseline = bases.index("persistent") if "persistent" in bases else 0
    candidate = 1 - baseline
    # Two bases are two policies of the plan, so each has a name.
    names = [shortened(f"{bases[side]}", 24) for side in (candidate, baseline)]
    return _Map(
        f"Mean latency of {names[0]} against {names[1]}", "Difference in percent; above 0 it is slower.",
        _percent(grids[candidate], grids[baseline]), "PuOr_r",
        lambda known: CenteredNorm(0, max(map(abs, known)) or 1), "{:+.0f} %".format,
    )  # fmt: skip


def _squares(axes: Axes, chosen: _Map, rows: Sequence[Value], columns: Sequence[Value], size: float) -> None:
    norm = chosen.norm([value for value in chosen.grid.values() if value is not None])
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            value = chosen.grid.get((row, column))
            colour = (0.93, 0.93, 0.93, 1.0) if value is None else colormaps[chosen.colours](norm(value))
            axes.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour, linewidth=0)
            light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
            text = "–" if value is None else chosen.write(value)
            axes.text(x, y, text, ha="center", va="center", fontsize=size, color="white" if light < _DARK else "black")


def _varied(sweep: SweepSummary) -> list[Axis]:
    # Keys of a TypedDict are plain strings to the type checker.
    return cast("list[Axis]", [axis for axis, values in sweep["axes"].items() if len(cast("list[Value]", values)) > 1])


def _bases(sweep: SweepSummary) -> list[str | None]:
    return list(dict.fromkeys(cell["base"] for cell in sweep["cells"].values()))


def _means(summary: Summary, sweep: SweepSummary, base: str | None, down: Axis, across: Axis) -> Grid:
    policies = summary["policies"]
    return {
        (cell[down], cell[across]): policies[name]["latency_ns"]["mean"]
        for name, cell in sweep["cells"].items()
        if cell["base"] == base
    }


def _percent(candidate: Grid, baseline: Grid) -> Grid:
    """By how much the candidate's value is above the baseline's."""
    return {
        square: None if value is None or not (base := baseline.get(square)) else 100 * (value / base - 1)
        for square, value in candidate.items()
    }


def _number(value: Value) -> float:
    """An axis's value to sort by: K may be `inf`, a gap is written as a duration."""
    if not isinstance(value, str):
        return float(value or 0)
    return float(value) if value == "inf" or value.isdigit() else float(parse_duration_ns(value))


def _text(axis: Axis, value: Value) -> str:
    if value is None or isinstance(value, str):
        return "∞" if value == "inf" else f"{value}"
    return f"{value:,}" if axis == "users" else plain_number(value)


HEAT_MAP = Chart("heat_map", _draw, _applies)
