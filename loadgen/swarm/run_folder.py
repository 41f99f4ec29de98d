"""A run's folder while Locust runs: its facts, the pieces of samples that workers send, and the report at the end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from loadgen import COMMAND
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.data.received import check_file, max_file_bytes
from loadgen.measure.data.recorder import worker_folder
from loadgen.measure.data.store import RunStore
from loadgen.measure.data.worker_data import measured_worker_folders
from loadgen.model.files import check_folder_name, open_own, unfinished_path
from loadgen.swarm.messages import PIECE_BYTES


class FileLimits(NamedTuple):
    """What each worker may send."""

    files: int
    """One for each user class."""
    policies: int
    """Cells of the plan, which samples name by their number."""
    max_samples: int
    """Samples that each worker may keep."""


@dataclass(slots=True)
class _File:
    """A worker's file."""

    number: int
    """Of its folder here."""
    size: int = 0
    """Bytes so far."""
    is_whole: bool = False


class RunFolder:
    """A new folder, locked until `report`."""

    def __init__(self, store: RunStore) -> None:
        self.directory = store.directory
        self._store: RunStore | None = store
        self._files: dict[tuple[str, int], _File] = {}
        """By worker and the number of its file."""

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

    def add_piece(self, worker: str, file: int, piece: bytes, limits: FileLimits) -> None:
        """The next piece of one of a worker's files; an empty one ends the file.

        Raises OSError where it can't be written, and ValueError where the worker may not send it, or where the file
        that has ended holds no samples.
        """
        received = self._files.setdefault((worker, file), _File(len(self._files)))
        received.size += len(piece)
        if not 0 <= file < limits.files or len(piece) > PIECE_BYTES or received.is_whole:
            raise ValueError("it sent a file that is not awaited")
        if received.size > max_file_bytes(limits.max_samples):
            raise ValueError("it sent more samples than it may keep")
        directory = worker_folder(self.directory, received.number)
        directory.mkdir(exist_ok=True)
        path = directory / SAMPLES_FILE
        if piece:
            with open(unfinished_path(path), "ab", opener=open_own) as unfinished:
                unfinished.write(piece)
            return
        received.is_whole = True
        if not received.size:
            raise ValueError("nothing came before its end")
        check_file(unfinished_path(path), limits.policies, limits.max_samples)
        unfinished_path(path).replace(path)

    def drop_samples(self, worker: str) -> None:
        """Remove what a worker has sent."""
        for (owner, _), file in self._files.items():
            if owner == worker:
                shutil.rmtree(worker_folder(self.directory, file.number), ignore_errors=True)

    @property
    def has_samples(self) -> bool:
        return bool(measured_worker_folders(self.directory))

    def report(self, exports: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Unlock the folder, then summarise and draw the run in a child process; gives how that ended.

        exports: as `--export` has them.
        """
        if self._store is not None:
            self._store.release()
            self._store = None
        # It takes seconds of one core's time, and the web UI is to stay alive meanwhile.
        more = [word for one in exports for word in ("--export", one)]
        return subprocess.run(
            [*COMMAND, "report", str(self.directory), *more], capture_output=True, text=True, check=False
        )
