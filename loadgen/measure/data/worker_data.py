"""What one worker of several measured, on disk. Merges nothing.

Each has a folder `worker-K` inside the run's, with a recorder's rows or with one `samples.npz`. A Locust process has
one such folder for each user class.
"""

from __future__ import annotations

from pathlib import Path

from loadgen.measure.data.npz import SAMPLES_FILE, read_samples, write_samples
from loadgen.measure.data.recorder import EXCHANGES_FILE, ROW_FILES, WORKER_PREFIX, worker_folder
from loadgen.measure.data.rows import Samples, read_rows


def worker_folders(directory: Path) -> dict[int, Path]:
    """The workers' folders in a run's folder, by number."""
    found = {}
    for path in directory.glob(f"{WORKER_PREFIX}*"):
        number = path.name.removeprefix(WORKER_PREFIX)
        if number.isascii() and number.isdigit() and worker_folder(directory, int(number)) == path and path.is_dir():
            found[int(number)] = path
    return dict(sorted(found.items()))


def measured_worker_folders(directory: Path) -> dict[int, Path]:
    """Those of them that hold rows or samples."""
    files = (EXCHANGES_FILE, SAMPLES_FILE)
    folders = worker_folders(directory).items()
    return {number: path for number, path in folders if any((path / name).is_file() for name in files)}


def read_worker_data(directory: Path, policies: tuple[str, ...]) -> Samples:
    """A worker's samples. Raises OSError, or ValueError, KeyError or BadZipFile where it is damaged."""
    if (directory / EXCHANGES_FILE).exists():
        return read_rows(directory, policies)
    return read_samples(directory / SAMPLES_FILE, policies)


def compact(directory: Path, policies: tuple[str, ...], max_samples: int | None = None, seed: int = 0) -> Path:
    """Turn the rows that a closed recorder left in a folder into one file in it; returns its path.

    policies: the names of the plan's cells. max_samples: about how many of the complete samples to keep; see
    `Samples.thinned`. Doing it again changes nothing. Raises OSError where the disk is full, and what
    `read_worker_data` raises.
    """
    path = directory / SAMPLES_FILE
    if (directory / EXCHANGES_FILE).exists():
        samples = read_worker_data(directory, policies)
        if max_samples is not None:
            samples = samples.thinned(max_samples, seed)
        beside = directory / f".{SAMPLES_FILE}.new"
        try:
            with beside.open("wb") as file:
                write_samples(file, samples)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    remove_rows(directory)
    return path


def remove_rows(directory: Path) -> None:
    """Remove a recorder's files, beginning with the one whose presence means that there are rows."""
    for name in ROW_FILES:
        (directory / name).unlink(missing_ok=True)


def remove_worker_folder(directory: Path) -> None:
    """Remove a worker's folder, but no file that is not ours; the samples go last."""
    for name in (f".{SAMPLES_FILE}.new", *reversed(ROW_FILES), SAMPLES_FILE):
        (directory / name).unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()
