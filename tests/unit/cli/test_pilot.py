"""When a pilot runs, what its worker gets, and what becomes of what it found. The workers are faked."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import pilot
from loadgen.cli.commands import compare as compare_command
from loadgen.cli.commands import sweep as sweep_command
from loadgen.cli.pilot import PilotEnd, leaves_load_open, run_pilot, with_load
from loadgen.cli.run_notes import RunNotes
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.pilot_record import PilotRecord
from tests.support.plans import URL, options_of, planned

FOUND: PilotRecord = {
    "users": 20, "think_ns": 19_900_000, "rate_rps": 1001.9, "reason": "2,007 requests/s was good", "seconds": 0.5,
    "requests": 7, "connections": 3, "trials": [],
}  # fmt: skip
LATE = {"warning": {"code": "first_request_failed", "message": "it was late"}}
NO_H2 = {"warning": {"code": "target_failed", "message": "the run says this again"}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["--policies", "close", "--rounds", "3", "--processes", "2"], True),
        (["--users", "50"], False),
        (["--think", "0s"], False),
        (["--rate", "5"], False),
    ],
)
def test_a_pilot_runs_where_nothing_says_what_the_load_is(arguments: list[str], expected: bool) -> None:
    assert leaves_load_open(options_of(compare_command, URL, *arguments)) is expected


def test_a_sweep_has_a_load_of_its_own() -> None:
    assert not leaves_load_open(options_of(sweep_command, URL, "--recycle", "1,2"))
    assert not leaves_load_open(options_of(sweep_command, URL, "--rate", "10,20"))


class Workers:
    """Stands in for the workers' pool: sends events, and ends as a test says."""

    def __init__(self, *events: dict[str, Any], **end: Any) -> None:
        self.events, self.end = events, end
        self.jobs: list[tuple[Path, dict[str, Any]]] = []

    def __call__(self, jobs: Any, _lock: Any, on_event: Any) -> list[dict[str, Any]]:
        self.jobs += jobs
        for event in self.events:
            on_event(0, event)
        return [self.end]


class Rig:
    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers, *arguments: str) -> None:
        monkeypatch.setattr(pilot, "run_workers", workers)
        self.plan = planned(compare_command, URL, *arguments)
        self.store = RunStore.create(tmp_path / "run")
        self.facts: Any = {"name": "run", "environment": {}, "notes": []}
        self.notes = RunNotes(self.store, self.facts, 1, is_new=True)

    def run(self, *, quiet: bool = False) -> PilotRecord:
        return run_pilot(self.plan, self.store.directory, None, self.notes, quiet=quiet)


def test_what_was_found_is_shown_and_becomes_the_plan_s_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workers = Workers({"observed": {"status": 200}}, LATE, NO_H2, {"pilot": FOUND}, end="done")
    rig = Rig(tmp_path, monkeypatch, workers, "--processes", "3")
    record = rig.run()
    assert record == FOUND
    said = capsys.readouterr().err
    assert "warning: it was late" in said
    assert "pilot: 20 users, each with a pause of 19.9 ms after a response: at most 1,002 requests/s, because" in said
    ((directory, job),) = workers.jobs
    assert (directory, job["pilot"], job["plan"]["processes"]) == (rig.store.directory, True, 1)
    assert rig.facts["environment"]["target"] == {"status": 200}
    assert [note["code"] for note in rig.facts["notes"]] == ["first_request_failed"]
    load = with_load(rig.plan, record).load
    assert (load.users, load.think_ns, load.rounds) == (20, 19_900_000, rig.plan.load.rounds)


def test_each_worker_of_the_run_gets_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers({"pilot": FOUND | {"users": 1}}, end="done")
    assert Rig(tmp_path, monkeypatch, workers, "--processes", "3").run(quiet=True)["users"] == 3


@pytest.mark.parametrize(("end", "error"), [("plan", PlanError), ("target", TargetError)])
def test_a_pilot_fails_as_a_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="no one listens"):
        Rig(tmp_path, monkeypatch, Workers(end=end, message="no one listens")).run()


def test_an_interrupted_pilot_says_by_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PilotEnd) as caught:
        Rig(tmp_path, monkeypatch, Workers(end="interrupted", signal=signal.SIGTERM)).run()
    assert caught.value.event == {"end": "interrupted", "signal": signal.SIGTERM}
