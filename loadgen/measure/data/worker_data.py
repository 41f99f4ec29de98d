"""Parts of a run on disk: what one worker of several, or one lane of a worker, measured. Merges nothing.

A part is a folder `worker-K` inside the run's, with a recorder's rows or with one `samples.npz`.
"""

from __future__ import annotations

from pathlib import Path

from loadgen.measure.data.npz import SAMPLES_FILE, read_samples, write_samples
from loadgen.measure.data.recorder import EXCHANGES_FILE, PART, ROW_FILES, part_directory
from loadgen.measure.data.rows import Samples, read_rows


def part_folders(directory: Path) -> dict[int, Path]:
    """What lies in a run's folder under the name of a part, by its number."""
    found = {}
    for path in directory.glob(f"{PART}*"):
        number = path.name.removeprefix(PART)
        if number.isascii() and number.isdigit() and part_directory(directory, int(number)) == path and path.is_dir():
            found[int(number)] = path
    return dict(sorted(found.items()))


def parts_in(directory: Path) -> dict[int, Path]:
    """Those of them in which something was measured."""
    files = (EXCHANGES_FILE, SAMPLES_FILE)
    folders = part_folders(directory).items()
    return {number: path for number, path in folders if any((path / name).is_file() for name in files)}


def read_part(directory: Path, policies: tuple[str, ...]) -> Samples:
    """A part's samples. Raises OSError, or ValueError, KeyError or BadZipFile where it is damaged."""
    if (directory / EXCHANGES_FILE).exists():
        return read_rows(directory, policies)
    return read_samples(directory / SAMPLES_FILE, policies)


def compact(directory: Path, policies: tuple[str, ...], most: int | None = None, seed: int = 0) -> Path:
    """Turn the rows that a recorder, closed by now, left in a folder into one file in it; returns its path.

    policies: the names of the plan's cells. most: keep about so many of the complete samples; see `Samples.thinned`.
    Doing it again changes nothing. Raises OSError where the disk is full, and what `read_part` raises.
    """
    path = directory / SAMPLES_FILE
    if (directory / EXCHANGES_FILE).exists():
        samples = read_part(directory, policies)
        if most is not None:
            samples = samples.thinned(most, seed)
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
    """Remove a recorder's files; first of all the one that says that rows are there."""
    for name in ROW_FILES:
        (directory / name).unlink(missing_ok=True)


def remove_part(directory: Path) -> None:
    """Remove a part, but nothing that is not ours; last of all what tells that there is one."""
    for name in (f".{SAMPLES_FILE}.new", *reversed(ROW_FILES), SAMPLES_FILE):
        (directory / name).unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()
