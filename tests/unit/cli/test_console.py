"""What the shell shows: warnings that can't wait, the table, and texts of others as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import experiment
from loadgen.cli.commands import compare
from loadgen.cli.console import show_path, show_summary
from loadgen.cli.experiment import Experiment
from loadgen.cli.screen.progress_display import ProgressDisplay
from loadgen.cli.stdio import print_error
from loadgen.measure.data.store import RunStore
from tests.support.audit_records import audit_record
from tests.support.hostile_texts import TERMINAL, hostile
from tests.support.plans import URL, planned
from tests.support.synthetic import MS, Exchange, Link, RunWriter, full_run, plan_json


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)


def test_findings_that_cost_something_stand_beside_the_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = dict(full_run(tmp_path / "run", rounds=1).summary())
    found["environment"] = {**found["environment"], "audit": audit_record()}
    show_summary(found)  # type: ignore[arg-type] # of any keys
    text = capsys.readouterr().out
    assert "Audit before the load: 1 violation, 1 warning, 1 note, 1 ok, 1 unknown (5 checks" in text
    assert "still open 5.00 s after the response" in text
    assert "3 of 3 requests answered" not in text


@pytest.mark.parametrize("path", ["[/x]", "[bold]", ":100:", "[::1]"])
def test_the_result_shows_every_text_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("pool:100:fifo", 1, f"http://h/{path}"))
    writer.block("pool:100:fifo", 0, [Link([Exchange(0), Exchange(1)])])
    summary = writer.summary()
    code, message = "some_code", f"recycle:100: a {path}"
    said = {"warnings": [{"code": code, "message": message}], "verdict": message, "verdict_lines": [message]}
    show_summary(summary | said)  # type: ignore[arg-type] # a code of its own
    show_path(tmp_path / path)
    text = capsys.readouterr().out
    assert f"GET http://h/{path}" in text
    assert "pool:100:fifo" in text
    assert f"\nwarning {code}: {message}\n" in text
    assert f"\n{message}\n" in text
    assert f"{tmp_path / path}\n" in text


@pytest.mark.parametrize("quiet", [False, True])
def test_warnings_are_said_at_once_and_noted_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    def workers(
        jobs: list[tuple[Path, dict[str, Any]]], _lock: int, on_event: Any, _goes_on: Any
    ) -> list[dict[str, Any]]:
        ((directory, job),) = jobs
        assert (job["skip"], job["first_connection"]) == ([3], 17)
        for policy, message in (("close", "one"), ("close", "again"), ("persistent", "other [x]")):
            on_event(0, {"block": {"index": 0, "round": 0, "policy": policy}})
            on_event(0, {"warning": {"code": "ports_run_out", "message": message}})
        (directory / "exchanges.rows").touch()
        return [{"end": "done"}]

    finished = []
    monkeypatch.setattr(experiment, "run_workers", workers)
    monkeypatch.setattr(experiment, "finish", lambda _store, facts, end, *, draws: finished.append((facts, end, draws)))
    facts: dict[str, Any] = {"name": "run", "environment": {}, "notes": []}
    store = RunStore.create(tmp_path / "run")
    plan = planned(compare, URL)
    Experiment(plan, store, facts, is_new=True, quiet=quiet, draws=False, done=[3], first_connection=17).run()
    ((noted, end, draws),) = finished
    assert (end, draws) == ("done", False)
    assert [note["message"] for note in noted["notes"]] == ["one", "other [x]"]
    assert store.load_run()["notes"][:-1] == noted["notes"]  # the last one: that the run goes on
    lines = shown(capsys).splitlines()
    assert lines == ([] if quiet else ["loadgen: warning: one", "loadgen: warning: other [x]"])


def test_nothing_that_a_target_sent_commands_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = hostile(dict(full_run(tmp_path / "run", rounds=1).summary()))
    show_summary(found)  # type: ignore[arg-type] # texts of any kind
    show_path(Path(f"results/{TERMINAL}/report.html"))
    ProgressDisplay(planned(compare, URL), False, ()).say(TERMINAL)
    print_error(f"{TERMINAL} http://user:c4n4ry@h/?token=c4n4ry")
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert set(re.findall(r"[\x00-\x1f\x7f-\x9f\u2028\u202e]", text)) == {"\n"}
    assert "c4n4ry" not in captured.err


@pytest.mark.parametrize("columns", [50, 80])
def test_a_narrow_terminal_cuts_off_neither_names_nor_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    writer = RunWriter(tmp_path / "run", plan_json("persistent,persistent", 5))
    for number in range(5):
        for policy in ("persistent", "persistent#2"):
            writer.block(policy, number, [Link([Exchange(0, wait=MS * (2 + number)), Exchange(1)])])
    show_summary(writer.summary())
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out).splitlines()
    table = lines[: lines.index("")]
    assert "…" not in "".join(table)
    assert any("persistent#2" in line for line in table)
    assert max(map(len, table)) <= columns


def test_on_a_terminal_no_word_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "50")
    summary = full_run(tmp_path / "run", rounds=2).summary()
    words = "a warning with a hyphen-ated word and numbers 1.25 ms long enough for several lines of the terminal"
    show_summary(summary | {"warnings": [{"code": "some_code", "message": words}]})  # type: ignore[arg-type] # as above
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= 50
    assert "\n" in text[text.index("a warning with") : text.index("terminal")]
    assert words in " ".join(lines)
    for line in summary["verdict_lines"]:
        assert line in " ".join(lines)
    assert "\nlatency, as the share of a policy's requests\n" in text
