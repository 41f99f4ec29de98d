"""What the report's heat map of a sweep is drawn from. Draws nothing.

It is {x: {label, values}, y: {label, values}, maps: [{name, unit, squares}]}; a square is [column, row, value], by
their places in `values`, with a null value where the cell has no answer. A map's unit is `ns` or `percent`.
"""

from __future__ import annotations

from typing import Any

from loadgen.model.characters import visible
from loadgen.model.summary import Summary
from loadgen.show.ordering import MAX_SERIES
from loadgen.show.sweep_grid import TITLES, Grid, SweepGrid, axis_text, sweep_grid


def grid_data(summary: Summary) -> dict[str, Any]:
    """Empty unless two axes vary. Differences come first: with two policies they are the question."""
    grid = sweep_grid(summary, MAX_SERIES)
    if grid is None:
        return {}
    maps = [
        _map(grid, f"{candidate} against {baseline}", "percent", squares)
        for (candidate, baseline), squares in grid.against_baseline().items()
    ]
    maps += [_map(grid, base or "mean", "ns", squares) for base, squares in grid.means.items()]
    if not any(value is not None for one in maps for _, _, value in one["squares"]):
        return {}
    return {
        "x": {"label": TITLES[grid.across], "values": [axis_text(grid.across, value) for value in grid.columns]},
        "y": {"label": TITLES[grid.down], "values": [axis_text(grid.down, value) for value in grid.rows]},
        "maps": maps,
    }


def _map(grid: SweepGrid, name: str, unit: str, squares: Grid) -> dict[str, Any]:
    placed = [
        [column, row, squares[rows_value, columns_value]]
        for row, rows_value in enumerate(grid.rows)
        for column, columns_value in enumerate(grid.columns)
        if (rows_value, columns_value) in squares
    ]
    return {"name": visible(name), "unit": unit, "squares": placed}
