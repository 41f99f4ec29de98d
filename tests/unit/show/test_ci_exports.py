"""JUnit and GitHub: what a CI system makes of a run, and that no text of the run becomes a command or markup."""

from __future__ import annotations

import io
from typing import Any

import pytest

from loadgen.measure.summary.run_gates import judge_gates, resolve_gates
from loadgen.model.plan import Plan
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.github import workflow_commands
from tests.support.hostile_texts import hostile
from tests.support.synthetic import full_run

PASSES, FAILS = "errors > 1%", "close.latency_ms.p99 > 0.001"


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    writer = full_run(tmp_path_factory.mktemp("run") / "run", rounds=1)
    found = writer.summary()
    plan = Plan.from_json(writer.plan)
    return {**found, "gates": judge_gates(resolve_gates(plan, (PASSES, FAILS)), found)}  # type: ignore[arg-type] # of any keys


def cases(text: str) -> dict[str, list[Any]]:
    """By suite, as junitparser reads them."""
    junit = pytest.importorskip("junitparser")
    parsed = junit.JUnitXml.fromroot(junit.junitparser.etree.parse(io.StringIO(text)).getroot())
    return {suite.name: list(suite) for suite in parsed}


def test_gates_are_cases(summary: Any) -> None:
    junit = pytest.importorskip("junitparser")
    found = cases(export_text(EXPORTERS["junit"], RunData(summary)))
    passed, failed = found["loadgen gates"]
    assert (passed.name, passed.result) == (PASSES, [])
    (failure,) = failed.result
    assert isinstance(failure, junit.Failure)
    assert failure.message == summary["gates"][1]["message"]
    assert [case.name for case in found["loadgen policies"]] == ["persistent was answered", "close was answered"]
    assert all(case.is_passed for case in found["loadgen policies"])
    skipped = [case for case in found["loadgen self-checks"] if case.is_skipped]
    assert len(skipped) == sum(not check["passed"] for check in summary["checks"])


def test_a_run_without_gates_has_the_other_cases_and_an_unanswered_policy_fails(summary: Any) -> None:
    unanswered = {**summary["policies"]["close"], "requests": 0}
    changed = {**summary, "gates": [], "policies": {**summary["policies"], "close": unanswered}}
    found = cases(export_text(EXPORTERS["junit"], RunData(changed)))  # type: ignore[arg-type] # of any keys
    assert found.keys() == {"loadgen self-checks", "loadgen policies"}
    assert [case.is_passed for case in found["loadgen policies"]] == [True, False]


def test_annotations_are_errors_for_gates_and_warnings_for_warnings(summary: Any) -> None:
    lines = workflow_commands(RunData(summary)).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::error", *["::warning"] * len(summary["warnings"])]
    assert lines[0] == f"::error title=loadgen gate failed::{FAILS}: {summary['gates'][1]['message']}"
    text = export_text(EXPORTERS["github"], RunData(summary))
    assert text.startswith("### loadgen: GET http")
    assert "| persistent |" in text


def test_hostile_texts_stay_texts(summary: Any) -> None:
    changed: Any = hostile(dict(summary))
    changed["warnings"] = [{"code": "a,b::c", "message": "x\n::error::y%0A::set-output name=z::\r\nw"}]
    lines = workflow_commands(RunData(changed)).splitlines()
    assert lines[-1] == r"::warning title=loadgen a%2Cb%3A%3Ac::x\n::error::y%250A::set-output name=z::\r\nw"
    assert len(lines) == 1 + sum(not one["passed"] for one in changed["gates"])
    assert cases(export_text(EXPORTERS["junit"], RunData(changed))).keys() >= {"loadgen policies"}
