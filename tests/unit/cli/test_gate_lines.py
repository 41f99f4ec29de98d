"""`--fail-if` and `--max-errors` on the commands: exit codes, lines, plan files, and what a run records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import loadgen
from loadgen.cli import api
from loadgen.cli.report import FinishedRun, finish
from loadgen.show.export import RunData
from tests.support.runner import Result, run_cli
from tests.support.synthetic import full_run

FAILED = "loadgen: gate failed: "
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A whole run with gates of its own, of which one fails; charts take too long."""
    gates = {"fail_if": ["close.connections.opened > 0", "persistent.reuse_ratio < 0.5"], "max_errors": 0.01}
    full_run(tmp_path / "run", rounds=3, **gates).recorder.close()
    with mock.patch.object(RunData, "charts", {}):
        yield tmp_path / "run"


def report(run: Path, *arguments: str) -> Result:
    return run_cli("report", str(run), *arguments)


def gates_of(run: Path) -> list[tuple[str, bool]]:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return [(gate["expression"], gate["passed"]) for gate in summary.get("gates", [])]


def test_a_run_s_own_gates_hold_until_others_are_asked_for(run: Path) -> None:
    done = report(run)
    assert done.code == 1
    assert [line for line in done.stderr.splitlines() if line.startswith(FAILED)] == [
        f"{FAILED}close.connections.opened > 0: close: 306"
    ]
    assert "gate passed: errors > 1%: persistent: 0%" in done.stdout
    assert gates_of(run) == [
        ("errors > 1%", True), ("close.connections.opened > 0", False), ("persistent.reuse_ratio < 0.5", True),
    ]  # fmt: skip
    for page in ("report.md", "report.html"):
        text = (run / page).read_text(encoding="utf-8")
        assert "FAILED" in text
        assert "persistent.reuse" in text
    other = report(run, "--fail-if", "stale_connections > 0", "--quiet")
    assert (other.code, other.stdout, other.stderr) == (0, "", "")
    assert gates_of(run) == [("stale_connections > 0", True)]
    assert report(run, "--max-errors", "0%", "--quiet").code == 0
    assert gates_of(run) == [("errors > 0%", True)]
    assert report(run, "--quiet").code == 1


def test_json_holds_the_gates_and_the_lines_go_to_standard_error(run: Path) -> None:
    done = report(run, "--json", "--fail-if", "latency_ms.p50 < 1000", "--fail-if", "mean.ratio < 0.1")
    assert done.code == 1
    gates = json.loads(done.stdout)["gates"]
    assert [(gate["passed"], gate["others_failed"]) for gate in gates] == [(False, 1), (True, 0)]
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{FAILED}latency_ms.p50 < 1000: ")
    assert line.endswith("; 1 more fails too")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("close.latencey_ms.p99 > 5", "did you mean 'latency_ns.p99'?"),
        ("clsoe.latency_ms.p99 > 5", "did you mean 'close'?"),
        ("errors", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_a_bad_gate_is_one_line_before_anything_is_done(run: Path, expression: str, text: str) -> None:
    before = sorted(path.name for path in run.iterdir())
    for command in (("report", str(run)), ("compare", NOWHERE), ("sweep", NOWHERE, "--users", "1,2")):
        done = run_cli(*command, "--fail-if", expression, cwd=run.parent)
        assert (done.code, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        if command[0] != "sweep" or "clsoe" not in expression:
            assert text in line
    assert sorted(path.name for path in run.iterdir()) == before
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_max_errors_is_a_percentage() -> None:
    done = run_cli("compare", NOWHERE, "--max-errors", "0.01")
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
    assert "0.01" in done.stderr
    assert "write it like 2%" in done.stderr


def test_plan_files_hold_gates(tmp_path: Path) -> None:
    saved = tmp_path / "plan.toml"
    gates = ("--fail-if", "reuse_ratio<0.9", "--fail-if", "tls_full > 3", "--max-errors", "1%")
    dry = ("--users", "2", "--rounds", "1", "--dry-run")
    assert run_cli("compare", NOWHERE, *gates, *dry, "--save-plan", str(saved)).code == 0
    text = saved.read_text(encoding="utf-8")
    assert '"reuse_ratio < 0.9"' in text
    assert 'max-errors = "1%"' in text
    assert run_cli("compare", "--plan", str(saved), "--dry-run").code == 0
    saved.write_text(text.replace("tls_full > 3", "tls_fool > 3"), encoding="utf-8")
    done = run_cli("compare", "--plan", str(saved), "--dry-run")
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
    assert "did you mean 'tls_full'?" in done.stderr or "did you mean 'connections.tls_full'?" in done.stderr
    # What is given wins.
    assert run_cli("compare", "--plan", str(saved), "--fail-if", "tls_full > 3", "--dry-run").code == 0


def test_gates_in_python(run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    writer = full_run(run.parent / "other", rounds=2, fail_if=["reuse_ratio < 0.5", "errors > 3"])
    writer.recorder.close()
    finished = finish(writer.store, writer.store.load_run(), "done", draws=False)  # type: ignore[arg-type] # as JSON has it
    asked = {}

    def compared(options: dict[str, object]) -> FinishedRun:
        asked.update(options)
        return finished

    monkeypatch.setattr(api, "run_comparison", compared)
    done = loadgen.compare(NOWHERE, fail_if=["reuse_ratio < 0.5", "errors > 3"], max_errors="2%", quiet=False)
    assert (asked["fail_if"], asked["max_errors"]) == (("reuse_ratio < 0.5", "errors > 3"), 0.02)
    assert [gate["expression"] for gate in done.gates] == ["reuse_ratio < 0.5", "errors > 3"]
    assert [gate["subject"] for gate in done.failed_gates] == ["close"]
    assert capsys.readouterr().err == f"{FAILED}reuse_ratio < 0.5: close: 0\n"
