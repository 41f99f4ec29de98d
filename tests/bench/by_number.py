"""What it costs that a run ends by a number of requests and not by time: CPU time of a request, in turns."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.bench.case import Bench
from tests.bench.machine import loadgen
from tests.bench.turns import in_turns, ratios, spread

MAX_EXTRA = 1.02
POLICIES = ("persistent", "close")
_LOAD = ("--users", "50", "--rounds", "2", "--warmup", "200ms", "--no-charts", "--json")
_BY_TIME = ("--block", "1s")


def by_number(bench: Bench) -> None:
    """As many requests as the last run by time had, asked for with `--requests`."""
    for policy in filter(bench.wants, POLICIES):
        runs = [_policy(bench, policy, *_BY_TIME)]

        def by_time(policy: str = policy, runs: list[dict[str, Any]] = runs) -> float:
            runs.append(_policy(bench, policy, *_BY_TIME))
            return _cpu_us(runs[-1])

        def as_many(policy: str = policy, runs: list[dict[str, Any]] = runs) -> float:
            return _cpu_us(_policy(bench, policy, "--requests", f"{runs[-1]['started']}"))

        found = in_turns({"time": by_time, "number": as_many}, bench.turns)
        texts = [f"{spread(figures).text(1, ' µs')} of CPU a request by {way}" for way, figures in found.items()]
        ratio = ratios(found["number"], found["time"]).text(2)
        print(f"{policy}: {', '.join(texts)}: {ratio} × (bar {MAX_EXTRA} ×)", flush=True)


def _cpu_us(policy: dict[str, Any]) -> float:
    return float(policy["generator"]["cpu_ns_per_request"]) / 1e3


def _policy(bench: Bench, policy: str, *length: str) -> dict[str, Any]:
    """The policy's part of the summary of a run of this length."""
    out = str(bench.folder / f"{time.time_ns()}")
    run = json.loads(loadgen("compare", bench.server.hello, "--policies", policy, *_LOAD, "--out", out, *length))
    one: dict[str, Any] = run["policies"][policy]
    return one
