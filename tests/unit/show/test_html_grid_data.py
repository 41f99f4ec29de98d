"""What the report's heat map is drawn from, and the grid that all heat maps show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.show.export.html_chart_data import chart_data
from loadgen.show.export.html_charts import charts_html
from loadgen.show.export.html_grid_data import grid_data
from loadgen.show.sweep_grid import sweep_grid
from tests.support.synthetic import full_run, sweep_plan, sweep_run


@pytest.fixture(scope="module")
def two_policies(tmp_path_factory: pytest.TempPathFactory) -> Any:
    plan = sweep_plan("persistent,close", rounds=2, users=(10, 1), size=(0, 1_000), url="http://h/{size}")
    return sweep_run(tmp_path_factory.mktemp("grid") / "run", plan, requests=10).summary()


def test_a_square_has_the_mean_of_its_cell_and_differences_come_first(two_policies: Any) -> None:
    data = grid_data(two_policies)
    assert (data["y"]["label"], data["y"]["values"], data["x"]["values"]) == ("users", ["1", "10"], ["0", "1,000"])
    assert [(one["name"], one["unit"]) for one in data["maps"]] == [
        ("close against persistent", "percent"),
        ("persistent", "ns"),
        ("close", "ns"),
    ]
    cells = two_policies["sweep"]["cells"]
    means = {}
    for name, cell in cells.items():
        means[cell["base"], cell["users"], cell["size"]] = two_policies["policies"][name]["latency_ns"]["mean"]
    difference, persistent, close = (
        {(column, row): value for column, row, value in one["squares"]} for one in data["maps"]
    )
    assert persistent[1, 0] == means["persistent", 1, 1_000]
    assert close[0, 1] == means["close", 10, 0]
    assert difference[0, 1] == pytest.approx(100 * (close[0, 1] / persistent[0, 1] - 1))


def test_the_page_draws_it_in_place_of_the_picture(two_policies: Any) -> None:
    page = charts_html(chart_data(two_policies), {"heat_map": b"<svg/>"})
    assert "data-plot=heat_map><figcaption><h3>Mean latency of each cell</h3></figcaption><img " in page


def test_an_axis_is_in_its_own_order(tmp_path: Path) -> None:
    plan = sweep_plan(rounds=2, recycle=("inf", "10", "2"), gap=("1s", "300ms"))
    grid = sweep_grid(sweep_run(tmp_path / "run", plan, requests=10).summary(), 1)  # type: ignore[arg-type] # as read
    assert grid is not None
    assert {tuple(grid.rows), tuple(grid.columns)} == {("2", "10", "inf"), ("300ms", "1s")}
    assert grid.against_baseline() == {}


def test_without_answers_there_is_no_map(two_policies: Any) -> None:
    policies = {
        name: one | {"latency_ns": one["latency_ns"] | {"mean": None}} for name, one in two_policies["policies"].items()
    }
    assert grid_data(two_policies | {"policies": policies}) == {}


def test_one_axis_or_no_sweep_makes_no_grid(tmp_path: Path) -> None:
    one_axis: Any = sweep_run(tmp_path / "run", sweep_plan("close", rounds=2, users=(1, 2)), requests=5).summary()
    compared: Any = full_run(tmp_path / "compared", rounds=2).summary()
    assert (sweep_grid(one_axis, 7), sweep_grid(compared, 7)) == (None, None)
