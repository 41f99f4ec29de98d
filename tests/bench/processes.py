"""What it costs to make one load with two worker processes instead of one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median

from tests.bench.machine import Server, loadgen

TURNS = 5
MOST_EXTRA = 1.25


def cpu_ns_per_request(server: Server, folder: Path, policy: str, processes: int) -> float:
    """The generator's CPU time for a request, of all its workers on one core."""
    load = ["--policies", policy, "--rounds", "2", "--block", "2s", "--warmup", "500ms", "--no-charts", "--json"]
    out = ["--out", str(folder / f"{time.time_ns()}")]
    summary = json.loads(loadgen("compare", server.plain, "--processes", str(processes), *load, *out))
    return float(summary["policies"][policy]["generator"]["cpu_ns_per_request"])


def processes(server: Server, folder: Path) -> None:
    """CPU time per request of two workers against one, in turns."""
    for policy in ("persistent", "close"):
        pairs = [[cpu_ns_per_request(server, folder, policy, count) for count in (1, 2)] for _ in range(TURNS)]
        ratio = median(two / one for one, two in pairs)
        one_us, two_us = (median(pair[index] for pair in pairs) / 1e3 for index in range(2))
        print(
            f"\n{policy}: {one_us:.1f} µs of CPU a request with 1 process, {two_us:.1f} µs with 2: {ratio:.2f} × "
            f"(bar {MOST_EXTRA} ×)",
            end="",
        )
    print(flush=True)
