"""The frame of lines along an axis of a sweep: which cells make a line, bands, and the legend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.show.charts.sweep_lines import Points, SweepLines, draw_points, legend_beside
from tests.support.synthetic import full_run, sweep_plan, sweep_run

STYLE: dict[str, Any] = {"color": "black"}
drawn: list[tuple[str, list[float]]] = []


def draw_line(_axes: Axes, label: str, points: Points, _style: dict[str, Any]) -> None:
    drawn.append((label, [x for x, _ in points]))


LINES = SweepLines("Title", "", "users", "users", "users", draw_line, lambda axes: None)


@pytest.fixture(autouse=True)
def nothing_drawn() -> None:
    drawn.clear()


def test_one_line_for_each_combination_of_the_other_axes(tmp_path: Path) -> None:
    plan = sweep_plan("persistent,close", users=(10, 1), rounds=1)
    axes = LINES.draw(sweep_run(tmp_path / "run", plan, 4).summary()).axes[0]
    assert drawn == [("persistent", [1, 10]), ("close", [1, 10])]
    assert axes.get_xlabel() == "users (log scale)"


@pytest.mark.parametrize(("axes", "applies"), [({"users": (1, 2)}, True), ({"users": (1,)}, False), ({}, False)])
def test_an_axis_with_one_value_is_no_chart(tmp_path: Path, axes: dict[str, Any], applies: bool) -> None:
    run = sweep_run(tmp_path / "run", sweep_plan(rounds=1, **axes), 2) if axes else full_run(tmp_path / "run")
    assert LINES.applies(run.summary()) is applies


@pytest.mark.parametrize(
    ("intervals", "bands"), [([[1, 3], [2, 4]], 1), ([[1, 3], None], 1), ([None, None], 0)], ids=["all", "one", "none"]
)
def test_points_without_an_interval_are_outside_the_band(intervals: list[Any], bands: int) -> None:
    axes = Figure().subplots()
    draw_points(axes, [(1, 2.0, intervals[0]), (2, 3.0, intervals[1])], STYLE)
    assert list(axes.lines[0].get_xdata()) == [1, 2]
    assert len(axes.collections) == bands


def test_the_legend_has_its_last_entry_last() -> None:
    axes = Figure().subplots()
    for label in ("a", "lost", "b"):
        axes.plot([1], [1], label=label)
    legend_beside(axes, last="lost")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "lost"]
