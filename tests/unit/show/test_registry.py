"""A chart is one row of CHARTS: reports, pages and the Python API find a new one by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from loadgen.cli.api import Run
from loadgen.model.summary import Summary
from loadgen.show.charts import CHARTS, charts_of
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import new_figure
from loadgen.show.export import RunData, write_report
from tests.support.synthetic import RunWriter, full_run

NAME = "opened"


def draw(summary: Summary) -> Figure:
    """What a newcomer's first chart could be."""
    figure = new_figure(summary, "Connections opened")
    opened = [one["connections"]["opened"] for one in summary["policies"].values()]
    figure.subplots().bar(list(summary["policies"]), opened)
    return figure


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunWriter:
    """A run, and one chart in place of all others, which take time."""
    monkeypatch.setattr("loadgen.show.charts.CHARTS", {NAME: Chart(NAME, draw, lambda summary: True)})
    return full_run(tmp_path / "run", rounds=1)


def test_a_new_chart_is_in_the_report(writer: RunWriter) -> None:
    write_report(writer.store, RunData(writer.summary()))
    page = writer.store.path("report.html").read_text(encoding="utf-8")
    assert "<img alt='opened'" in page
    assert {f"{NAME}.png", f"{NAME}.svg"} <= {path.name for path in writer.store.directory.iterdir()}


def test_a_new_chart_is_a_figure_of_the_python_api(writer: RunWriter) -> None:
    run = Run(writer.store.directory, RunData(writer.summary()).summary)
    assert run.charts == [NAME]
    assert run.figure(NAME).texts[0].get_text() == "Connections opened"


def test_each_chart_has_a_file_that_tells_its_name() -> None:
    folder = Path(__file__).parents[3] / "loadgen" / "show" / "charts"
    families = {"latency_by_rate", "latency_by_size", "latency_by_gap"}  # one file, latency_by_axis.py
    homeless = {name for name in CHARTS if not (folder / f"{name}.py").is_file()}
    assert homeless == families, "a chart's file in loadgen/show/charts/ is named after it: Chart.name with .py"


def test_a_chart_that_says_nothing_is_left_out(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.show.charts.CHARTS", {NAME: Chart(NAME, draw, lambda summary: False)})
    assert charts_of(writer.summary()) == []
