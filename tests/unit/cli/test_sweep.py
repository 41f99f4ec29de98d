"""`loadgen sweep`: what a sweep announces, and how an interrupted one is resumed. Its run is faked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click import Abort

from loadgen.cli import Outcome
from loadgen.cli import sweep as sweep_module
from loadgen.cli.commands import sweep
from loadgen.cli.report import FinishedRun
from loadgen.cli.sweep import resume, run
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.request_list import read_requests
from tests.support.plans import URL, options_of
from tests.support.synthetic import RunWriter, cell_links, sweep_plan

PLAN = sweep_plan(rounds=2, recycle=("1", "2"))
CELLS = Plan.from_json(PLAN).cells


def measured(folder: Path, blocks: int, **plan: Any) -> RunWriter:
    """A sweep of four blocks, of which `blocks` are done."""
    writer = RunWriter(folder, {**PLAN, **plan})
    for index in range(blocks):
        cell = CELLS[index % len(CELLS)]
        writer.block(cell.name, index // len(CELLS), cell_links(cell, 0, 4))
    writer.recorder.close()
    writer.store.release()
    return writer


class FakeExperiment:
    """Ends at once, as `end` says."""

    made: list[dict[str, Any]]
    end = "done"

    def __init__(self, plan: Plan, store: Any, _facts: Any, **options: Any) -> None:
        self.made.append({"plan": plan, **options})
        self._store = store

    def run(self) -> FinishedRun:
        summary: Any = {"policies": {"x": {"requests": 1}}}
        return FinishedRun(self._store, summary, self.end, draws=False, failure="")


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(FakeExperiment, "made", made, raising=False)
    monkeypatch.setattr(sweep_module, "Experiment", FakeExperiment)
    return made


def resumed(folder: Path, *arguments: str, given: dict[str, str] | None = None) -> Outcome:
    return resume(options_of(sweep, "--resume", str(folder), "--quiet", *arguments), given or {"resume": "--resume"})


def test_the_rest_of_a_sweep_is_run(tmp_path: Path, experiments: list[dict[str, Any]]) -> None:
    measured(tmp_path / "run", 3)
    assert resumed(tmp_path / "run", "--no-charts") == Outcome(0, tmp_path / "run")
    (made,) = experiments
    assert (made["is_new"], made["quiet"], made["draws"]) == (False, True, False)
    assert made["done"] == [0, 1, 2]
    assert made["first_connection"] > 0
    assert made["plan"] == Plan.from_json(PLAN)


def test_a_sweep_that_is_done_is_only_reported(
    tmp_path: Path, experiments: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    writer = measured(tmp_path / "run", 4)
    facts = writer.store.load_run()
    writer.store.save_run(facts | {"notes": [{"code": "interrupted", "message": "x"}]})
    options = options_of(sweep, "--resume", str(tmp_path / "run"), "--json", "--no-charts")
    assert resume(options, {}) == Outcome(0, tmp_path / "run")
    assert experiments == []
    summary = json.loads(capsys.readouterr().out)
    assert "interrupted" not in {warning["code"] for warning in summary["warnings"]}


def test_an_interrupted_sweep_says_how_to_go_on(
    tmp_path: Path, experiments: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(FakeExperiment, "end", "interrupted")
    folder = tmp_path / "my run"
    measured(folder, 1)
    assert resumed(folder).code == 130
    assert len(experiments) == 1
    assert capsys.readouterr().err == f"loadgen: go on with: loadgen sweep --resume '{folder}'\n"


@pytest.mark.usefixtures("experiments")
def test_what_is_left_is_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep_module, "present", lambda *_: Outcome(0))
    measured(tmp_path / "run", 1)
    resume(options_of(sweep, "--resume", str(tmp_path / "run")), {})
    assert capsys.readouterr().err.startswith("loadgen: 1 of 4 blocks are done, 3 to go: about ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-H", "Cookie: a"], "the header 'cookie' can't be added to it"),
        (["--server-pid", "1"], "it has no --server-pid"),
        (["--proxy", "http://u:p@127.0.0.1:3128"], "--proxy can only give its credentials again"),
    ],
)
def test_the_plan_stands(
    tmp_path: Path, experiments: list[dict[str, Any]], arguments: list[str], complaint: str
) -> None:
    measured(tmp_path / "run", 1)
    with pytest.raises(PlanError, match=complaint):
        resumed(tmp_path / "run", *arguments)
    assert experiments == []


def test_consent_is_asked_for_each_origin_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = read_requests('{"url": "/", "name": "a"}\n{"url": "http://example.org/", "name": "b"}')
    measured(tmp_path / "run", 1, urls=[one.record(secrets=True) for one in requests])
    asked: list[Any] = []

    def ask(targets: Any, *_: Any, **_more: Any) -> None:
        asked.extend(targets)
        raise Abort

    monkeypatch.setattr(sweep_module, "ask_consent", ask)
    with pytest.raises(Abort):
        resumed(tmp_path / "run")
    assert [target.host for target in asked] == ["127.0.0.1", "example.org"]


def test_other_options_are_refused(tmp_path: Path) -> None:
    measured(tmp_path / "run", 1)
    with pytest.raises(PlanError, match="--users can't be given with it"):
        resumed(tmp_path / "run", given={"resume": "--resume", "users": "--users"})


def test_credentials_are_given_again(tmp_path: Path, experiments: list[dict[str, Any]]) -> None:
    hidden = {"headers": [["Authorization", "***"], ["X", "1"]], "proxy": "http://***@127.0.0.1:3128"}
    measured(tmp_path / "run", 1, **hidden)
    with pytest.raises(PlanError, match="give it again with -H 'Authorization"):
        resumed(tmp_path / "run")
    secret = ["-H", "authorization: sesame"]
    with pytest.raises(PlanError, match="give them again with --proxy"):
        resumed(tmp_path / "run", *secret)
    resumed(tmp_path / "run", *secret, "--proxy", "http://user:pw@127.0.0.1:3128")
    (made,) = experiments
    assert made["plan"].headers == (("Authorization", "sesame"), ("X", "1"))
    assert made["plan"].proxy.password == "pw"


def test_a_new_sweep_is_announced_unless_it_is_to_be_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = measured(tmp_path / "run", 4)
    experiment = FakeExperiment.__new__(FakeExperiment)
    experiment._store = writer.store
    monkeypatch.setattr(sweep_module, "prepare", lambda *_: experiment)
    monkeypatch.setattr(sweep_module, "present", lambda *_: Outcome(0))
    for more, announced in (([], True), (["--quiet"], False), (["--json"], False)):
        run(options_of(sweep, URL, "--recycle", "1,2", *more))
        assert ("2 cells × 5 rounds = 10 blocks of 1s" in capsys.readouterr().err) == announced
    monkeypatch.setattr(sweep_module, "prepare", lambda *_: None)
    assert run(options_of(sweep, URL, "--recycle", "1,2", "--dry-run")) == Outcome(0)
