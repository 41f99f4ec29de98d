"""Draws a run's charts while it goes on, in one child process at a time. Knows no web UI and no run."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from pathlib import Path

from loadgen import COMMAND
from loadgen.measure.data.store import SUMMARY_FILE
from loadgen.model.summary import Summary

logger = logging.getLogger(__name__)


class ChartDrawer:
    """Charts of the last summary that was given to it, in a folder that `close` removes."""

    def __init__(self) -> None:
        self.directory: Path | None = None
        """Where the newest finished charts are."""
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._next_directory = Path()

    @property
    def is_busy(self) -> bool:
        return self._child is not None

    def start(self, summary: Summary) -> None:
        """Draw these figures; at low priority, but not so low that a busy machine never draws them."""
        try:
            if self._root is None:
                self._root = tempfile.TemporaryDirectory(prefix="loadgen-charts-")
            # A new folder each time: a page that is being shown keeps its pictures.
            directory = self._next_directory = Path(tempfile.mkdtemp(dir=self._root.name))
            (directory / SUMMARY_FILE).write_text(json.dumps(summary), encoding="utf-8")
            command = ["nice", "-n", "10", *COMMAND, "_draw", str(directory)]
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except OSError as error:
            logger.warning("loadgen: charts can't be drawn: %s", error)

    def poll(self) -> bool:
        """Whether new charts are there since the last call."""
        if self._child is None or self._child.poll() is None:
            return False
        child, self._child = self._child, None
        if child.returncode:
            return False
        self.directory = self._next_directory
        return True

    def close(self) -> None:
        """Stop drawing, and remove what was drawn."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
            self._child = None
        self.directory = None
        if self._root is not None:
            self._root.cleanup()
            self._root = None
