"""What a run notes while it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.run_notes import CUT_SHORT, RunNotes, without
from loadgen.measure.data.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.create(tmp_path / "run")


def facts(*notes: str) -> dict[str, Any]:
    return {"environment": {}, "notes": [{"code": code, "message": code} for code in notes]}


def block(number: int, policy: str = "close") -> dict[str, Any]:
    return {"block": {"index": number, "round": number, "policy": policy}}


def codes(store: RunStore) -> list[str]:
    """Of the notes in the folder, but for the one that says that the run goes on."""
    return [note["code"] for note in store.load_run()["notes"] if not note["message"].startswith("the command ended")]


def test_the_target_is_saved_at_once(store: RunStore) -> None:
    assert RunNotes(store, facts(), 1, is_new=True).add(0, {"observed": {"server": "nginx"}}) == ""
    assert store.load_run()["environment"] == {"target": {"server": "nginx"}}


def test_while_a_run_goes_on_its_folder_says_that_it_did_not_come_to_its_end(store: RunStore) -> None:
    """The next to read it may be the report of a run whose command was killed."""
    known = facts("resumed")
    record = RunNotes(store, known, 1, is_new=True)
    record.add(0, {"observed": {}})
    assert [note["code"] for note in store.load_run()["notes"]] == ["resumed", "interrupted"]
    assert [note["code"] for note in known["notes"]] == ["resumed"]


def test_a_warning_is_noted_once_a_cell(store: RunStore) -> None:
    record = RunNotes(store, facts(), 1, is_new=True)
    warning = {"warning": {"code": "ports_run_out", "message": "few ports"}}
    said = []
    for policy in ("close", "close", "persistent"):
        record.add(0, block(0, policy))
        said.append(record.add(0, warning))
    assert said == ["few ports", "", "few ports"]
    assert codes(store) == ["ports_run_out", "ports_run_out"]


def test_a_warning_is_noted_for_each_of_several_origins(store: RunStore) -> None:
    record = RunNotes(store, facts(), 2, is_new=True)
    for worker in range(2):
        for origin in ("http://a", "http://b"):
            warning = {"code": "target_failed", "message": f"{origin}/: refused, as worker {worker} saw it"}
            record.add(worker, {"warning": warning, "origin": origin})
        record.add(worker, block(0))  # the other one has begun none yet
    assert codes(store) == ["target_failed", "target_failed"]


def test_a_worker_that_dies_is_noted_while_others_go_on(store: RunStore) -> None:
    record = RunNotes(store, facts(), 3, is_new=True)
    record.add(1, block(4))
    assert record.add(1, {"end": "died"}).startswith("worker 2 of 3 died in round 5: ")
    assert record.add(0, {"end": "died"}).startswith("worker 1 of 3 died before the first block: ")
    assert record.add(2, {"end": "died"}) == ""  # nobody is left; the run has ended, which is another note
    assert codes(store) == ["worker_died", "worker_died"]


def test_a_run_that_goes_on_was_not_cut_off(store: RunStore) -> None:
    known = facts("interrupted", "ports_run_out")
    record = RunNotes(store, known, 1, is_new=False)
    record.add(0, {"observed": {}})
    assert "parts" not in known
    for number in (0, 1):
        record.add(0, block(number))
    assert known["parts"] == 2
    assert codes(store) == ["ports_run_out", "resumed"]
    assert "in 2 segments" in known["notes"][-1]["message"]
    again = RunNotes(store, known, 1, is_new=False)
    again.add(0, block(2))
    assert (known["parts"], codes(store)) == (3, ["ports_run_out", "resumed"])


@pytest.mark.parametrize(("first", "notes"), [("pure", ["resumed"]), ("compiled", ["resumed", "core_changed"])])
def test_segments_of_different_cores_are_noted_once(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, first: str, notes: list[str]
) -> None:
    monkeypatch.setattr("loadgen.core.running", lambda: "pure")
    known = facts()
    known["environment"]["core"] = first
    for number in range(2):
        RunNotes(store, known, 1, is_new=False).add(0, block(number))
    assert sorted(codes(store)) == sorted(notes)


@pytest.mark.parametrize("end", CUT_SHORT)
def test_an_early_end_is_noted_once(store: RunStore, end: str) -> None:
    known = facts("interrupted", "resumed")
    RunNotes(store, known, 1, is_new=True).add_end(end)
    assert [note["code"] for note in known["notes"]] == ["resumed", end]


def test_a_full_disk_stops_no_record(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "save_run", full)
    known = facts()
    RunNotes(store, known, 1, is_new=True).add(0, {"warning": {"code": "a", "message": "b"}})
    assert known["notes"] == [{"code": "a", "message": "b"}]


def test_notes_without_some() -> None:
    assert without(facts("a", "b", "a")["notes"], {"a"}) == facts("b")["notes"]
