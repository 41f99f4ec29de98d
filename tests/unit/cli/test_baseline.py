"""`--baseline`: refused before anything is sent, and told at the end of a run and of a report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import loadgen
from loadgen.cli.baseline import check_baseline
from loadgen.model.exceptions import PlanError
from tests.support.runner import run_cli
from tests.support.summary_schema import check_diff
from tests.support.synthetic import ENVIRONMENT, full_run, plan_json

# Diffs are drawn; the charts of each run would take most of the time.
pytestmark = pytest.mark.usefixtures("no_drawing")


def run(folder: Path, **plan: Any) -> Path:
    full_run(folder, **plan).summary()
    return folder


def record(**plan: Any) -> Any:
    return {"name": "new", "plan": plan_json(**plan), "environment": dict(ENVIRONMENT), "notes": []}


def options(*folders: Path, force: bool = False) -> dict[str, Any]:
    return {"baseline": tuple(map(str, folders)), "force": force}


def test_a_report_says_what_changed_and_records_the_baseline(tmp_path: Path) -> None:
    old, new = run(tmp_path / "old"), run(tmp_path / "new")
    shown = run_cli("report", str(new), "--baseline", str(old))
    assert (shown.code, shown.stderr) == (0, "")
    assert "close / persistent: mean latency" in shown.stdout
    assert json.loads((new / "run.json").read_text(encoding="utf-8"))["baseline"] == [str(old)]
    diff = json.loads((new / "diff.json").read_text(encoding="utf-8"))
    check_diff(diff)
    assert diff["old"][0]["path"] == str(old)
    assert (new / "diff.svg").exists()
    page, text = ((new / name).read_text(encoding="utf-8") for name in ("report.html", "report.md"))
    assert f"<h2>What changed since {old}</h2><p class=verdict><span>{diff['verdict'][0]}</span>" in page
    assert f"What changed since {old}:\n\n- {diff['verdict'][0]}\n" in text
    assert loadgen.load_run(new).diff == diff
    assert loadgen.load_run(old).diff is None


def test_a_later_report_makes_the_diff_again_while_the_baseline_is_there(tmp_path: Path) -> None:
    old, new = run(tmp_path / "old"), run(tmp_path / "new")
    run_cli("report", str(new), "--baseline", str(old), "--quiet")
    (new / "diff.json").unlink()
    assert run_cli("report", str(new), "--quiet") == (0, "", "")
    assert (new / "diff.json").exists()
    shutil.rmtree(old)
    code, _, stderr = run_cli("report", str(new), "--quiet")
    assert code == 0
    assert stderr == f"loadgen: nothing is said of what changed: {old} holds no run (run.json is missing)\n"


def test_unlike_runs_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    old = run(tmp_path / "old")
    with pytest.raises(PlanError, match=r"old and this run are unlike: method GET before, POST now\. --force"):
        check_baseline(options(old), record(method="POST"), pilots=False)
    assert check_baseline(options(old, force=True), record(method="POST"), pilots=False) == [str(old)]


def test_what_a_run_can_not_know_yet_is_no_difference(tmp_path: Path) -> None:
    old = run(tmp_path / "old")
    facts = json.loads((old / "run.json").read_text(encoding="utf-8"))
    facts["environment"] |= {"processors_awake": True, "target": {"server": "nginx"}}
    (old / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert check_baseline(options(old), record(), pilots=False) == [str(old)]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--baseline", "missing", "--users", "1"), "missing holds no run (run.json is missing)"),
        (("--baseline", "old"), "--plan old runs the same plan again"),
        (("--force", "--users", "1"), "--force is for --baseline; give both"),
        (("--baseline", "old", "--users", "9"), "users 2 before, 9 now"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_no_folder(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    run(tmp_path / "old")
    code, stdout, stderr = run_cli("compare", "http://127.0.0.1:9/", "--out", "new", *arguments, cwd=tmp_path)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert line in stderr
    assert not (tmp_path / "new").exists()


def test_gates_ask_what_changed(tmp_path: Path) -> None:
    old, new = run(tmp_path / "old"), run(tmp_path / "new")
    kept, broken = "diff.certain_changes > 0", "diff.close.latency.p50.ratio.ci95.high > 1"
    gates = ("--fail-if", kept, "--fail-if", "errors > 1%", "--fail-if", broken)
    arguments = ("report", str(new), "--baseline", str(old), "--quiet", "--export", "junit", *gates)
    code, _, stderr = run_cli(*arguments)
    assert code == 1
    assert stderr.startswith(f"loadgen: gate failed: {broken}: close: 1.01")
    summary = json.loads((new / "summary.json").read_text(encoding="utf-8"))
    assert [(one["expression"], one["passed"]) for one in summary["gates"]] == [
        (kept, True),
        ("errors > 1%", True),
        (broken, False),
    ]
    cases = {
        one.attrib["name"]: one.find("failure") for one in ElementTree.parse(new / "junit.xml").iterfind(".//testcase")
    }
    assert cases[kept] is None
    failure = cases[broken]
    assert failure is not None
    assert failure.attrib["message"].startswith("close: 1.01")
    diff = json.loads((new / "diff.json").read_text(encoding="utf-8"))
    check_diff(diff)
    assert [one["expression"] for one in diff["gates"]] == [kept, broken]
    shutil.rmtree(old)
    code, _, stderr = run_cli(*arguments[:2], "--quiet", "--fail-if", "diff.latency.mean.ratio > 9")
    assert code == 1
    assert "gate failed: diff.latency.mean.ratio > 9: persistent: there is no value that could be judged" in stderr


def test_a_gate_over_what_changed_needs_a_baseline(tmp_path: Path) -> None:
    arguments = ("compare", "http://127.0.0.1:9/", "--users", "1", "--out", "new", "--fail-if")
    code, stdout, stderr = run_cli(*arguments, "diff.latency.mean.ratio > 2", cwd=tmp_path)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "asks what changed since an earlier run; name that run: --baseline DIR" in stderr
    run(tmp_path / "old")
    code, _, stderr = run_cli(*arguments, "diff.latency.mean.rato > 2", "--baseline", "old", cwd=tmp_path)
    assert code == 2
    assert "did you mean 'latency_ns.mean.ratio'?" in stderr
    assert not (tmp_path / "new").exists()
