"""A comparison under way, for tests that do something to its processes meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loadgen.measure.data.recorder import BLOCKS_FILE, worker_folder
from tests.support.processes import wait_until
from tests.support.targets import Target


class Run:
    """A comparison under way, in two processes unless `more` says otherwise."""

    def __init__(self, target: Target, folder: Path, *more: str) -> None:
        self.folder = folder
        arguments = ["compare", target.url, "--out", str(folder), "--json", "--no-charts", "--users", "4"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", *arguments, "--processes", "2", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def workers(self) -> dict[int, int]:
        """The process of each worker."""
        pid = self.process.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            line = []
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                line = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            part = next((one for one in line if b"/worker-" in one), b"")
            if part:
                found[int(part.rpartition(b"-")[2])] = int(child)
        return found

    def await_block(self, worker: int, key: str, least: int = 0) -> None:
        """Wait until the latest that a worker has noted of a block, at least the one with this index, has this key."""
        path = worker_folder(self.folder, worker) / BLOCKS_FILE

        def is_there() -> bool:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            facts = json.loads(text.splitlines()[-1]) if text.endswith("\n") else {}
            return facts.get("index", -1) >= least and key in facts

        wait_until(is_there, self.process)

    def end(self) -> tuple[int, dict[str, Any], str]:
        """Exit code, summary and what was said."""
        out, said = self.process.communicate(timeout=60)
        assert "Traceback" not in said
        return self.process.returncode, json.loads(out), said


@contextmanager
def running(target: Target, folder: Path, *more: str) -> Iterator[Run]:
    run = Run(target, folder, *more)
    try:
        yield run
    finally:
        left = run.workers().values() if run.process.poll() is None else []
        run.process.kill()
        for pid in left:  # one that is stopped would hold our pipes open
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.process.communicate(timeout=60)


def codes(summary: dict[str, Any]) -> dict[str, str]:
    return {warning["code"]: warning["message"] for warning in summary["warnings"]}
