"""Locust as a process of its own: importing it here would patch the tests' standard library."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.processes import wait_until
from tests.support.targets import Target

LOCUSTFILES = Path(__file__).parents[2] / "locustfiles"
_BLOCK_MS, _THINK_MS = 200, 2
BLOCKS = ("--block", f"{_BLOCK_MS}ms", "--warmup", "40ms", "--think", f"{_THINK_MS}ms")
"""Users that think leave processor time to other tests, so that a busy machine gets to all blocks."""
WITHOUT_CHARTS = Path(__file__).parent / "without_charts.py"
"""A locustfile to give before another one."""


def command(locustfile: str | Path, *arguments: str, draws: bool = False) -> list[str]:
    """A Locust command on one of our locustfiles, or on a file of the test's. draws: the report has its charts."""
    files = [LOCUSTFILES / locustfile] if draws else [WITHOUT_CHARTS, LOCUSTFILES / locustfile]
    return [sys.executable, "-m", "locust", "-f", ",".join(map(str, files)), *arguments]


def headless(
    locustfile: str | Path, folder: Path, *arguments: str, users: int = 4, seconds: int = 2, draws: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; its results are in `folder`."""
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [
            *command(*(locustfile, "--headless", "-u", str(users), "-r", str(users), "-t", f"{seconds}s"), draws=draws),
            *(*BLOCKS, "--only-summary", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        check=False,
    )


@contextmanager
def running(folder: Path, *command_line: str) -> Iterator[subprocess.Popen[str]]:
    """A Locust process that is ended with the block if it has not ended by itself."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command_line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        with suppress(ProcessLookupError):  # workers that it forked may outlive it, and hold its standard output open
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def endless(*arguments: str, users: int = 4, locustfile: str | Path = "compare.py") -> list[str]:
    """A headless command that goes on until a signal ends it."""
    return command(locustfile, "--headless", "-u", str(users), "-r", str(users), "--only-summary", *BLOCKS, *arguments)


def await_requests(process: subprocess.Popen[str], target: Target, count: int) -> None:
    """Wait until the target has had this number of requests more."""
    enough = target.stats()["requests"] + count
    wait_until(lambda: target.stats()["requests"] >= enough, process)


PACED = ("--policies", "persistent,close")
"""For `await_rounds`."""


def await_rounds(process: subprocess.Popen[str], target: Target, rounds: int, users: int = 4) -> None:
    """Wait until this many whole rounds must be over in a run with PACED, whose users can't send more in a round.

    The requests of a round that is cut short are in no figure, and a run without a whole one has none.
    """
    blocks = 2 * (rounds + 1)
    await_requests(process, target, blocks * users * _BLOCK_MS // _THINK_MS)


def await_log(process: subprocess.Popen[str], log: Path, text: str) -> None:
    """Wait until Locust has logged a text."""
    wait_until(lambda: log.exists() and text in log.read_text(encoding="utf-8"), process)


def samples_of(folder: Path, name: str) -> list[int]:
    """A column of the only run's samples."""
    (path,) = (folder / "results").glob("*/samples.npz")
    with np.load(path) as samples:
        column: list[int] = samples[name].tolist()
    return column


def csv_rows(folder: Path) -> dict[str, dict[str, str]]:
    """Locust's own statistics of a run with `--csv stats`, by name."""
    with (folder / "stats_stats.csv").open(encoding="utf-8") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def check_sums(found: dict[str, Any]) -> None:
    """Each request that was started is accounted for."""
    for one in found["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]


def account(found: dict[str, Any]) -> tuple[int, int]:
    """Requests and connections as the embedded target counted them."""
    own = found["environment"]["embedded_target"]
    return own["requests"], own["accepted"]


def summary(folder: Path) -> dict[str, Any]:
    """The only run's summary."""
    (path,) = (folder / "results").glob("*/summary.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def counts(found: dict[str, Any]) -> tuple[int, int]:
    """Requests that a server answered, and connections that it accepted, by a summary, in rounds of any kind."""
    connections = [one["connections"] for one in found["policies"].values()]
    left_out = found.get("incomplete_rounds", {"exchanges": 0, "connections": 0})
    return (
        left_out["exchanges"] + sum(one["exchanges_with_warmup"] for one in connections),
        left_out["connections"] + sum(one["opened"] for one in connections),
    )
