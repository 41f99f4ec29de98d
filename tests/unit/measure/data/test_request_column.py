"""Which of several requests a row was, from the rows of a worker to the summary, its tables and its samples."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np

from loadgen.measure.data.merge_workers import merge_workers
from loadgen.measure.data.rows import Samples
from loadgen.measure.data.sample_table import SampleTable
from loadgen.measure.summary.policy_requests import requests_summary
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.records import ABSENT
from loadgen.model.request_choice import point, upper_edges
from loadgen.show.tables import named_requests
from tests.support.synthetic import MS, Exchange, Link, RunWriter, plan_json

REQUESTS = [PlannedRequest(name, f"/{name}", weight).record(secrets=True) for name, weight in (("a", 3), ("b", 1))]
EDGES = upper_edges([3, 1])


def links(failed: int = 0) -> list[Link]:
    """Twenty connections with five requests each, the first of each in warm-up; `failed` of the last ones failed."""
    return [
        Link([Exchange((index - 1) * MS, outcome=-3 if number < failed and index == 4 else 200) for index in range(5)])
        for number in range(20)
    ]


def written(directory: Path, **facts: Any) -> RunWriter:
    writer = RunWriter(directory, plan_json() | {"urls": REQUESTS})
    for policy in ("persistent", "close"):
        writer.block(policy, 0, links(failed=2), request_weights=[3, 1], **facts)
    return writer


def samples_of(writer: RunWriter) -> Samples:
    return writer.settle()  # type: ignore[no-any-return] # it says Any


def test_a_row_has_the_request_that_was_chosen(tmp_path: Path) -> None:
    columns = samples_of(written(tmp_path)).columns
    expected = [
        bisect_right(EDGES, point(number, index))
        for number, index in zip(columns["connection"].tolist(), columns["nth_on_connection"].tolist(), strict=True)
    ]
    assert columns["request"].tolist() == expected
    assert set(expected) == {0, 1}


def test_workers_whose_connections_are_numbered_anew_keep_it(tmp_path: Path) -> None:
    one, other = (samples_of(written(tmp_path / name)) for name in ("one", "other"))
    merged = merge_workers([(0, one), (1, other)])
    assert merged.columns["request"].tolist() == [*one.columns["request"], *other.columns["request"]]
    counts = [block["carried_by_request"] for block in one.blocks]
    assert [block["carried_by_request"] for block in merged.blocks] == [
        {place: 2 * number for place, number in one.items()} for one in counts
    ]


def test_counts_by_name_are_exact_though_samples_are_thinned(tmp_path: Path) -> None:
    summary = written(tmp_path).summary()
    thinned = samples_of(written(tmp_path / "thinned")).thinned(20, seed=1)
    for name, one in summary["policies"].items():
        by_name = one["by_name"]
        assert [request["name"] for request in by_name] == ["a", "b"]
        assert sum(request["requests"] for request in by_name) == one["requests"] == 78
        assert sum(request["failed"] for request in by_name) == 2
        assert sum(request["answered_with_warmup"] for request in by_name) == 98
        assert by_name[0]["latency_ns"]["mean"] == one["latency_ns"]["mean"]
        block = next(block for block in thinned.blocks if block["policy"] == name)
        assert block["counted"]["kept"] < 78
        assert sum(block["counted"]["by_request"].values()) == 78
    rows = named_requests(summary).rows
    assert [row[:2] for row in rows] == [("persistent", "a"), ("persistent", "b"), ("close", "a"), ("close", "b")]


def test_samples_have_its_name(tmp_path: Path) -> None:
    samples = samples_of(written(tmp_path))
    table = SampleTable(samples, requests=["a", "b"])
    assert table["request"].tolist() == np.array(["a", "b"])[samples.columns["request"]].tolist()
    assert "request" not in SampleTable(samples).names


def test_a_run_of_one_request_has_none(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link()])
    samples = samples_of(writer)
    assert samples.columns["request"].tolist() == [ABSENT]
    assert "carried_by_request" not in samples.blocks[0]
    assert requests_summary((), [], {}, None) is None  # type: ignore[typeddict-item, arg-type] # not looked at
