"""Whether the summary's CPU time per request is all that a request costs: against the whole command's, by the kernel.

Two runs that differ in length alone differ in requests, and in the CPU time of all their processes. The quotient of the
two differences leaves out start and imports, and has all else: the worker, its parent, and what is made of the samples.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import NamedTuple

from tests.bench.case import Bench
from tests.bench.machine import run_counted

SHORT_S, LONG_S = 2, 8


class Account(NamedTuple):
    """One run: CPU time (s) of all its processes, its requests with the warm-up, and the summary's µs a request."""

    cpu_s: float
    requests: int
    said_us: float


def run_account(bench: Bench, policy: str, seconds: int) -> Account:
    folder = bench.folder / f"{time.time_ns()}"
    load = ["--policies", policy, "--users", "50", "--rounds", "1", "--block", f"{seconds}s", "--warmup", "500ms"]
    command = [sys.executable, "-P", "-m", "loadgen", "compare", bench.server.hello, *load, "--no-charts", "--quiet"]
    done = run_counted([*command, "--out", str(folder)])
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    found = summary["policies"][policy]
    requests = found["connections"]["exchanges_with_warmup"]
    return Account(done.cpu_s, requests, found["generator"]["cpu_ns_per_request"] / 1e3)


def marginal_us(short: Account, long: Account) -> float:
    """CPU time (µs) of each request that the longer run has more."""
    return (long.cpu_s - short.cpu_s) / (long.requests - short.requests) * 1e6


def accounting(bench: Bench) -> None:
    """Both figures for persistent connections and for `close`."""
    print("| policy | CPU µs a request, by the summary | by the kernel, all processes |")
    print("|---|---|---|")
    for policy in ("persistent", "close"):
        pairs = [[run_account(bench, policy, seconds) for seconds in (SHORT_S, LONG_S)] for _ in range(bench.turns)]
        said_us = median(long.said_us for _, long in pairs)
        whole_us = median(marginal_us(short, long) for short, long in pairs)
        print(f"| {policy} | {said_us:.1f} | {whole_us:.1f} |", flush=True)
