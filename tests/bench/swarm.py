"""What Locust's users send on one core: its own fast client, ours under some policies, and the bare engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import NamedTuple

from loadgen.drive.system.server_process import rss_bytes
from tests.bench.case import Bench
from tests.bench.machine import GENERATOR_CORE, embedded_target, pin, run_pinned
from tests.bench.turns import against_bar, below_bar, in_turns, ratios, spread

CPU, HOLDING = "requests", "holding"
PARTS = (CPU, HOLDING)
USERS = 50
HELD = 1_000
"""Users that hold a connection each."""
_MAX_MB, _STRETCH_MB = 150, 120
SECONDS = 6
_LOCUSTFILE = str(Path(__file__).with_name("locustfile.py"))
# How many requests of each a core must carry while FastHttpUser carries one: bar and stretch.
_BARS = {"ReuseUser": (5.0, 8.0), "SwarmUser": (12.0, 20.0)}
_CLASSES = {
    "FastHttpUser": "Fast", "ReuseUser": "Reuse", "ReuseUser pool:50": "Pooled", "ReuseUser h2": "Streams",
    "SwarmUser": "Swarm",
}  # fmt: skip


class Cost(NamedTuple):
    """One headless run by Locust's own statistics, and the CPU time of its process while the test ran."""

    rate_rps: float
    cpu_us: float
    core_share: float


def measure(user: str, url: str, folder: Path) -> Cost:
    """One headless run of one kind of user. Raises AssertionError where requests failed."""
    name = f"{time.time_ns()}"
    cpu_file = folder / f"{name}.cpu"
    os.environ["LOADGEN_BENCH_CPU"] = str(cpu_file)
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        _LOCUSTFILE,
        _CLASSES[user],
        "--headless",
        "--json",
        "--only-summary",
    ]
    command += ["-u", f"{USERS}", "-r", "1000", "-t", f"{SECONDS}s", "-H", url.removesuffix("/")]
    command += ["--results", str(folder), "--run-name", name]
    (entry,) = json.loads(run_pinned(command))
    assert entry["num_failures"] == 0
    per_second = {int(second): count for second, count in entry["num_reqs_per_sec"].items()}
    # The first and the last second are not whole; one without any request counts like every other.
    inner = range(min(per_second) + 1, max(per_second))
    rate_rps = sum(per_second.get(second, 0) for second in inner) / len(inner)
    cpu_s = float(cpu_file.read_text(encoding="ascii"))
    return Cost(rate_rps, cpu_s / entry["num_requests"] * 1e6, cpu_s / SECONDS)


def swarm(bench: Bench) -> None:
    """What a request costs, and what a user's open connection does."""
    if bench.wants(CPU):
        cpu(bench)
    if bench.wants(HOLDING):
        memory(bench)


def memory(bench: Bench) -> None:
    """Of one Locust process whose users each hold a connection that they have used."""
    sizes = [resident_bytes(bench.folder) / 1e6 for _ in range(min(bench.turns, 3))]
    print(
        f"\n{HELD:,} ReuseUsers in one process, each with its open connection: {spread(sizes).text(0)} MB resident "
        f"({below_bar(max(sizes), _MAX_MB, _STRETCH_MB)})",
        flush=True,
    )


def resident_bytes(folder: Path) -> int:
    """Raises AssertionError where not all connections are open at the same time, or Locust ends before."""
    with embedded_target() as target:
        command = [sys.executable, "-m", "locust", "-f", _LOCUSTFILE, "Resting", "--headless", "--only-summary"]
        command += ["-u", f"{HELD}", "-r", "500", "-t", "120s", "-H", target.url.removesuffix("/")]
        environment = os.environ | {"LOADGEN_BENCH_CPU": os.devnull}
        command += ["--results", str(folder), "--run-name", f"{time.time_ns()}"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
            preexec_fn=lambda: pin(GENERATOR_CORE),
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while _open_connections(target.url) < HELD:
                assert process.poll() is None, "Locust ended"
                assert time.monotonic() < deadline, "not all connections are open"
                time.sleep(0.5)
            time.sleep(5)  # they send on, and blocks end
            found = rss_bytes([process.pid])
            assert found is not None, "Locust ended"
            return found
        finally:
            process.terminate()
            process.wait(timeout=60)


def _open_connections(url: str) -> int:
    """As the target counts them."""
    with urllib.request.urlopen(f"{url}.loadgen/stats") as response:
        return int(json.load(response)["open"])


def cpu(bench: Bench) -> None:
    """All in turns, so that what else the machine does meets them alike.

    On the embedded target: nginx on one core answers no more than wrk gets from it, which is what SwarmUser is near.
    """
    with embedded_target() as target:
        ways = {user: partial(measure, user, target.url, bench.folder) for user in _CLASSES}
        found = in_turns(ways, bench.turns)
    print(
        f"Locust on one core, {USERS} users, turns: {bench.turns}, medians [quartiles]. Requests are counted by Locust."
    )
    print("\n| user | req/s | CPU µs a request | of its core | FastHttpUser's CPU ÷ this one's | bar (stretch) |")
    print("|---|---|---|---|---|---|")
    for user, costs in found.items():
        rate, cpu, share = (spread([cost[index] for cost in costs]) for index in range(3))
        times = ratios([cost.cpu_us for cost in found["FastHttpUser"]], [cost.cpu_us for cost in costs])
        ratio, bar = times.text(1, " ×"), against_bar(times.median, *_BARS[user]) if user in _BARS else ""
        print(f"| {user} | {rate.text(0)} | {cpu.text()} | {share.median:.0%} | {ratio} | {bar} |", flush=True)
