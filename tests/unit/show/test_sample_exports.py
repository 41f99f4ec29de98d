"""Formats of samples, each read back by a reader of that format that nobody here wrote."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.sample_table import SampleTable
from loadgen.model.records import ABSENT
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.hdr_encoding import HIGHEST_NS, encode
from loadgen.show.export.sample_rows import TEXT_COLUMNS
from tests.support.synthetic import RunWriter, full_run, summary_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    writer: RunWriter = full_run(tmp_path_factory.mktemp("run") / "run", rounds=2)
    samples = writer.settle()
    return RunData(summary_of(writer.store, samples), samples)  # type: ignore[arg-type] # of any keys


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every run has several, the last of which is not full."""
    monkeypatch.setattr("loadgen.show.export.sample_rows._ROWS", 7)


def expected(run: RunData) -> list[dict[str, Any]]:
    """The rows of the sample table, with None for what is absent."""
    assert run.samples is not None
    table = SampleTable(run.samples)
    columns = {
        name: [None if value in ("", ABSENT) else value for value in table[name].tolist()] for name in table.names
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_csv_has_each_sample_on_a_line(run: RunData) -> None:
    rows = list(csv.DictReader(io.StringIO(export_text(EXPORTERS["csv"], run))))
    kinds = {name: str if name in TEXT_COLUMNS else int for name in rows[0]}
    read = [{name: kinds[name](value) if value else None for name, value in row.items()} for row in rows]
    assert len(rows) > 100
    assert read == expected(run)


def test_ndjson_has_run_blocks_samples_and_the_end(run: RunData) -> None:
    lines = [json.loads(line) for line in export_text(EXPORTERS["ndjson"], run).splitlines()]
    kinds = [line.pop("type") for line in lines]
    assert kinds == sorted(kinds, key=["run", "block", "sample", "warning", "end"].index)
    assert lines[0]["plan"] == json.loads(json.dumps(run.summary["plan"]))
    assert [line for line, kind in zip(lines, kinds, strict=True) if kind == "block"] == run.summary["blocks"]
    assert [line for line, kind in zip(lines, kinds, strict=True) if kind == "sample"] == expected(run)
    assert lines[-1] == {"verdict": run.summary["verdict"]}


def test_hdr_log_has_each_block_s_latencies_under_its_policy(run: RunData, tmp_path: Path) -> None:
    histogram = pytest.importorskip("hdrh.histogram")
    log = pytest.importorskip("hdrh.log")
    assert run.samples is not None
    path = tmp_path / "latency.hlog"
    path.write_text(export_text(EXPORTERS["hdr"], run), encoding="utf-8")
    reader = log.HistogramLogReader(str(path), histogram.HdrHistogram(1, HIGHEST_NS, 3))
    found = []
    while (interval := reader.get_next_interval_histogram()) is not None:
        found.append(interval)
    reader.close()
    assert [one.get_tag() for one in found] == [block["policy"] for block in run.summary["blocks"]]
    latency, block_of = run.samples.latency_ns(), run.samples.block_of()
    for position, one in enumerate(found):
        mine = latency[block_of == position]
        assert one.get_total_count() == len(mine)
        assert one.get_max_value() == pytest.approx(mine.max(), rel=1e-3)
        assert one.get_value_at_percentile(50) == pytest.approx(np.quantile(mine, 0.5, method="lower"), rel=1e-2)
    starts = [one.get_start_time_stamp() for one in found]
    assert starts == sorted(starts)


def test_the_encoding_of_histograms_is_that_of_the_library() -> None:
    """Of values over the whole range, gaps of one and of many zeros among the counts, and what is too high."""
    library = pytest.importorskip("hdrh.histogram")
    generator = np.random.default_rng(7)
    values = np.concatenate([
        np.array([0, 1, 3, 2_047, 2_048, 4_095, 4_096, HIGHEST_NS, 2 * HIGHEST_NS], np.int64),
        np.exp(generator.uniform(0, np.log(HIGHEST_NS), 5_000)).astype(np.int64),
    ])  # fmt: skip
    theirs = library.HdrHistogram(1, HIGHEST_NS, 3)
    for value in values.tolist():
        theirs.record_value(min(value, HIGHEST_NS))
    read = library.HdrHistogram.decode(encode(values))
    assert read.get_total_count() == len(values)
    assert [(one.value_iterated_to, one.count_added_in_this_iter_step) for one in read.get_recorded_iterator()] == [
        (one.value_iterated_to, one.count_added_in_this_iter_step) for one in theirs.get_recorded_iterator()
    ]


def test_parquet_has_each_sample_as_a_row(run: RunData) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    stream = io.BytesIO()
    EXPORTERS["parquet"].write(run, stream)
    stream.seek(0)
    table = parquet.read_table(stream)
    assert table.to_pylist() == expected(run)
    assert json.loads(table.schema.metadata[b"loadgen.plan"]) == json.loads(json.dumps(run.summary["plan"]))
    assert {str(table.schema.field(name).type) for name in table.column_names if name not in TEXT_COLUMNS} == {"int64"}


def test_without_samples_these_formats_say_so(run: RunData) -> None:
    for name in ("csv", "ndjson", "hdr"):
        with pytest.raises(ValueError, match="made of samples"):
            export_text(EXPORTERS[name], RunData(run.summary))
