"""Kills a process of a run, or a report that is being written, at a moment that a seed decides; looks at what is left.

Judges nothing: an outcome says what was found.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

import numpy as np

from loadgen.cli.run_validation import load_record
from loadgen.measure.data.store import RunStore
from loadgen.model.plan import Plan
from tests.support.processes import wait_until
from tests.support.runner import Result, run_cli
from tests.support.targets import Targets

VICTIMS = ("command", "worker", "target")
POLICIES = ("persistent", "close")
BLOCK_S = 0.2
_LOAD = (
    "--policies", ",".join(POLICIES), "--processes", "2", "--users", "4", "--think", "1ms", "--rounds", "200",
    "--block", f"{BLOCK_S * 1000:.0f}ms", "--warmup", "20ms", "--timeout", "2s", "--no-charts", "--quiet",
)  # fmt: skip
_LATEST_S = 2.0
_GOES_ON_S = 0.4
_ENDS_S = 120.0


class Killed(NamedTuple):
    """A run after one of its processes was killed."""

    victim: str
    after_s: float
    """How long the load had run."""
    code: int
    """How the command ended."""
    report: Result
    """`loadgen report --json` of what was left."""
    requests: int
    """Samples that were read."""
    unread_s: float
    """Time before the kill of which the report holds no answered request."""
    leftovers: list[str]
    """Processes that outlived the command, and files that no report should leave."""


class Interrupted(NamedTuple):
    """A run's folder after a report of it was killed."""

    after_s: float
    had_ended: bool
    """The report was faster."""
    torn: list[str]
    """Files that are neither as before nor as a whole report writes them."""
    report: Result
    """The next report."""


def kill_in_run(folder: Path, victim: str, random: Random) -> Killed:
    """Start a target and a run in `folder`, and kill one of the processes while the load is on."""
    folder.mkdir()
    targets = Targets(folder)
    try:
        target = targets.start()
        run = folder / "run"
        command = [sys.executable, "-m", "loadgen", "compare", target.url, *_LOAD, "--out", str(run)]
        with (folder / "stderr").open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        wait_until(lambda: _windows(run) >= 2, process)
        after_s = random.uniform(0, _LATEST_S)
        time.sleep(after_s)
        workers = _workers(process.pid)
        number = random.randrange(len(workers))
        pids = {"command": process.pid, "worker": workers[number], "target": targets.pids[0]}
        killed_ns = time.monotonic_ns()
        os.kill(pids[victim], signal.SIGKILL)
        if victim != "command":
            time.sleep(_GOES_ON_S)
            process.send_signal(signal.SIGINT)
        code = process.wait(timeout=_ENDS_S)
        leftovers = _outlived(workers)
    finally:
        targets.close()
    report = report_of(run)
    leftovers += [path.name for path in run.iterdir() if path.name.startswith((".", "worker-"))]
    requests, last_ns = _read(run, killed_ns, number if victim == "worker" else None)
    return Killed(victim, after_s, code, report, requests, (killed_ns - last_ns) / 1e9, leftovers)


def kill_in_report(folder: Path, old: Path, random: Random, takes_s: float) -> Interrupted:
    """Kill a report of the run in `old` that takes so long, in a copy of it in `folder`."""
    before, new, run = folder / "before", folder / "new", folder / "run"
    for copy in (before, new, run):
        shutil.copytree(old, copy / "run")
        _note(copy / "run")
    whole = _start_report(new / "run")
    whole.wait(timeout=_ENDS_S)
    process = _start_report(run / "run")
    after_s = random.uniform(0, takes_s)
    time.sleep(after_s)
    had_ended = process.poll() is not None
    process.kill()
    process.wait()
    torn = [
        path.name
        for path in (run / "run").iterdir()
        if not path.name.startswith(".") and not _is_in(path, before / "run", new / "run")
    ]
    return Interrupted(after_s, had_ended, torn, report_of(run / "run"))


def _is_in(path: Path, *folders: Path) -> bool:
    """One of the folders has a file of this name and content: a report adds files that the run had not before it."""
    same = (folder / path.name for folder in folders)
    return any(one.exists() and one.read_bytes() == path.read_bytes() for one in same)


def report_of(run: Path) -> Result:
    """A report of the run, with charts that are empty pictures."""
    with mock.patch("loadgen.show.charts.draw", return_value={"png": b"", "svg": b"<svg></svg>"}):
        return run_cli("report", str(run), "--json")


def _start_report(run: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "loadgen", "report", str(run)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _note(run: Path) -> None:
    """Let the next report differ from the one that is there."""
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    facts["notes"] = [*facts["notes"], {"code": "interrupted", "message": "this note makes a new report another one"}]
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")


def _windows(run: Path) -> int:
    """Blocks of the first worker whose window has begun."""
    path = run / "worker-0" / "blocks.jsonl"
    return path.read_text(encoding="utf-8").count("cpu_ns") if path.exists() else 0


def _workers(pid: int) -> list[int]:
    """The command's children, in the order in which it started them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return sorted(int(child) for child in children.split())


def _outlived(pids: list[int]) -> list[str]:
    """Those that do not end by themselves within a few seconds; they are ended."""
    end_s = time.monotonic() + 10
    left = pids
    while left and time.monotonic() < end_s:
        time.sleep(0.02)
        left = [pid for pid in left if Path(f"/proc/{pid}").exists()]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return [f"process {pid}" for pid in left]


def _read(run: Path, killed_ns: int, worker: int | None) -> tuple[int, int]:
    """How many samples there are, and when the last one before the kill was due that was answered (ns)."""
    plan = Plan.from_json(load_record(RunStore.open(run))["plan"])
    samples = RunStore.open(run).load_samples(tuple(cell.name for cell in plan.cells))
    columns = samples.columns
    answered = (columns["status"] > 0) & (columns["scheduled"] <= killed_ns)
    if worker is not None:
        answered &= columns["worker"] == worker
    return len(samples), int(np.max(columns["scheduled"][answered], initial=0))
