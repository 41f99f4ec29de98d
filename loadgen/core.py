"""Which core runs: the compiled one, or the same modules as pure Python. Knows no module of the core.

A module with a `.pxd` file beside it is compiled when loadgen is installed (setup.py). What was compiled stands in a
record beside this file, one for each kind of CPython, with a digest of each source. The compiled core runs if all of it
is there and no source has changed since: compiled modules read each other's fields at fixed offsets, and an old one
among new ones would read the wrong memory. Else, and with LOADGEN_PURE=1, none of its extension modules is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import source_hash
from types import ModuleType
from typing import Literal

SUFFIX = EXTENSION_SUFFIXES[0]
"""Ending of extension modules of this CPython."""

RECORD = f"core{SUFFIX.removesuffix('.so')}.txt"
"""Name of the record of this CPython. A line is `DIGEST PATH`, or begins with #."""

DECLARATIONS = (".pxd", ".pxi", ".h")
"""Endings of the sources that declare types for compiled modules."""

_PURE_OPTION = "loadgen_pure"
"""With `-X loadgen_pure` a child process runs what its parent runs, and does not repeat why."""

_running: Literal["compiled", "pure"] = "pure"


def running() -> Literal["compiled", "pure"]:
    """The core of this process."""
    return _running


def interpreter_options() -> tuple[str, ...]:
    """Options of the interpreter with which a child process runs the same core."""
    return () if _running == "compiled" else ("-X", _PURE_OPTION)


def choose() -> None:
    """Decide which core this process runs; called once, before any module of a room is imported."""
    global _running
    package = os.path.dirname(__file__)
    record = None if pure_is_set() or _PURE_OPTION in sys._xoptions else read_record(package)
    if record is not None:
        changed = find_change(package, record)
        if changed is None:
            _running = "compiled"
            return
        _say(
            f"loadgen: {changed} since the core was compiled, so all of it runs as pure Python; "
            "`make install` compiles it again\n"
        )
    sys.meta_path.insert(0, _SourceFinder())


def _say(line: str) -> None:
    """Write it to standard error, which may be closed or full."""
    if sys.stderr is not None:
        try:  # noqa: SIM105 # contextlib is not loaded yet
            sys.stderr.write(line)
        except OSError:
            pass


def pure_is_set() -> bool:
    """The environment asks for pure Python, when running and when building."""
    return os.environ.get("LOADGEN_PURE", "0") not in ("", "0")


def read_record(package: str) -> dict[str, str] | None:
    """Path -> digest of each source of the compiled core in the folder `package`; None where it is not compiled."""
    try:
        with open(os.path.join(package, RECORD), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    pairs = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {path: digest for digest, _, path in pairs}


def find_change(package: str, record: dict[str, str]) -> str | None:
    """What is no longer as it was compiled, as "PATH has changed"; None where all is."""
    for path, expected in record.items():
        full = os.path.join(package, path)
        if path.endswith(".py") and not os.path.exists(full.removesuffix(".py") + SUFFIX):
            return f"the extension module of {path} has gone"
        try:
            with open(full, "rb", buffering=0) as file:
                found = digest(file.readall())
        except OSError:
            return f"{path} has gone"
        if found != expected:
            return f"{path} has changed"
    return None


def digest(content: bytes) -> str:
    """A digest of a source; this one needs no import, and the whole check takes less than a millisecond."""
    return source_hash(content).hex()


class _SourceFinder:
    """Finds this package's modules by their sources alone, before the usual finders prefer an extension module."""

    def __init__(self) -> None:
        self._finders: dict[str, FileFinder] = {}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("loadgen."):
            return None
        specs = (self._finder(folder).find_spec(name) for folder in path or ())
        return next((spec for spec in specs if spec is not None and spec.loader is not None), None)

    def invalidate_caches(self) -> None:
        self._finders.clear()

    def _finder(self, folder: str) -> FileFinder:
        if folder not in self._finders:
            self._finders[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
        return self._finders[folder]
