"""Reads saved inputs in this process and prints what each gave: `python -m tests.fuzz.replay TARGET FOLDER ...`.

The runner compares the lines of the compiled core with those of pure Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from loadgen.core import running
from tests.fuzz.targets import TARGETS


def inputs(folders: list[str]) -> Iterator[Path]:
    """Every input in the folders, each in a fixed order."""
    for folder in folders:
        yield from sorted(path for path in Path(folder).glob("*") if path.is_file())


def main() -> None:
    """One line an input; the first line says which core this is."""
    target = TARGETS[sys.argv[1]]
    print(running())
    for path in inputs(sys.argv[2:]):
        print(path.name, repr(target.run(path.read_bytes())))


if __name__ == "__main__":
    main()
