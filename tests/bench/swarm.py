"""What Locust's users send on one core: its own fast client, our client in a Python scenario, and the bare engine."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.machine import Server, embedded_target, run_pinned

TURNS = 3
SECONDS = 8
_LOCUSTFILE = str(Path(__file__).with_name("locustfile.py"))
# User class of the locustfile -> how it is called, and how many times FastHttpUser's rate it must reach.
_USERS = {"Fast": ("FastHttpUser", 1.0), "Reuse": ("ReuseUser", 1.5), "Swarm": ("SwarmUser", 8.0)}


def measure(user: str, url: str, folder: Path) -> tuple[float, float]:
    """Requests per second and per second of CPU of one headless run with 50 users, by Locust's own statistics."""
    name = f"{time.time_ns()}"
    cpu_file = folder / f"{name}.cpu"
    os.environ["LOADGEN_BENCH_CPU"] = str(cpu_file)
    command = [sys.executable, "-m", "locust", "-f", _LOCUSTFILE, user, "--headless", "--json", "--only-summary"]
    command += ["-u", "50", "-r", "1000", "-t", f"{SECONDS}s", "-H", url.removesuffix("/")]
    command += ["--results", str(folder), "--run-name", name]
    (entry,) = json.loads(run_pinned(command))
    assert entry["num_failures"] == 0
    per_second = {int(second): count for second, count in entry["num_reqs_per_sec"].items()}
    # The first and the last second are not whole; one without any request counts like every other.
    inner = range(min(per_second) + 1, max(per_second))
    rate_rps = sum(per_second.get(second, 0) for second in inner) / len(inner)
    return rate_rps, entry["num_requests"] / float(cpu_file.read_text(encoding="ascii"))


def swarm(_server: Server, folder: Path) -> None:
    """The three in turns, so that what else the machine does meets them alike.

    On the embedded target: nginx on one core answers no more than wrk gets from it, which is what SwarmUser is near.
    """
    found: dict[str, list[tuple[float, float]]] = {user: [] for user in _USERS}
    with embedded_target() as url:
        for _ in range(TURNS):
            for user, figures in found.items():
                figures.append(measure(user, url, folder))

    def against_fast(user: str, figure: Callable[[tuple[float, float]], float]) -> float:
        pairs = zip(found[user], found["Fast"], strict=True)
        return median(figure(ours) / figure(fast) for ours, fast in pairs)

    print("\n| Locust user | req/s | against FastHttpUser | requests per second of CPU, against it | bar |")
    print("|---|---|---|---|---|")
    for user, (name, bar) in _USERS.items():
        rate_rps = median(rate for rate, _ in found[user])
        by_time, by_cpu = (against_fast(user, lambda pair, at=at: pair[at]) for at in (0, 1))
        print(f"| {name} | {rate_rps:,.0f} | {by_time:.1f} × | {by_cpu:.1f} × | {bar:g} × |", flush=True)
