"""Measures what the project promises of its speed and memory, beside its peers, and prints Markdown tables.

Generator and peers take turns on one core, nginx has another; each figure is the median of several turns. Machines are
noisy: only ratios within one run mean anything, and only where the generator is what is measured (tests/bench/cpu.py).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import cpu, processes, spectrum, swarm, upgrades
from tests.bench.cpu import peer
from tests.bench.machine import (
    GENERATOR_CORE,
    TARGET_CORE,
    Server,
    embedded_target,
    find,
    loadgen,
    nginx,
    run_pinned,
)
from tests.bench.rows import write_run

TURNS = 3
SECONDS = 3
_WRK_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


def run_loadgen(url: str, policy: str, folder: Path, *more: str, users: int = 50) -> dict[str, Any]:
    """One block of the policy; returns its part of the summary."""
    arguments = ["compare", url, "--policies", policy, "--users", str(users), "--rounds", "1"]
    arguments += ["--block", f"{SECONDS + 1}s", "--warmup", "1s", "--json", "--out", str(folder / f"{time.time_ns()}")]
    summary = json.loads(loadgen(*arguments, *more))
    policies: dict[str, dict[str, Any]] = summary["policies"]
    return policies[policy]


def many(server: Server, folder: Path) -> None:
    """Memory at 10,000 connections, and throughput at 5,000 users against 50."""
    big = run_loadgen(server.plain, "persistent", folder, "--warmup", "2s", "--block", "5s", users=10_000)
    resident = big["generator"]["rss_bytes"] / 1e6
    opened, errors = big["connections"]["opened"], sum(big["errors"].values())
    print(f"\n10,000 connections: opened {opened:,}, {errors} errors, {resident:.0f} MB resident")
    rates: dict[str, list[float]] = {"loadgen": [], "wrk": []}
    cpu = []
    for _ in range(TURNS):
        few = run_loadgen(server.plain, "persistent", folder)
        lots = run_loadgen(server.plain, "persistent", folder, "--warmup", "2s", "--block", "5s", users=5_000)
        rates["loadgen"].append(lots["throughput_rps"] / few["throughput_rps"])
        cpu.append(few["generator"]["cpu_ns_per_request"] / lots["generator"]["cpu_ns_per_request"])
        if find("wrk"):
            pair = [run_pinned(peer("wrk", server.plain, False, users)) for users in (5_000, 50)]
            found = [_WRK_RATE.search(text) for text in pair]
            rates["wrk"].append(float(found[0][1]) / float(found[1][1]))  # type: ignore[index] # wrk prints it always
    for name, ratios in rates.items():
        if ratios:
            print(f"5,000 users against 50, {name}: {median(ratios):.2f} × the throughput")
    print(f"5,000 users against 50, loadgen: {median(cpu):.2f} × the requests per second of CPU", flush=True)


def target(_server: Server, _folder: Path) -> None:
    """What the embedded target carries on one core, driven by wrk from another."""
    rates = []
    with embedded_target() as url:
        for close in (False, True):
            match = _WRK_RATE.search(run_pinned(peer("wrk", url, close)))
            assert match is not None
            rates.append(float(match[1]))
    print(f"\nembedded target under wrk: {rates[0]:,.0f} req/s persistent, {rates[1]:,.0f} close", flush=True)


def report(_server: Server, folder: Path) -> None:
    """From five million samples to summary, charts and report: time and peak memory of one process."""
    run = folder / "million"
    write_run(run, 5_000_000)
    command = [sys.executable, "-m", "loadgen", "report", str(run), "--quiet"]
    begun = time.monotonic()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    print(
        f"\nfive million samples to report: {time.monotonic() - begun:.1f} s, {used.ru_maxrss / 1e6:.2f} GB", flush=True
    )


CASES: dict[str, Callable[[Server, Path], None]] = {
    "cpu": cpu.cpu,
    "many": many,
    "target": target,
    "report": report,
    "policies": spectrum.policies,
    "open_loop": spectrum.open_loop,
    "pipelining": spectrum.pipelining,
    "sweep": spectrum.sweep,
    "processes": processes.processes,
    "swarm": swarm.swarm,
    "upgrades": upgrades.upgrades,
}

ON_DEMAND: dict[str, Callable[[Server, Path], None]] = {"checkout": cpu.checkout}
"""Cases that run only where they are named."""


def main(names: list[str]) -> None:
    print(f"generator on core {GENERATOR_CORE}, target on core {TARGET_CORE}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as server:
        for name in names or list(CASES):
            (CASES | ON_DEMAND)[name](server, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
