"""results/<run>/ on disk: makes it, fills it, reads it back. An existing run is never overwritten.

While a run goes on the folder holds what the recorder writes; afterwards `samples.npz`, `run.json` and `summary.json`.
Each file appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import json
import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile

from loadgen.measure.data.limiting import ALL, level, limit
from loadgen.measure.data.merge_workers import merge_workers
from loadgen.measure.data.npz import SAMPLES_FILE, read_merged_folders, read_samples, write_samples
from loadgen.measure.data.recorder import EXCHANGES_FILE, RUN_FILE
from loadgen.measure.data.rows import Samples, merge
from loadgen.measure.data.worker_data import (
    measured_worker_folders,
    read_worker_data,
    remove_rows,
    remove_worker_folder,
    worker_folders,
)
from loadgen.model.characters import json_escaped
from loadgen.model.exceptions import PlanError
from loadgen.model.files import refuse_links, remove_leftovers, write_whole
from loadgen.model.run_record import Json
from loadgen.model.summary import Summary

SUMMARY_FILE = "summary.json"
# What reading a damaged file may raise.
_DAMAGE = (OSError, EOFError, KeyError, IndexError, TypeError, ValueError, BadZipFile)


class RunStore:
    """One run's folder."""

    def __init__(self, directory: Path, lock: int | None = None) -> None:
        self.directory = directory
        self.lock = lock
        """Descriptor that locks the folder while this value, or a child process that was given it, lives.

        None where nothing is to be changed, or the file system has no locks.
        """
        self._new_parents: list[Path] = []
        """Folders above this one that were made for it, the lowest first."""
        if lock is not None:
            weakref.finalize(self, os.close, lock)

    @classmethod
    def create(cls, directory: Path) -> RunStore:
        """Make the folder, locked. Raises PlanError where it exists with something in it, or can't be written."""
        new_parents = [path for path in directory.parents if not os.path.lexists(path)]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if any(directory.iterdir()):
                raise PlanError(
                    f"{directory} exists and is not empty; a run is never overwritten, choose another --out"
                )
            store = cls(directory, _lock(directory))
            store._new_parents = new_parents
            (directory / RUN_FILE).touch(exist_ok=False)  # another loadgen may have been faster
        except OSError as error:
            raise PlanError(f"can't write to {directory}: {error.strerror}") from None
        return store

    @classmethod
    def open(cls, directory: Path, *, to_change: bool = False) -> RunStore:
        """An existing run, locked if it is to be changed.

        Raises PlanError where the folder holds none; and where it is to be changed, if another loadgen has it or a
        symbolic link lies in it.
        """
        if not os.path.isfile(directory / RUN_FILE):  # noqa: PTH113 # is_file() raises where the name is too long
            raise PlanError(f"{directory} holds no run ({RUN_FILE} is missing)")
        if not to_change:
            return cls(directory)
        refuse_links(directory)
        store = cls(directory, _lock(directory))
        remove_leftovers(directory)
        return store

    def release(self) -> None:
        """Let others change the folder at once; the descriptor itself may be closed later."""
        if self.lock is not None:
            fcntl.flock(self.lock, fcntl.LOCK_UN)

    def save_run(self, facts: Mapping[str, object]) -> None:
        """Save name, plan, environment and notes."""
        self._write_json(RUN_FILE, facts)

    def load_run(self) -> dict[str, Json]:
        """The content of run.json, not checked: a RunRecord unless it was edited. Raises PlanError where it is none."""
        return self._read_json(RUN_FILE)

    def load_summary(self) -> Summary:
        """The content of `summary.json`. Raises PlanError where it can't be read."""
        return cast(Summary, self._read_json(SUMMARY_FILE))

    @property
    def has_rows(self) -> bool:
        """There are rows or workers' folders, which may not be in `samples.npz` yet."""
        return self.path(EXCHANGES_FILE).exists() or bool(measured_worker_folders(self.directory))

    @property
    def has_samples(self) -> bool:
        """Something was measured, whether it was settled or not."""
        return self.has_rows or self.path(SAMPLES_FILE).exists()

    def settle(self, policies: tuple[str, ...], max_samples: int = ALL) -> Samples:
        """Merge the recorder's rows, and all workers', into `samples.npz`; then remove them.

        policies: the names of the plan's cells. max_samples: how many samples to keep; see `limit`. However often this
        is cut off, each block is there once: rows of this folder replace what `samples.npz` has of their blocks, and it
        names the workers' folders that are merged.
        """
        known = self.path(SAMPLES_FILE).exists()
        samples = self._load(policies) if known else None
        merged = read_merged_folders(self.path(SAMPLES_FILE)) if known else set()
        if self.path(EXCHANGES_FILE).exists():
            rows = read_worker_data(self.directory, policies, max_samples)
            samples = rows if samples is None else merge(*level([samples, rows]))
        folders = measured_worker_folders(self.directory)
        new = {number: path for number, path in folders.items() if path.name not in merged}
        if new:
            share = max(1, max_samples // len(new))
            workers = [(number, _worker_data(path, policies, share)) for number, path in new.items()]
            samples = merge_workers(workers, samples)
        assert samples is not None
        samples = limit(samples, max_samples)
        with suppress(OSError):  # a full disk: the rows stay, for a try with more room
            self._save(samples, merged.union(path.name for path in folders.values()))
            remove_rows(self.directory)
            for path in worker_folders(self.directory).values():
                remove_worker_folder(path)
        return samples

    def load_samples(self, policies: tuple[str, ...], max_samples: int = ALL) -> Samples:
        """The run's samples, whether it was settled or cut off before. Raises PlanError where there are none.

        Those of rounds that run.json calls incomplete stay in the files alone, unless there are no others.
        max_samples: how many are kept where they are not settled yet.
        """
        try:
            samples = self.settle(policies, max_samples) if self.has_rows else self._load(policies)
            return samples.without_rounds(self._incomplete_rounds())
        except KeyError:
            reason = "another version of loadgen wrote them, or they are damaged; run it again"
        except _DAMAGE as error:
            reason = str(error)
        raise PlanError(f"the samples in {self.directory} can't be read: {reason}")

    def resume(self, policies: tuple[str, ...], max_samples: int = ALL) -> tuple[list[int], int]:
        """Make the folder ready to go on; returns the indices of whole blocks, and the next connection's number.

        Blocks without a full time are dropped with their samples, to be run again. Raises PlanError where the samples
        can't be read or, on a full disk, can't be saved.
        """
        if not self.has_samples:
            return [], 0
        samples = self.load_samples(policies, max_samples)
        if self.has_rows:
            raise PlanError(f"can't go on in {self.directory}: there is no room to save what it holds already")
        whole = [block["index"] for block in samples.blocks if block.get("whole")]
        try:
            # The next workers may have folders of the same names as those that are merged.
            if len(whole) < len(samples.blocks) or read_merged_folders(self.path(SAMPLES_FILE)):
                self._save(samples.of_blocks(whole))
        except OSError as error:
            raise PlanError(f"can't write to {self.directory}: {error.strerror}") from None
        return whole, max((block["next_connection"] for block in samples.blocks), default=0)

    def _incomplete_rounds(self) -> list[int]:
        rounds = self.load_run().get("incomplete_rounds")
        return [number for number in rounds if isinstance(number, int)] if isinstance(rounds, list) else []

    def _save(self, samples: Samples, merged: Iterable[str] = ()) -> None:
        self._write(SAMPLES_FILE, lambda file: write_samples(file, samples, merged))

    def _load(self, policies: tuple[str, ...]) -> Samples:
        return read_samples(self.path(SAMPLES_FILE), policies)

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        self._write(name, lambda file: file.write(content))

    def path(self, name: str) -> Path:
        return self.directory / name

    def discard(self) -> None:
        """Remove a run that never got a sample, so that its name is free again, and the folders made for it."""
        for path in worker_folders(self.directory).values():
            remove_worker_folder(path)
        remove_rows(self.directory)
        for name in (RUN_FILE, "target-ca.pem"):
            (self.directory / name).unlink(missing_ok=True)
        with suppress(OSError):  # one of them holds what is not ours
            for path in (self.directory, *self._new_parents):
                path.rmdir()

    @staticmethod
    def to_text(values: Mapping[str, object]) -> str:
        """JSON as the folder's files hold it, and as --json shows it on a terminal."""
        return json_escaped(json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"

    def _write_json(self, name: str, values: Mapping[str, object]) -> None:
        self.write_text(name, self.to_text(values))

    def _read_json(self, name: str) -> dict[str, Json]:
        try:
            values: dict[str, Json] = json.loads((self.directory / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PlanError(f"{self.directory / name} can't be read: {error}") from None
        if not isinstance(values, dict):
            raise PlanError(f"{self.directory / name} can't be read: it holds no JSON object")
        return values

    def _write(self, name: str, fill: Callable[[BinaryIO], object]) -> None:
        write_whole(self.directory / name, fill)


def _worker_data(directory: Path, policies: tuple[str, ...], max_samples: int) -> Samples:
    try:
        return read_worker_data(directory, policies, max_samples)
    except KeyError:
        raise
    except _DAMAGE as error:
        raise ValueError(f"{directory.name}: {error}; without that folder the rest can be read") from None


def _lock(directory: Path) -> int | None:
    """Lock the folder; the kernel unlocks it with the last process that has the descriptor. Raises PlanError."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None  # the reason will show when it is read or written
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise PlanError(f"{directory} is in use by another loadgen; wait until that has ended") from None
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor
