"""From a run's folder to what is saved and shown of it, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED, Outcome, report
from loadgen.cli.report import finish, present
from loadgen.cli.run_notes import CUT_SHORT
from loadgen.cli.signals import Interruption
from loadgen.measure.data.store import RunStore
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.summary import Summary
from loadgen.show import charts
from loadgen.show.export import RunData
from tests.support.runner import run_cli
from tests.support.synthetic import Exchange, Link, RunWriter, full_run, plan_json

SHOWN = {"json": False, "quiet": False}


def whole(folder: Path) -> RunWriter:
    writer = full_run(folder)
    writer.recorder.close()
    return writer


def unanswered(folder: Path) -> RunWriter:
    writer = RunWriter(folder, plan_json("close", 1))
    writer.block("close", 0, [Link([Exchange(0, outcome=-ErrorKind.CONNECT_REFUSED)])])
    writer.recorder.close()
    return writer


def finished(writer: RunWriter, end: str = "done") -> Any:
    return finish(writer.store, writer.store.load_run(), end, draws=False)


def test_a_run_is_saved_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(whole(tmp_path / "run"))
    assert present(run, SHOWN) == Outcome(EXIT_DONE, tmp_path / "run")
    shown = capsys.readouterr()
    assert run.summary["verdict"] in shown.out
    assert shown.out.endswith(f"{tmp_path / 'run' / 'summary.json'}\n")
    assert shown.err == ""
    assert run.store.load_summary() == run.summary
    assert not run.store.has_rows


@pytest.mark.usefixtures("no_drawing")
def test_the_table_is_there_before_a_chart_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[str] = []
    drawn: list[tuple[int, int, str]] = []

    def draw(store: RunStore, run: RunData) -> None:
        before.append(capsys.readouterr().out)
        assert run.samples is not None
        monkeypatch.setattr(run, "on_chart", lambda *chart: drawn.append(chart))
        assert list(run.charts) == [name for _, _, name in drawn]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write_report", draw)
    writer = whole(tmp_path / "run")
    run = finish(writer.store, writer.store.load_run(), "done", draws=True)
    assert present(run, SHOWN).code == EXIT_DONE
    (table,) = before
    assert run.summary["verdict_lines"][0] in table
    assert [number for number, _, _ in drawn] == list(range(1, drawn[0][1] + 1))
    after = capsys.readouterr()
    assert after.out.strip() == ""  # there is no page
    assert "No space left" in after.err


def test_each_chart_is_drawn_once_for_an_export_and_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def draw(name: str, _summary: Summary) -> dict[str, bytes]:
        drawn.append(name)
        return {"svg": b"<svg></svg>"}

    monkeypatch.setattr(charts, "draw", draw)
    writer, page = whole(tmp_path / "run"), tmp_path / "page.html"
    run = finish(writer.store, writer.store.load_run(), "done", draws=True)
    present(run, {"json": False, "quiet": True, "export": [f"html={page}"]})
    assert page.exists()
    assert drawn == charts.charts_of(run.summary)


def test_a_signal_while_it_is_drawn_names_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_store: RunStore, _run: RunData) -> None:
        raise Interruption

    monkeypatch.setattr(report, "write_report", interrupted)
    writer = whole(tmp_path / "run")
    run = finish(writer.store, writer.store.load_run(), "done", draws=True)
    with pytest.raises(Interruption, match=r"loadgen report .*run shows what had been measured"):
        present(run, {"json": False, "quiet": True})


def test_json_is_the_summary_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(whole(tmp_path / "run"))
    present(run, {"json": True, "quiet": False})
    assert json.loads(capsys.readouterr().out) == run.summary
    present(run, {"json": False, "quiet": True})
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("end", CUT_SHORT)
def test_a_run_that_ended_early(tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str) -> None:
    run = finished(unanswered(tmp_path / "run"), end)
    assert present(run, {"json": False, "quiet": True}) == Outcome(EXIT_INTERRUPTED, tmp_path / "run")
    # Who pressed Ctrl-C knows that.
    assert capsys.readouterr().err == ("" if end == "interrupted" else f"loadgen: {CUT_SHORT[end]}\n")


def test_a_run_without_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(unanswered(tmp_path / "run"))
    with pytest.raises(TargetError, match=r"connect_refused.*see .*summary\.json"):
        present(run, SHOWN)
    assert "close" in capsys.readouterr().out


def test_a_disk_that_fills_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = whole(tmp_path / "run")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.store, "write_text", full)
    run = finished(writer)
    assert present(run, SHOWN).code == EXIT_DONE
    shown = capsys.readouterr()
    assert run.summary["verdict"] in shown.out
    assert "summary.json" not in shown.out
    assert "report.html" not in shown.out
    assert shown.err == f"loadgen: not everything could be saved in {tmp_path / 'run'}: No space left on device\n"


def test_rows_that_found_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = whole(tmp_path / "run")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.store, "_save", full)
    run = finished(writer)
    assert run.failure == "no room for the samples"
    assert run.store.has_rows


@pytest.mark.usefixtures("no_drawing")
def test_report_rebuilds_and_draws(tmp_path: Path) -> None:
    whole(tmp_path / "run").store.release()
    done = run_cli("report", "run", "--json", cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pilot": {"users": 1}}, "pilot has no connections"),
        ({"pilot": None}, "pilot is not an object"),
        ({"environment": {"calibration": {"a": 1}}}, "calibration has no clock"),
    ],
)
def test_a_record_that_was_edited_is_refused_in_a_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    whole(tmp_path / "run").store.release()
    record = tmp_path / "run" / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text(encoding="utf-8")) | change), encoding="utf-8")
    done = run_cli("report", "run", cwd=tmp_path)
    assert (done.code, done.stderr) == (2, f"loadgen: run holds no whole run: {said}\n")
