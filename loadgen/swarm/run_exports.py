"""The run of the web UI in a format that people ask for: written by a child process, as it takes a second of a core.

While the run goes on, of its summary so far; afterwards of its folder. Knows no page.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from loadgen import COMMAND
from loadgen.measure.data.store import SUMMARY_FILE
from loadgen.model.summary import Summary
from loadgen.show.export import EXPORTERS
from loadgen.show.export.html import HTML

_MAX_S = 120


class Offer(TypedDict):
    """A format that can be had now."""

    name: str
    """The word that chooses it."""
    title: str
    """What it is."""
    opens: bool
    """A browser shows it."""


class RunExports:
    """Files that were asked for, in a folder that `close` removes."""

    def __init__(self) -> None:
        self._root: Path | None = None

    def offers(self, *, with_samples: bool) -> list[Offer]:
        """with_samples: the run is over, and its samples are there."""
        return [
            {"name": one.name, "title": one.title, "opens": one is HTML}
            for one in EXPORTERS.values()
            if (with_samples or not one.reads_samples) and _is_installed(one.needs)
        ]

    def of_summary(self, summary: Summary, name: str) -> Path:
        """The run so far. Raises ValueError with one line where it can't be written."""
        with tempfile.TemporaryDirectory(prefix="loadgen-so-far-") as folder:
            (Path(folder) / SUMMARY_FILE).write_text(json.dumps(summary), encoding="utf-8")
            return self.of_folder(Path(folder), name)

    def of_folder(self, run: Path, name: str) -> Path:
        """The run in a folder. Raises ValueError as above."""
        exporter = EXPORTERS[name]
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="loadgen-exports-"))
        path = self._root / exporter.file_name
        command = ["nice", "-n", "10", *COMMAND, "_export", str(run), name, str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_MAX_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"the export {name} could not be made: {error}") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise ValueError(f"the export {name} could not be made: {reason}")
        return path

    def close(self) -> None:
        """Remove what was made."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None


@cache
def _is_installed(package: str) -> bool:
    return not package or find_spec(package) is not None
