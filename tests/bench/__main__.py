"""Measures what the project promises of its speed and memory, beside its peers, and prints Markdown tables.

Generator and peers take turns on one core, nginx has another; each figure is the median of several turns. Machines are
noisy: only ratios within one run mean anything.
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

from tests.bench import processes, spectrum, swarm, upgrades
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
_K6_SCRIPT = str(Path(__file__).with_name("k6.js"))
_RATE = {
    "wrk": re.compile(r"Requests/sec:\s+([\d.]+)"),
    "ab": re.compile(r"Requests per second:\s+([\d.]+)"),
    "hey": re.compile(r"Requests/sec:\s+([\d.]+)"),
    "k6": re.compile(r"http_reqs[.:\s]+\d+\s+([\d.]+)/s"),
}


def peer(name: str, url: str, close: bool, users: int = 50) -> list[str]:
    """The peer's command for so many users during SECONDS."""
    k6_options = ["--no-usage-report", "--insecure-skip-tls-verify", "--vus", str(users), "--duration", f"{SECONDS}s"]
    return {
        "k6": ["k6", "run", *k6_options, *(["--no-connection-reuse"] if close else []), "-e", f"URL={url}", _K6_SCRIPT],
        "wrk": ["wrk", "-t1", f"-c{users}", f"-d{SECONDS}s", *(["-H", "Connection: close"] if close else []), url],
        "ab": ["ab", "-q", f"-c{users}", f"-t{SECONDS}", "-n10000000", *([] if close else ["-k"]), url],
        "hey": ["hey", "-c", str(users), "-z", f"{SECONDS}s", *(["-disable-keepalive"] if close else []), url],
    }[name]


def run_loadgen(url: str, policy: str, folder: Path, *more: str, users: int = 50) -> dict[str, Any]:
    """One block of the policy; returns its part of the summary."""
    arguments = ["compare", url, "--policies", policy, "--users", str(users), "--rounds", "1"]
    arguments += ["--block", f"{SECONDS + 1}s", "--warmup", "1s", "--json", "--out", str(folder / f"{time.time_ns()}")]
    summary = json.loads(loadgen(*arguments, *more))
    policies: dict[str, dict[str, Any]] = summary["policies"]
    return policies[policy]


def throughput(server: Server, folder: Path) -> None:
    """Requests per second against each peer's, in the same turns."""
    trust = ("--cacert", server.ca_file)
    cases: tuple[tuple[str, str, str, tuple[str, ...], str, float], ...] = (
        ("persistent HTTP", server.plain, "persistent", (), "wrk", 0.6),
        ("persistent HTTP, every head differs", server.distinct, "persistent", (), "wrk", 0.35),
        ("close HTTP", server.plain, "close", (), "wrk", 0.6),
        ("persistent HTTPS", server.secure, "persistent", trust, "wrk", 0.55),
        ("close HTTPS, full handshakes", server.secure, "close", trust, "ab", 0.6),
    )
    found = [name for name in _RATE if find(name)]
    print(f"| case | loadgen req/s | {' | '.join(f'against {name}' for name in found)} | bar |")
    print("|---|---|" + "---|" * len(found) + "---|")
    for title, url, policy, more, main, bar in cases:
        close = policy == "close"
        ours, theirs = [], {name: [] for name in found}  # type: tuple[list[float], dict[str, list[float]]]
        for _ in range(TURNS):
            ours.append(run_loadgen(url, policy, folder, *more)["throughput_rps"])
            for name in found:
                match = _RATE[name].search(run_pinned(peer(name, url, close)))
                assert match is not None
                theirs[name].append(float(match[1]))
        cells = [
            f"{median(one / other for one, other in zip(ours, theirs[name], strict=True)):.2f} ×" for name in found
        ]
        print(f"| {title} | {median(ours):,.0f} | {' | '.join(cells)} | {main} {bar} × |", flush=True)


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
            found = [_RATE["wrk"].search(text) for text in pair]
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
            match = _RATE["wrk"].search(run_pinned(peer("wrk", url, close)))
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
    "throughput": throughput,
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


def main(names: list[str]) -> None:
    print(
        f"generator on core {GENERATOR_CORE}, target on core {TARGET_CORE}, {TURNS} turns of {SECONDS} s\n", flush=True
    )
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as server:
        for name in names or list(CASES):
            CASES[name](server, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
