"""A sweep over two axes as a map: a square a cell, with its value written into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib import colormaps
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from matplotlib.figure import Figure

from loadgen.measure.labels import plain_number
from loadgen.model.units import format_duration, parse_duration_ns
from loadgen.show.charts.style import new_figure, say_empty, shortened

Grid = dict[tuple[Any, Any], float | None]
_TITLES = {
    "users": "users", "rate": "arrivals per second", "recycle": "K, requests per connection", "gap": "gap",
    "size": "bytes of the body",
}  # fmt: skip
_DARK = 0.55  # below this lightness of a square its text is white


def is_map(summary: dict[str, Any]) -> bool:
    """Two axes vary, and the policies are one or two."""
    return summary["sweep"] is not None and len(_varied(summary)) == 2 and len(_bases(summary)) <= 2


def heat_map(summary: dict[str, Any]) -> Figure:
    """A latency of each cell; of two policies their difference in percent, which is what one asks then.

    The latency is the median; where K varies it is the mean: of two requests a connection one pays the handshake, and
    the median falls to either side by chance.
    """
    down, across = _varied(summary)
    values = summary["sweep"]["axes"]
    rows, columns = (sorted(values[axis], key=_number) for axis in (down, across))
    bases = _bases(summary)
    kind, said = ("mean", "Mean") if "recycle" in (down, across) else ("p50", "Median")
    grids = [_latencies(summary, kind, base, down, across) for base in bases]
    if len(grids) == 2:
        baseline = bases.index("persistent") if "persistent" in bases else 0
        candidate = 1 - baseline
        grid = _percent(grids[candidate], grids[baseline])
        title = f"{said} latency of {shortened(bases[candidate], 24)} against {shortened(bases[baseline], 24)}"
        note, colours = "Difference in percent; above 0 it is slower.", "PuOr_r"
    else:
        grid = grids[0]
        title, note, colours = f"{said} latency of each cell", "Log scale of colours; handshake included.", "cividis_r"
    figure = new_figure(summary, title, note, height=1.9 + 0.46 * len(rows))
    axes = figure.subplots()
    known = [value for value in grid.values() if value is not None]
    if not known:
        say_empty(axes, "no complete request to show")
        return figure
    norm: Normalize = CenteredNorm(0, max(map(abs, known)) or 1) if len(grids) == 2 else LogNorm(min(known), max(known))
    write: Callable[[float], str] = "{:+.0f} %".format if len(grids) == 2 else format_duration
    size = min(9.5, 72 * 7.2 / len(columns) / 5.2)  # so that about eight characters fit into a square
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            value = grid.get((row, column))
            colour = (0.93, 0.93, 0.93, 1.0) if value is None else colormaps[colours](norm(value))
            axes.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour, linewidth=0)
            light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
            text = "–" if value is None else write(value)
            axes.text(x, y, text, ha="center", va="center", fontsize=size, color="white" if light < _DARK else "black")
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), [_written(across, value) for value in columns], fontsize=size)
    axes.set_yticks(range(len(rows)), [_written(down, value) for value in rows])
    axes.set_xlabel(_TITLES[across])
    axes.set_ylabel(_TITLES[down])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


def _varied(summary: dict[str, Any]) -> list[str]:
    return [axis for axis, values in summary["sweep"]["axes"].items() if len(values) > 1]


def _bases(summary: dict[str, Any]) -> list[Any]:
    return list(dict.fromkeys(cell["base"] for cell in summary["sweep"]["cells"].values()))


def _latencies(summary: dict[str, Any], kind: str, base: str | None, down: str, across: str) -> Grid:
    policies = summary["policies"]
    return {
        (cell[down], cell[across]): policies[name]["latency_ns"][kind]
        for name, cell in summary["sweep"]["cells"].items()
        if cell["base"] == base
    }


def _percent(candidate: Grid, baseline: Grid) -> Grid:
    """How much the candidate's value is above the baseline's."""
    return {
        place: None if value is None or not (base := baseline.get(place)) else 100 * (value / base - 1)
        for place, value in candidate.items()
    }


def _number(value: Any) -> float:
    """An axis's value to sort by: K may be `inf`, a gap is written as a duration."""
    if not isinstance(value, str):
        return float(value)
    return float(value) if value == "inf" or value.isdigit() else float(parse_duration_ns(value))


def _written(axis: str, value: Any) -> str:
    if axis == "users":
        return f"{value:,}"
    return "∞" if value == "inf" else value if isinstance(value, str) else plain_number(value)
