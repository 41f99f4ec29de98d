"""`--export` on the command line: where each format goes, and what is refused before anything is done."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import EXIT_DONE, EXIT_OUTPUT, EXIT_USAGE
from loadgen.model.exceptions import PlanError
from loadgen.show.export import EXPORTERS
from loadgen.show.export.requested import check_exports
from tests.support.documents import ROOT
from tests.support.runner import run_cli
from tests.support.synthetic import full_run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose report takes no time."""
    monkeypatch.setattr("loadgen.cli.report.write_report", lambda *_: None)
    writer = full_run(tmp_path / "run", rounds=1)
    writer.settle()
    writer.store.release()
    return writer.store.directory


def complaint(*texts: str, **options: Any) -> str:
    with pytest.raises(PlanError) as caught:
        check_exports({"export": texts, **options})
    return str(caught.value)


def test_a_file_in_the_run_s_folder_a_path_and_standard_output(folder: Path, tmp_path: Path) -> None:
    arguments = ["--export", "csv", "--export", f"hdr={tmp_path / 'own.hlog'}", "--export", "ndjson=-"]
    done = run_cli("report", str(folder), *arguments)
    assert (done.code, done.stderr) == (EXIT_DONE, "")
    lines = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert (lines[0], lines[-1]) == ("run", "end")  # nothing else is there, no table either
    assert (folder / "samples.csv").read_text(encoding="utf-8").startswith("policy,round,")
    assert (tmp_path / "own.hlog").read_text(encoding="utf-8").startswith("#[")
    assert not (folder / "latency.hlog").exists()


def test_a_pipe_is_written_as_it_stands(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run_cli("report", str(folder), "--quiet", "--export", f"markdown={pipe}").code == EXIT_DONE
        assert os.read(reader, 2) == b"> "
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_what_can_not_be_written_is_found_before(tmp_path: Path) -> None:
    assert "there is no format 'cvs'; did you mean 'csv'?" in complaint("cvs")
    assert "choose from json" in complaint("xyzzy=1")
    assert "give a path after the =" in complaint("csv=")
    assert "No such file or directory" in complaint(f"csv={tmp_path / 'none' / 'x.csv'}")
    assert "is a folder" in complaint(f"csv={tmp_path}")
    assert "csv=- and ndjson would both" in complaint("csv=-", "ndjson=-")
    assert "csv=- and --json would both" in complaint("csv=-", json=True)
    assert "writes samples.csv twice" in complaint("csv", "csv")
    assert list(tmp_path.iterdir()) == []


def test_github_s_file_is_appended_to_and_annotations_are_beside(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert "GITHUB_STEP_SUMMARY is not set" in complaint("github")
    written = tmp_path / "step"
    written.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(written))
    done = run_cli("report", str(folder), "--quiet", "--export", "github")
    assert (done.code, done.stdout) == (EXIT_DONE, "")
    assert written.read_text(encoding="utf-8").startswith("before\n### loadgen: GET ")
    assert done.stderr.startswith("::warning title=loadgen ")


@pytest.mark.parametrize("url", ["http://", "http://me:pass@127.0.0.1:4318", "http://127.0.0.1:0", "http://[::1"])
def test_a_collector_s_url_is_checked(url: str) -> None:
    text = complaint(f"otlp={url}")
    assert "http[s]://host[:port]" in text
    assert "pass" not in text


def test_a_collector_that_is_not_there_is_told(folder: Path) -> None:
    done = run_cli("report", str(folder), "--quiet", "--export", "otlp=http://127.0.0.1:1")
    assert done.code == EXIT_OUTPUT
    assert "--export otlp: Connection refused" in done.stderr


def test_nothing_is_sent_where_an_export_is_wrong(tmp_path: Path) -> None:
    done = run_cli("compare", "http://127.0.0.1:9/", "--export", "cvs", cwd=tmp_path)
    assert done.code == EXIT_USAGE
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    for exporter in EXPORTERS.values():
        if exporter.needs:
            assert f"pip install 'loadgen[{exporter.extra}]'" in complaint(exporter.name)


def test_an_export_that_fails_is_told_and_the_rest_is_there(folder: Path) -> None:
    done = run_cli("report", str(folder), "--quiet", "--export", "csv=/dev/full", "--export", "hdr")
    assert done.code == EXIT_OUTPUT
    assert done.stderr == f"loadgen: --export csv: No space left on device; the results are saved in {folder}\n"
    assert (folder / "latency.hlog").exists()


def test_help_and_docs_name_each_format() -> None:
    text = " ".join(run_cli("report", "--help").stdout.split())
    table = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    for exporter in EXPORTERS.values():
        assert f"{exporter.name}" in text
        assert f"| `{exporter.name}` | `{exporter.file_name}` |" in table or exporter.appends_to in table
