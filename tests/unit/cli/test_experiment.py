"""What an experiment hands to its workers, which are faked here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import experiment
from loadgen.cli.commands import compare as compare_command
from loadgen.cli.experiment import Experiment
from loadgen.measure.data.recorder import worker_folder
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError
from tests.support.plans import URL, planned


def test_only_the_first_worker_looks_at_kernel_and_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, dict[str, Any]]] = []

    def workers(jobs: list[tuple[Path, dict[str, Any]]], *_: Any) -> list[dict[str, Any]]:
        given.extend(jobs)
        (jobs[0][0] / "exchanges.rows").touch()
        return [{"end": "done"}] * len(jobs)

    monkeypatch.setattr(experiment, "run_workers", workers)
    monkeypatch.setattr(experiment, "finish", lambda *_, **__: None)
    facts: dict[str, Any] = {"name": "run", "environment": {}, "notes": []}
    plan = planned(compare_command, URL, "--processes", "3", "--users", "7", "--server-pid", str(os.getpid()))
    store = RunStore.create(tmp_path / "run")
    Experiment(plan, store, facts, is_new=True, quiet=True, draws=False).run()
    assert [directory for directory, _ in given] == [worker_folder(store.directory, number) for number in range(3)]
    assert [job["watches"] for _, job in given] == [True, False, False]
    assert [job["plan"]["server_pid"] for _, job in given] == [os.getpid(), None, None]
    assert [job["plan"]["users"] for _, job in given] == [3, 2, 2]
    assert all(job["waits"] for _, job in given)
    assert store.load_run()["plan"]["users"] == 7


def test_a_disk_that_is_full_before_the_load_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was filled after the folder had been made; nothing was measured, so nothing is left."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    store = RunStore.create(tmp_path / "run")
    monkeypatch.setattr(store, "write_text", full)
    facts: dict[str, Any] = {"name": "run", "environment": {}, "notes": []}
    run = Experiment(planned(compare_command, URL), store, facts, is_new=True, quiet=True, draws=False)
    with pytest.raises(PlanError, match=r"^can't write to .*run: No space left on device$"):
        run.run()
    assert not store.directory.exists()
