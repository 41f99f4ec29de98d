"""What it costs to make one load with two worker processes instead of one, by `compare` and by Locust."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.case import Bench
from tests.bench.machine import Server, loadgen, run_pinned

MAX_EXTRA = 1.25
_LOCUSTFILE = str(Path(__file__).parents[2] / "locustfiles" / "compare.py")
_LOAD = ["--block", "2s", "--warmup", "500ms"]

Runs = Callable[[Server, Path, str, int], dict[str, Any]]


def by_compare(server: Server, folder: Path, policy: str, processes: int) -> dict[str, Any]:
    """The summary of a run of `loadgen compare`."""
    load = ["--policies", policy, "--rounds", "2", *_LOAD, "--no-charts", "--json"]
    out = ["--out", str(folder / f"{time.time_ns()}")]
    found: dict[str, Any] = json.loads(loadgen("compare", server.plain, "--processes", str(processes), *load, *out))
    return found


def by_locust(server: Server, folder: Path, policy: str, processes: int) -> dict[str, Any]:
    """The summary of a headless run of Locust; its master is on the generator's core too."""
    name = f"{time.time_ns()}"
    command = [sys.executable, "-m", "locust", "-f", _LOCUSTFILE, "--headless", "--only-summary", "--policies", policy]
    command += ["-u", "50", "-r", "1000", "-t", "6s", "-H", server.plain, *_LOAD]
    command += ["--results", str(folder), "--run-name", name]
    run_pinned(command + (["--processes", str(processes)] if processes > 1 else []))
    found: dict[str, Any] = json.loads((folder / name / "summary.json").read_text(encoding="utf-8"))
    return found


def processes(bench: Bench) -> None:
    """CPU time per request of two workers against one, in turns, all on one core."""
    ways: dict[str, Runs] = {"compare": by_compare, "locust": by_locust}
    for way, run in ways.items():
        for policy in ("persistent", "close"):

            def cpu_us(count: int, run: Runs = run, policy: str = policy) -> float:
                summary = run(bench.server, bench.folder, policy, count)
                return float(summary["policies"][policy]["generator"]["cpu_ns_per_request"]) / 1e3

            pairs = [[cpu_us(count) for count in (1, 2)] for _ in range(bench.turns)]
            ratio = median(two / one for one, two in pairs)
            one_us, two_us = (median(pair[index] for pair in pairs) for index in range(2))
            print(
                f"{way} {policy}: {one_us:.1f} µs of CPU a request with 1 process, {two_us:.1f} µs with 2: "
                f"{ratio:.2f} × (bar {MAX_EXTRA} ×)",
                flush=True,
            )
