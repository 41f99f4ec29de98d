"""`loadgen history` in process: groups of like plans, what changed, the chart, and folders that can't be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from loadgen.cli.history import history
from tests.support.hostile_texts import texts, without_scripts
from tests.support.runner import run_cli
from tests.support.summary_schema import HISTORY_SCHEMA_FILE, check_history, history_schema_text
from tests.support.synthetic import full_run

EXAMPLE = Path(__file__).parents[3] / "results" / "example"


def run(folder: Path, started: str, python: str = "", **plan: Any) -> Path:
    writer = full_run(folder, **plan)
    facts = writer.store.load_run()
    facts["environment"] = {**facts["environment"], "started": started} | ({"python": python} if python else {})  # type: ignore[dict-item] # it is an object
    writer.store.save_run(facts)
    summary = writer.summary()
    writer.store.write_text("summary.json", json.dumps(summary))
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    run(folder / "b", "2026-01-02T00:00:00+00:00")
    run(folder / "a", "2026-01-03T00:00:00+00:00", python="another")
    run(folder / "c", "2026-01-01T00:00:00+00:00", method="HEAD")
    (folder / "README.md").touch()
    (folder / "empty").mkdir()
    return folder


def test_the_schema_is_what_the_types_say() -> None:
    assert HISTORY_SCHEMA_FILE.read_text(encoding="utf-8") == history_schema_text(), "run make docs"


def test_like_plans_are_grouped_in_the_order_of_time(results: Path) -> None:
    code, stdout, stderr = run_cli("history", str(results), "--json", "--no-charts")
    assert (code, stderr) == (0, "")
    history = json.loads(stdout)
    check_history(history)
    assert [[one["run"] for one in group["runs"]] for group in history["groups"]] == [["c"], ["b", "a"]]
    first, second = history["groups"][1]["runs"]
    assert first["changed"] == []
    assert [fact["what"] for fact in second["changed"]] == ["Python"]
    (comparison,) = second["comparisons"]
    assert comparison["latency_mean_ratio_ci95"][0] < comparison["latency_mean_ratio"]
    assert not (results / "history.png").exists()


def test_a_run_is_called_as_its_folder_is(results: Path) -> None:
    (results / "b").rename(results / "before")
    printed = run_cli("history", str(results)).stdout
    assert "before " in printed
    assert "before" in (results / "history.html").read_text(encoding="utf-8")
    markdown = run_cli("diff", str(results / "before"), str(results / "a"), "--markdown", "--force").stdout
    assert markdown.splitlines()[0] == f"**{results / 'a'}** compared with {results / 'before'}"


def test_table_markdown_and_chart(results: Path) -> None:
    shown = run_cli("history", str(results))
    assert (shown.code, shown.stderr) == (0, "")
    assert shown.stdout.endswith(f"{results}/history.png\n{results}/history.html\n")
    assert "GET http://127.0.0.1:8080/: 2 users" in shown.stdout
    assert ElementTree.parse(results / "history.svg").getroot().tag.endswith("svg")
    page = run_cli("history", str(results), "--markdown", "--no-charts").stdout
    assert "| a | 2026-01-03 00:00 | 1." in page
    assert page.count("| close / persistent |") == 2


def test_a_folder_for_a_chart_that_is_not_drawn_is_refused(results: Path) -> None:
    code, _, errors = run_cli("history", str(results), "--no-charts", "--out", str(results / "charts"))
    assert (code, (results / "charts").exists()) == (2, False)
    assert errors == "loadgen: --out is where the chart goes, and --no-charts draws none; give one of them\n"


def test_without_a_chart_nothing_is_saved(results: Path) -> None:
    given = {"out": None, "no_charts": True, "json": False, "markdown": False, "quiet": True}
    assert history(results, given).saved is None
    assert history(results, given | {"no_charts": False}).saved == results


def test_what_can_not_be_read_is_left_out_with_its_reason(results: Path) -> None:
    (results / "a" / "summary.json").write_text('{"policies": []}', encoding="utf-8")
    (results / "b" / "run.json").write_text("{", encoding="utf-8")
    code, stdout, stderr = run_cli("history", str(results), "--json", "--no-charts")
    assert code == 0
    assert [one["path"] for one in json.loads(stdout)["left_out"]] == [f"{results}/b", f"{results}/a"]
    assert "b is left out: " in stderr
    assert "a is left out: its summary.json has another form" in stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("missing",), "missing can't be read: No such file or directory"),
        ((".",), ". holds no folder with a run"),
        ((str(EXAMPLE),), f"holds no folder with a run, but is one itself; write loadgen history {EXAMPLE.parent}"),
        ((".", "--json", "--markdown"), "--json and --markdown both take standard output; give one of them"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    code, stdout, stderr = run_cli("history", *arguments, cwd=tmp_path)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert line in stderr


def test_the_example_and_a_hostile_run(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "example")
    record = json.loads((tmp_path / "example" / "run.json").read_text(encoding="utf-8"))
    record["name"] = " ".join(texts())
    hostile = tmp_path / "hostile"
    shutil.copytree(EXAMPLE, hostile)
    (hostile / "run.json").write_text(json.dumps(record), encoding="utf-8")
    shown = run_cli("history", str(tmp_path), "--markdown")
    assert shown.code == 0
    assert "<" not in shown.stdout
    assert "\x1b" not in shown.stdout + run_cli("history", str(tmp_path), "--no-charts").stdout
    assert "<script" not in (tmp_path / "history.svg").read_text(encoding="utf-8")
    shown_page = without_scripts((tmp_path / "history.html").read_text(encoding="utf-8"))
    assert not [text for text in texts() if text in shown_page]
