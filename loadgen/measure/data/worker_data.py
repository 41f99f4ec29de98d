"""What one worker of several measured, on disk. Merges nothing.

Each has a folder `worker-K` inside the run's, with a recorder's rows or with one `samples.npz`. A Locust process has
one such folder for each user class.
"""

from __future__ import annotations

from pathlib import Path

from loadgen.measure.data.limiting import ALL, limit
from loadgen.measure.data.npz import SAMPLES_FILE, read_samples, write_samples
from loadgen.measure.data.recorder import (
    EXCHANGES_FILE,
    ROLLUP_FILE,
    WORKER_PREFIX,
    row_files,
    worker_folder,
)
from loadgen.measure.data.rollup import Rollup
from loadgen.measure.data.rows import Samples, read_rows
from loadgen.model.files import unfinished_path, write_whole
from loadgen.model.records import EXCHANGE_ROW


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


def read_worker_data(directory: Path, policies: tuple[str, ...], max_samples: int = ALL) -> Samples:
    """A worker's samples, a share of them where there are more than that; see `limit`.

    Raises OSError, or ValueError, KeyError or BadZipFile where it is damaged.
    """
    if not (directory / EXCHANGES_FILE).exists():
        return limit(read_samples(directory / SAMPLES_FILE, policies), max_samples)
    if (directory / ROLLUP_FILE).exists() or _exchanges(directory) > max_samples:
        return Rollup(directory, policies, max_samples).samples()
    return read_rows(directory, policies)


def compact(directory: Path, policies: tuple[str, ...], max_samples: int = ALL) -> Path:
    """Turn the rows that a closed recorder left in a folder into one file in it; returns its path.

    policies: the names of the plan's cells. max_samples: how many of the samples to keep; see `limit`. Doing it again
    changes nothing. Raises OSError where the disk is full, and what `read_worker_data` raises.
    """
    path = directory / SAMPLES_FILE
    if (directory / EXCHANGES_FILE).exists():
        samples = read_worker_data(directory, policies, max_samples)
        write_whole(path, lambda file: write_samples(file, samples))
    remove_rows(directory)
    return path


def remove_rows(directory: Path) -> None:
    """Remove a recorder's files, beginning with the one whose presence means that there are rows."""
    for path in row_files(directory):
        path.unlink(missing_ok=True)


def remove_worker_folder(directory: Path) -> None:
    """Remove a worker's folder, but no file that is not ours; the samples go last."""
    samples = directory / SAMPLES_FILE
    for path in (unfinished_path(samples), *reversed(row_files(directory)), samples):
        path.unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()


def _exchanges(directory: Path) -> int:
    """About how many rows of exchanges there are: space that was reserved counts as well."""
    paths = (directory / EXCHANGES_FILE, *directory.glob(f"{EXCHANGES_FILE}.*"))
    return sum(path.stat().st_size for path in paths) // EXCHANGE_ROW.size
