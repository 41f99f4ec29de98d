"""`--baseline`: refused before anything is sent, and told at the end of a run and of a report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

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
