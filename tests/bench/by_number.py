"""What it costs that a run ends by a number of requests and not by time: CPU time of a request, in turns."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

from tests.bench.case import Bench
from tests.bench.machine import loadgen
from tests.bench.turns import in_turns, ratios, spread

MAX_EXTRA = 1.02
POLICIES = ("persistent", "close")
_LOAD = ("--users", "50", "--rounds", "2", "--warmup", "200ms", "--no-charts", "--json")


def by_number(bench: Bench) -> None:
    """As many requests as a run by time has, asked for with `--requests`."""
    for policy in filter(bench.wants, POLICIES):
        by_time = ("--block", "1s")
        requests = _policy(bench, policy, *by_time)["started"]
        ways = {"time": by_time, "number": ("--requests", f"{requests}")}
        found = in_turns({way: partial(_cpu_us, bench, policy, *length) for way, length in ways.items()}, bench.turns)
        texts = [f"{spread(found[way]).text(1, ' µs')} of CPU a request by {way}" for way in ways]
        ratio = ratios(found["number"], found["time"]).text(2)
        print(f"{policy}, {requests:,} requests: {', '.join(texts)}: {ratio} × (bar {MAX_EXTRA} ×)", flush=True)


def _cpu_us(bench: Bench, policy: str, *length: str) -> float:
    return float(_policy(bench, policy, *length)["generator"]["cpu_ns_per_request"]) / 1e3


def _policy(bench: Bench, policy: str, *length: str) -> dict[str, Any]:
    """The policy's part of the summary of a run of this length."""
    out = str(bench.folder / f"{time.time_ns()}")
    run = json.loads(loadgen("compare", bench.server.hello, "--policies", policy, *_LOAD, "--out", out, *length))
    one: dict[str, Any] = run["policies"][policy]
    return one
