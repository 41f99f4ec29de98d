"""Exports of a run that goes on, and of one that is over: each read back from the file that a child process wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadgen.show.export import EXPORTERS
from loadgen.swarm.run_exports import RunExports
from tests.support.synthetic import full_run


@pytest.fixture
def exports() -> Iterator[RunExports]:
    exports = RunExports()
    yield exports
    exports.close()


def test_formats_made_of_samples_are_offered_once_the_run_is_over(exports: RunExports) -> None:
    so_far, over = (
        {one["name"] for one in exports.offers(with_samples=with_samples)} for with_samples in (False, True)
    )
    assert over - so_far >= {"csv", "ndjson", "hdr"}
    assert {"html", "json", "markdown", "junit"} <= so_far < over <= EXPORTERS.keys()
    assert [one["name"] for one in exports.offers(with_samples=False) if one["opens"]] == ["html"]


def test_a_run_that_goes_on_is_exported_by_its_summary_and_one_that_is_over_by_its_folder(
    exports: RunExports, tmp_path: Path
) -> None:
    writer = full_run(tmp_path / "run")
    summary: Any = writer.summary()
    report = exports.of_summary(summary, "html")
    assert report.name == "report.html"
    assert summary["verdict"] in report.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="the export csv could not be made: "):  # it has no samples
        exports.of_summary(summary, "csv")

    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with exports.of_folder(tmp_path / "run", "csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(one["requests"] for one in summary["policies"].values())
    exports.close()
    assert not report.parent.exists()
