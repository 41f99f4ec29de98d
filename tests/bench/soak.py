"""A long run with churn: memory and descriptors of worker and command stay flat, and nothing is lost.

python -m tests.bench.soak [--seconds N] [--connections N] [--max-samples N]

The target closes connections unannounced, also those that carry several requests, so there are errors too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from tests.support.targets import Targets

_POLICIES = 4
_ROUNDS_IN_A_WINDOW = 3
_WINDOWS = 10
"""The run in this many parts: the last is compared with the second."""
_READINGS = 600
_SOURCES = [f"127.0.0.{number}" for number in range(1, 9)]
"""Each has local ports of its own: closed connections hold theirs for a minute."""
MAX_GROWTH = 0.05
_MAX_SAMPLES = 50_000
"""Reached early in the first part of the run."""


@dataclass(slots=True)
class Readings:
    """Of one process: when, resident memory and open descriptors."""

    times_s: list[float] = field(default_factory=list)
    rss_kb: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def read(self, pid: int, now_s: float) -> None:
        """Add what the process has now; nothing where it has ended."""
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            return
        line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "")
        if line:
            self.times_s.append(now_s)
            self.rss_kb.append(int(line.split()[1]))
            self.descriptors.append(descriptors)

    def window(self, number: int, seconds: float) -> tuple[float, float]:
        """Mean memory (MB) and the most descriptors in a part of the run, as 2 for the second."""
        begin, end = (seconds * at / _WINDOWS for at in (number - 1, number))
        chosen = [index for index, at in enumerate(self.times_s) if begin <= at < end]
        return mean(self.rss_kb[at] for at in chosen) / 1e3, max(self.descriptors[at] for at in chosen)


@dataclass(slots=True)
class Soak:
    """What a soak has found. readings: of `worker` and `command`, in the run itself."""

    summary: dict[str, Any]
    account: dict[str, Any]
    seconds: float
    peak_mb: float
    """Of the command, its report included."""
    readings: dict[str, Readings]

    def lost(self) -> dict[str, int]:
        """What the target counted more than the summary."""
        connections = [one["connections"] for one in self.summary["policies"].values()]
        return {
            "connections": self.account["accepted"] - sum(one["opened"] for one in connections),
            "requests": self.account["requests"] - sum(one["exchanges_with_warmup"] for one in connections),
        }

    def changes(self) -> dict[str, float]:
        """By which share memory and descriptors in the last part of the run differ from those in the second."""
        found = {}
        for name, readings in self.readings.items():
            second, last = (readings.window(number, self.seconds) for number in (2, _WINDOWS))
            for what, before, after in zip(("memory", "descriptors"), second, last, strict=True):
                found[f"{name} {what}"] = after / before - 1
        return found


def soak(folder: Path, seconds: float, connections: int, max_samples: int) -> Soak:
    """Run it: `connections` users, 30 rounds of four policies, about 5,000 requests per second."""
    block_ms = round(1e3 * seconds / _WINDOWS / _ROUNDS_IN_A_WINDOW / _POLICIES)
    policies = f"persistent,lifetime:{block_ms // 2}ms,pipeline:4,close"
    targets = Targets(folder)
    try:
        target = targets.start("--close-after", "3", "--silent")
        command = [
            sys.executable, "-m", "loadgen", "compare", target.url, "--policies", policies, "--users", str(connections),
            "--rounds", str(_ROUNDS_IN_A_WINDOW * _WINDOWS), "--block", f"{block_ms}ms", "--warmup",
            f"{block_ms // 4}ms", "--think", f"{connections // 5}ms", "--max-samples", str(max_samples), "--out",
            str(folder / "run"), "--json", "--no-charts",
            *(word for address in _SOURCES for word in ("--source-ip", address)),
        ]  # fmt: skip
        with (folder / "summary").open("w+") as out, subprocess.Popen(command, stdout=out) as process:
            readings, took_s = _read_while_it_runs(process, seconds / _READINGS)
            peak_mb = _peak_mb_of_the_rest(process)
        account = target.stats()
    finally:
        targets.close()
    summary = json.loads((folder / "summary").read_text())
    return Soak(summary, account, took_s, peak_mb, readings)


def report(found: Soak) -> str:
    """What a soak has found, as a table in Markdown."""
    policies = found.summary["policies"].values()
    requests, errors = sum(one["started"] for one in policies), sum(sum(one["errors"].values()) for one in policies)
    opened = sum(one["connections"]["opened"] for one in policies)
    lines = [
        f"{found.seconds:.0f} s, {requests:,} requests, {errors:,} errors, {opened:,} connections; "
        f"peak memory of the command with its report {found.peak_mb:.0f} MB; "
        f"the target counted {found.lost()['requests']} requests and {found.lost()['connections']} connections more",
        "",
        "| process | memory, second part | last part | change | descriptors, second part | last part | change |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    changes = found.changes()
    for name, readings in found.readings.items():
        second, last = (readings.window(number, found.seconds) for number in (2, _WINDOWS))
        memory = f"{second[0]:.1f} MB | {last[0]:.1f} MB | {changes[f'{name} memory']:+.1%}"
        descriptors = f"{second[1]:.0f} | {last[1]:.0f} | {changes[f'{name} descriptors']:+.1%}"
        lines.append(f"| {name} | {memory} | {descriptors} |")
    return "\n".join(lines)


def _read_while_it_runs(process: subprocess.Popen[bytes], every_s: float) -> tuple[dict[str, Readings], float]:
    """Read command and worker until the worker has ended; how long it ran (s)."""
    found = {"worker": Readings(), "command": Readings()}
    worker, begun_s = None, 0.0
    while process.poll() is None:
        now_s = time.monotonic()
        if worker is None:
            worker, begun_s = _worker_of(process.pid), now_s
        elif not _is_alive(worker):
            return found, now_s - begun_s
        else:
            found["worker"].read(worker, now_s - begun_s)
            found["command"].read(process.pid, now_s - begun_s)
        threading.Event().wait(every_s)
    raise RuntimeError("the command ended before its worker")


def _peak_mb_of_the_rest(process: subprocess.Popen[bytes]) -> float:
    """Wait for the command's end; its peak memory. What wait4(2) tells includes the process that started it."""
    peak_kb = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
        peak_kb = int(line.split()[1]) if line else peak_kb
        threading.Event().wait(0.02)
    return peak_kb / 1e3


def _worker_of(pid: int) -> int | None:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return next((int(one) for one in children if b"_worker" in Path(f"/proc/{one}/cmdline").read_bytes()), None)
    except OSError:
        return None


def _is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return False


def main() -> int:
    """Print what was found; 1 where memory or descriptors grew by more than 5 %, or something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--max-samples", type=int, default=_MAX_SAMPLES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), options.seconds, options.connections, options.max_samples)
    print(report(found))
    return int(any(found.lost().values()) or max(found.changes().values()) > MAX_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
