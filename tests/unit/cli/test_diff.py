"""`loadgen diff` in process: what it prints and writes, and what it refuses with one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.hostile_texts import texts
from tests.support.runner import run_cli
from tests.support.summary_schema import DIFF_SCHEMA_FILE, check_diff, diff_schema_text
from tests.support.synthetic import full_run


def run(folder: Path, *policies: str, **plan: Any) -> Path:
    full_run(folder, ",".join(policies or ("persistent", "close")), **plan).summary()
    return folder


def test_the_schema_is_what_the_types_say() -> None:
    assert DIFF_SCHEMA_FILE.read_text(encoding="utf-8") == diff_schema_text(), "run make docs"


def test_two_like_runs(tmp_path: Path) -> None:
    old, new, out = run(tmp_path / "old"), run(tmp_path / "new"), tmp_path / "out"
    before = sorted(path.name for path in new.iterdir())
    shown = run_cli("diff", str(old), str(new), "--out", str(out))
    assert (shown.code, shown.stderr) == (0, "")
    assert "persistent: no certain change of the mean latency (1.000× [" in shown.stdout
    assert "ratio of means" in shown.stdout
    assert sorted(path.name for path in out.iterdir()) == ["diff.html", "diff.json", "diff.md", "diff.png", "diff.svg"]
    diff = json.loads((out / "diff.json").read_text(encoding="utf-8"))
    check_diff(diff)
    assert (diff["new"]["run"], [one["path"] for one in diff["old"]]) == ("new", [str(old)])
    assert ElementTree.parse(out / "diff.svg").getroot().tag.endswith("svg")
    assert sorted(path.name for path in new.iterdir()) == before, "the runs stay as they are"
    assert json.loads(run_cli("diff", str(old), str(new), "--json").stdout) == diff
    assert run_cli("diff", str(old), str(new), "--markdown").stdout == (out / "diff.md").read_text(encoding="utf-8")
    page = tmp_path / "page.html"
    assert run_cli("diff", str(old), str(new), "--quiet", "--html", str(page)) == (0, "", "")
    assert page.read_text(encoding="utf-8") == (out / "diff.html").read_text(encoding="utf-8")


def test_unlike_runs_are_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    old, new = run(tmp_path / "old"), run(tmp_path / "new", "persistent", "recycle:2", method="HEAD")
    code, stdout, stderr = run_cli("diff", str(old), str(new))
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "policies close, persistent before, persistent, recycle:2 now; method GET before, HEAD now" in stderr
    assert "--force" in stderr
    code, stdout, stderr = run_cli("diff", str(old), str(new), "--force")
    assert (code, stderr) == (0, "")
    assert "unlike: method GET before, HEAD now" in stdout
    assert "close: not answered in each of the runs" in stdout
    assert "| method | GET | HEAD | yes |" in run_cli("diff", str(old), str(new), "--force", "--markdown").stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("old", "missing"), "missing holds no run (run.json is missing)"),
        (("old",), "OLD... is missing; write: loadgen diff OLD... NEW"),
        (("old", "old", "--json", "--markdown"), "--json and --markdown both take standard output; give one of them"),
        (("old", "old", "--no-charts"), "--no-charts is for --out"),
        (("old", "old", "--html", "old"), "--html old is a folder; give the name of a file"),
        (("old", "old", "--html", "-"), "--html - is no file; give the name of one"),
        (("old", "old", "--out", "old/run.json"), "can't write to old/run.json"),
        (("old", "old", "--fail-if", "close.latency.mean.rato > 1"), "did you mean 'latency_ns.mean.ratio'?"),
        (("old", "cut"), "cut was cut off before its samples were saved; complete it with: loadgen report cut"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    run(tmp_path / "old")
    full_run(tmp_path / "cut").recorder.close()
    code, stdout, stderr = run_cli("diff", *arguments, cwd=tmp_path)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert line in stderr


def test_gates(tmp_path: Path) -> None:
    old, new = str(run(tmp_path / "old")), str(run(tmp_path / "new"))
    kept = (
        "close.latency.mean.ratio > 1.5",
        "certain_changes > 0",
        "latency_ms.mean.delta > 5",
        "phases.connect.delta > 1ms",
    )
    arguments = [argument for gate in kept for argument in ("--fail-if", gate)]
    assert run_cli("diff", old, new, "--quiet", *arguments) == (0, "", "")
    gate = "close/persistent.mean.ratio.ratio.ci95.high > 1"
    code, stdout, stderr = run_cli("diff", old, new, "--json", "--fail-if", gate)
    assert (code, stderr.count("\n")) == (1, 1)
    assert stderr.startswith(f"loadgen: gate failed: {gate}: close/persistent: 1")
    diff = json.loads(stdout)
    check_diff(diff)
    assert [one["passed"] for one in diff["gates"]] == [False]
    failing = ("--fail-if", "latency.mean.ratio >= 1")
    code, _, stderr = run_cli("diff", old, new, "--quiet", *failing)
    assert code == 1
    assert "the interval crosses the limit: could be noise; 1 more fails too" in stderr
    assert "| latency.mean.ratio >= 1 | FAILED |" in run_cli("diff", old, new, "--markdown", *failing).stdout


def test_several_old_runs(tmp_path: Path) -> None:
    folders = [str(run(tmp_path / name)) for name in ("a", "b", "c", "new")]
    diff = json.loads(run_cli("diff", *folders, "--json").stdout)
    assert (diff["spread"], len(diff["old"]), diff["policies"]["close"]["old_rounds"]) == ("runs", 3, 15)


def test_hostile_names_stay_inert(tmp_path: Path) -> None:
    old, new = run(tmp_path / "old"), run(tmp_path / "new")
    record = json.loads((new / "run.json").read_text(encoding="utf-8"))
    record["name"] = record["environment"]["cpu"] = " ".join(texts())
    record["environment"]["packages"], record["environment"]["target"] = 1, []
    (new / "run.json").write_text(json.dumps(record), encoding="utf-8")
    page = run_cli("diff", str(old), str(new), "--markdown", "--force")
    assert page.code == 0
    assert "<" not in page.stdout
    assert "\x1b" not in page.stdout + run_cli("diff", str(old), str(new), "--force").stdout
