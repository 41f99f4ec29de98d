"""Formats of metrics, each read back by the ecosystem's own reader."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.exposition import exposition
from loadgen.show.export.metric_families import MetricKind, families
from tests.support.synthetic import full_run, summary_of

Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    writer = full_run(tmp_path_factory.mktemp("run") / "run", rounds=3, url="https://example.test/")
    samples = writer.settle()
    return RunData(summary_of(writer.store, samples), samples)  # type: ignore[arg-type] # of any keys


def samples_of(families: Iterable[Any]) -> Found:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def check_values(found: Found, run: RunData) -> None:
    """Against the summary, in base units."""

    def value(name: str, **labels: str) -> float:
        return found[f"loadgen_{name}", tuple(sorted(labels.items()))]

    for name, policy in run.summary["policies"].items():
        latency = policy["latency_ns"]
        assert latency["mean"] is not None
        assert latency["p99"] is not None
        assert latency["mean_ci95"] is not None
        assert value("requests_total", policy=name) == policy["requests"]
        assert value("responses_total", policy=name, code="200") == policy["requests"]
        assert value("request_latency_seconds", policy=name, quantile="0.99") == latency["p99"] / 1e9
        assert value("request_latency_seconds_count", policy=name) == policy["requests"]
        assert value("request_latency_seconds_sum", policy=name) == latency["mean"] * policy["requests"] / 1e9
        for bound, expected in zip(("low", "high"), latency["mean_ci95"], strict=True):
            found_bound = value("request_latency_ci95_seconds", policy=name, statistic="mean", bound=bound)
            assert found_bound == expected / 1e9
        assert value("connections_opened_total", policy=name) == policy["connections"]["opened"]
        assert value("tls_handshakes_total", policy=name, kind="full") == policy["connections"]["tls_full"]
        assert value("connection_reuse_ratio", policy=name) == policy["connections"]["reuse_ratio"]
    (pair,) = run.summary["comparisons"]
    labels = {"baseline": "persistent", "candidate": "close", "statistic": "mean"}
    assert value("latency_ratio", **labels) == pair["latency_mean_ratio"]
    assert pair["latency_mean_ratio_ci95"] is not None
    assert value("latency_ci95_ratio", bound="low", **labels) == pair["latency_mean_ratio_ci95"][0]
    about = {"run": run.summary["run"], "url": run.summary["plan"]["url"], "version": "0.1.0"}
    assert value("run_info", **about) == 1


def test_prometheus_reads_its_text(run: RunData) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    found = list(parser.text_string_to_metric_families(export_text(EXPORTERS["prometheus"], run)))
    check_values(samples_of(found), run)
    assert {family.type for family in found} == {"counter", "gauge", "summary"}
    assert all(family.documentation.endswith(".") for family in found)


def test_openmetrics_is_read_by_its_parser(run: RunData) -> None:
    """Which refuses a unit that does not end the name, a family twice, a text without EOF."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    found = list(parser.text_string_to_metric_families(export_text(EXPORTERS["openmetrics"], run)))
    check_values(samples_of(found), run)
    assert {family.type for family in found} == {"counter", "gauge", "summary", "info"}
    assert {family.unit for family in found} == {"", "seconds", "ratio", "bytes"}


@pytest.mark.parametrize(
    ("name", "module"),
    [("prometheus", "prometheus_client.parser"), ("openmetrics", "prometheus_client.openmetrics.parser")],
)
def test_hostile_texts_stay_inside_their_label(run: RunData, name: str, module: str) -> None:
    parser = pytest.importorskip(module)
    hostile = 'a"} 1\nloadgen_evil 2\\'
    summary: Any = {**run.summary, "run": hostile}
    text = "".join(exposition(summary, is_open_metrics=name == "openmetrics"))
    found = samples_of(parser.text_string_to_metric_families(text))
    assert not any(name == "loadgen_evil" for name, _ in found)
    assert any(dict(labels).get("run") == hostile for _, labels in found)


def test_names_are_documented(run: RunData) -> None:
    text = (Path(__file__).parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")
    endings = {MetricKind.COUNTER: "_total", MetricKind.INFO: "_info"}
    names = [f"loadgen_{one.name}{endings.get(one.kind, '')}" for one in families(run.summary)]
    assert [name for name in names if f"`{name}`" not in text] == []
