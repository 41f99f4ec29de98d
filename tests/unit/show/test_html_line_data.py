"""What the report's line charts are drawn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.stats.positions import FIRSTS
from loadgen.show.export.html_chart_data import chart_data
from loadgen.show.export.html_charts import _PICTURE_BYTES, charts_html
from loadgen.show.export.html_line_data import line_charts
from loadgen.show.sweep_series import series_along
from tests.support.synthetic import full_run, sweep_plan, sweep_run


@pytest.fixture(scope="module")
def by_k(tmp_path_factory: pytest.TempPathFactory) -> Any:
    plan = sweep_plan(recycle=("1", "10", "inf"), users=(1, 10))
    return sweep_run(tmp_path_factory.mktemp("lines") / "run", plan).summary()


def test_a_line_has_the_cells_that_differ_in_its_axis_alone(by_k: Any) -> None:
    series = series_along(by_k["sweep"], "users", "users")
    assert list(series) == ["recycle:1", "recycle:10", "recycle:inf"]
    cells = by_k["sweep"]["cells"]
    assert [[cells[name]["users"] for name in names] for names in series.values()] == [[1, 10]] * 3


def test_points_are_the_summary_s_means_with_their_intervals(by_k: Any) -> None:
    chart = line_charts(by_k)["amortisation"]
    groups = by_k["sweep"]["amortisation"]
    assert [line["label"] for line in chart["lines"]] == ["1 user", "10 users"]
    for line, group in zip(chart["lines"], groups, strict=True):
        assert [point[1:] for point in line["points"]] == [[one["mean_ns"], *one["ci95"]] for one in group["cells"]]
        assert line["fit"][0][0] == pytest.approx(line["points"][0][0])
    assert [text for _, text in chart["x"]["ticks"]] == ["1", "10", "∞"]
    places = [place for place, _ in chart["x"]["ticks"]]
    assert places == sorted(places)


def test_throughput_by_users_is_in_requests_per_second(by_k: Any) -> None:
    chart = line_charts(by_k)["throughput_by_users"]
    assert (chart["y"]["unit"], chart["y"]["scale"]) == ("rps", "linear")
    rates = [point[1] for line in chart["lines"] for point in line["points"]]
    assert sorted(rates) == sorted(one["throughput_rps"] for one in by_k["policies"].values())


def test_an_axis_with_a_zero_has_equal_steps(tmp_path: Path) -> None:
    plan = sweep_plan("persistent,close", size=(0, 1_000, 100_000), url="http://h/{size}")
    chart = line_charts(sweep_run(tmp_path / "run", plan).summary())["latency_by_size"]
    assert chart["x"]["ticks"] == [[0.0, "0"], [1.0, "1,000"], [2.0, "100,000"]]
    assert [line["label"] for line in chart["lines"]] == ["persistent", "persistent: p99", "close", "close: p99"]


def test_positions_are_those_that_policies_reached(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", "persistent,recycle:2").summary()
    chart = line_charts(summary)["by_position"]
    groups = summary["policies"]["persistent"]["by_position"]
    line = chart["lines"][0]
    assert [point[1] for point in line["points"]] == [one["exchange_mean_ns"] for one in groups]
    assert len(chart["x"]["ticks"]) <= len(FIRSTS)


def test_a_page_keeps_the_pictures_that_it_has_room_for(by_k: Any) -> None:
    pictures = {
        "amortisation": b"<svg>" + bytes(_PICTURE_BYTES),
        "throughput_by_users": b"<svg/>",
        "heat_map": b"<svg/>",
        "phases": b"<svg>" + bytes(_PICTURE_BYTES),
    }
    page = charts_html(chart_data(by_k), pictures)
    assert "data-plot=amortisation><figcaption>" in page
    assert "alt='amortisation'" not in page
    assert "alt='throughput by users'" in page
    assert "alt='heat map'" in page
