"""When the rows of a run are taken in: not before there are many, and between two blocks if that can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import run_rollup
from loadgen.cli.run_rollup import MAX_WAITING_PARTS, MIN_WAITING_PARTS, RunRollup


class FakeRollup:
    """Parts that wait, as a test says."""

    waiting: dict[str, int] = {}  # noqa: RUF012 # a test's own
    full = False
    made: list[tuple[str, int]] = []  # noqa: RUF012 # the same

    def __init__(self, directory: Path, _policies: tuple[str, ...], max_samples: int) -> None:
        self.name = directory.name
        self.made.append((self.name, max_samples))

    @property
    def waiting_parts(self) -> int:
        return self.waiting.get(self.name, 0)

    def take_in(self) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.waiting[self.name] = 0


@pytest.fixture
def rollup(monkeypatch: pytest.MonkeyPatch) -> RunRollup:
    monkeypatch.setattr(FakeRollup, "waiting", {"a": MIN_WAITING_PARTS, "b": MAX_WAITING_PARTS})
    monkeypatch.setattr(FakeRollup, "made", [])
    monkeypatch.setattr(run_rollup, "Rollup", FakeRollup)
    return RunRollup([Path("a"), Path("b")], ("persistent",), 1_000)


def add(rollup: RunRollup, *events: tuple[int, dict[str, Any]]) -> dict[str, int]:
    for worker, event in events:
        rollup.add(worker, event)
    return FakeRollup.waiting


def test_nothing_is_looked_at_before_there_are_too_many(rollup: RunRollup) -> None:
    add(rollup, (0, {"ready": 0}), (0, {"exchanges": 400}), (1, {"exchanges": 600}), (1, {"ready": 1}))
    assert FakeRollup.made == []


def test_in_a_block_only_many_parts_are_taken_in(rollup: RunRollup) -> None:
    left = add(rollup, (0, {"exchanges": 600}), (1, {"exchanges": 600}), (0, {"exchanges": 700}))
    assert left == {"a": MIN_WAITING_PARTS, "b": 0}
    assert FakeRollup.made == [("b", 500), ("a", 500)]  # each worker keeps its share


def test_between_blocks_few_are_enough(rollup: RunRollup) -> None:
    assert add(rollup, (0, {"exchanges": 1_001}), (0, {"ready": 3}), (1, {"block": {}})) == {
        "a": 0,
        "b": MAX_WAITING_PARTS,
    }


def test_a_full_disk_ends_nothing(rollup: RunRollup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRollup, "full", True)
    assert add(rollup, (0, {"exchanges": 1_001}), (0, {"ready": 3}))["a"] == MIN_WAITING_PARTS


@pytest.mark.usefixtures("rollup")
def test_others_read_the_parts_first() -> None:
    seen = []

    def read(worker: int) -> None:
        seen.append((worker, FakeRollup.waiting["a"]))

    add(RunRollup([Path("a")], ("persistent",), 1_000, read), (0, {"exchanges": 2_000}), (0, {"ready": 1}))
    assert seen == [(0, MIN_WAITING_PARTS)]
    assert FakeRollup.waiting["a"] == 0
