"""A run of several targets in tables, pages and exports: which target is said wherever a policy is named."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.sample_table import SampleTable
from loadgen.model.plan import Plan
from loadgen.show import tables
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.html_answer import answer_html
from loadgen.show.export.metric_families import families
from loadgen.show.export.otlp_metrics import request_of
from loadgen.show.formatting import target_text, url_of
from tests.support.synthetic import MS, summary_of, targets_run

OF_POLICY = {"persistent · old": "old", "persistent · new": "new"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    writer = targets_run(tmp_path_factory.mktemp("run") / "run", {"old": 0, "new": 10 * MS}, "persistent", 3)
    samples = writer.settle()
    summary = summary_of(writer.store, samples)
    for place, name in enumerate(("old", "new")):
        found = {"address": f"127.0.0.{place + 1}", "port": 80, "server": "nginx"}
        summary["environment"].setdefault("targets", {})[name] = found
    return RunData(summary, samples)  # type: ignore[arg-type] # of any keys


def test_titles_name_them_all(run: RunData) -> None:
    plan = run.summary["plan"]
    assert target_text(plan) == "old http://old.test/, new http://new.test/"
    assert {name: url_of(plan, one) for name, one in run.summary["policies"].items()} == {
        "persistent · old": "http://old.test/", "persistent · new": "http://new.test/",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("origins", "title"),
    [
        (("", "http://h:81"), "http://h:81/"),
        (("", "https://i", "https://i", "http://h:8"), "http://h:81/ and 2 other origins"),
    ],
)
def test_a_title_counts_the_other_origins_of_requests(origins: tuple[str, ...], title: str) -> None:
    plan: Any = {"url": "http://h:81/", "urls": [{"origin": origin} for origin in origins]}
    assert target_text(plan) == title


def test_the_environment_has_rows_of_each(run: RunData) -> None:
    rows = dict(row[:2] for row in tables.environment(run.summary).rows)
    assert (rows["old: connected to"], rows["new: connected to"]) == ("127.0.0.1:80", "127.0.0.2:80")
    assert "connected to" not in rows


def test_each_difference_has_a_card(run: RunData) -> None:
    page = answer_html(run.summary)
    assert page.count("<article") == 1
    assert "<h3>persistent: new</h3>" in page
    assert "persistent: new costs 10.0 ms more per request on average" in page


def test_metrics_have_a_label(run: RunData) -> None:
    points = [point.labels for family in families(run.summary) for point in family.points if "policy" in point.labels]
    assert points
    assert all(point["target"] == OF_POLICY[point["policy"]] for point in points)
    (metric,) = [one for one in _otlp(run) if one["name"] == "http.client.request.duration"]
    found = {
        (attributes["loadgen.target"], attributes["server.address"])
        for point in metric["exponentialHistogram"]["dataPoints"]
        for attributes in [{one["key"]: next(iter(one["value"].values())) for one in point["attributes"]}]
    }
    assert found == {("old", "old.test"), ("new", "new.test")}


def test_samples_have_a_column(run: RunData) -> None:
    rows = list(csv.DictReader(io.StringIO(export_text(EXPORTERS["csv"], run))))
    assert rows
    assert all(row["target"] == OF_POLICY[row["policy"]] for row in rows)
    lines = map(json.loads, export_text(EXPORTERS["ndjson"], run).splitlines())
    assert {line["target"] for line in lines if line["type"] == "sample"} == {"old", "new"}
    assert run.samples is not None
    plan = Plan.from_json(run.summary["plan"])
    assert set(SampleTable(run.samples, plan.target_names)["target"]) == {"old", "new"}
    assert "target" not in SampleTable(run.samples).names


def test_parquet_has_it_as_a_name(run: RunData, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "samples.parquet"
    with path.open("wb") as stream:
        EXPORTERS["parquet"].write(run, stream)  # type: ignore[arg-type] # a stream of bytes
    assert set(parquet.read_table(path).column("target").to_pylist()) == {"old", "new"}


def _otlp(run: RunData) -> list[Any]:
    (resource,) = request_of(run)["resourceMetrics"]
    found: list[Any] = resource["scopeMetrics"][0]["metrics"]
    return found
