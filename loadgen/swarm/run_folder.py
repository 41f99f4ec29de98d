"""A run's folder while Locust runs: its facts, the pieces of samples that workers send, and the report at the end."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadgen import COMMAND
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.data.recorder import worker_folder
from loadgen.measure.data.store import RunStore
from loadgen.measure.data.worker_data import measured_worker_folders
from loadgen.model.files import check_folder_name, open_own, unfinished_path


class RunFolder:
    """A new folder, locked until `report`."""

    def __init__(self, store: RunStore) -> None:
        self.directory = store.directory
        self._store: RunStore | None = store
        self._files: dict[tuple[str, int], int] = {}  # (worker, its file): the number of its folder here

    @classmethod
    def create(cls, results: Path, name: str) -> RunFolder:
        """Make the folder; where the name is taken, append the next free number to it. Raises PlanError."""
        check_folder_name(name, "--run-name")
        number = 1
        while True:
            directory = results / (name if number == 1 else f"{name}-{number}")
            if not directory.exists():
                return cls(RunStore.create(directory))
            number += 1

    def save_facts(self, facts: dict[str, Any]) -> None:
        """Keep what is known so far, so that a run that breaks off can be read."""
        if self._store is not None:
            with suppress(OSError):
                self._store.save_run(facts)

    def add_piece(self, worker: str, file: int, piece: bytes) -> None:
        """The next piece of one of a worker's files; an empty one ends the file. Raises OSError."""
        number = self._files.setdefault((worker, file), len(self._files))
        directory = worker_folder(self.directory, number)
        directory.mkdir(exist_ok=True)
        path = directory / SAMPLES_FILE
        if piece:
            with open(unfinished_path(path), "ab", opener=open_own) as received:
                received.write(piece)
        else:
            unfinished_path(path).replace(path)

    def drop_samples(self, worker: str) -> None:
        """Remove what a worker has sent."""
        for (owner, _), number in self._files.items():
            if owner == worker:
                shutil.rmtree(worker_folder(self.directory, number), ignore_errors=True)

    @property
    def has_samples(self) -> bool:
        return bool(measured_worker_folders(self.directory))

    def report(self) -> subprocess.CompletedProcess[str]:
        """Unlock the folder, then summarise and draw the run in a child process; gives how that ended."""
        if self._store is not None:
            self._store.release()
            self._store = None
        # It takes seconds of one core's time, and the web UI is to stay alive meanwhile.
        return subprocess.run([*COMMAND, "report", str(self.directory)], capture_output=True, text=True, check=False)
