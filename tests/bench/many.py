"""Many connections: throughput with 5,000 users against 50, and memory with 10,000."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any, NamedTuple

from tests.bench.case import Bench
from tests.bench.machine import find, loadgen, run_pinned
from tests.bench.peers import command, wrk_rate_rps
from tests.bench.turns import against_bar, in_turns, ratios, spread

FEW, MANY = 50, 5_000
_SECONDS = 3
_BAR, _STRETCH = 0.8, 0.95


class Rate(NamedTuple):
    """What one turn reached; cpu_us is absent (0) for wrk."""

    rps: float
    cpu_us: float = 0


def run_block(bench: Bench, users: int, warmup_s: int) -> dict[str, Any]:
    """One persistent block's part of the summary.

    Raises AssertionError where a request failed, or where a connection was opened in the counted window.
    """
    load = ["--policies", "persistent", "--users", str(users), "--rounds", "1", "--no-charts", "--json"]
    times = ["--block", f"{warmup_s + _SECONDS}s", "--warmup", f"{warmup_s}s"]
    out = ["--out", str(bench.folder / f"{time.time_ns()}")]
    summary = json.loads(loadgen("compare", bench.server.hello, *load, *times, *out))
    policy: dict[str, Any] = summary["policies"]["persistent"]
    assert not policy["errors"], policy["errors"]
    assert policy["connections"]["opened"] == users, policy["connections"]
    assert policy["phases_ns"]["connect"]["count"] == 0, "connections were opened in the counted window"
    return policy


def our_rate(bench: Bench, users: int) -> Rate:
    policy = run_block(bench, users, warmup_s=2)
    return Rate(policy["throughput_rps"], policy["generator"]["cpu_ns_per_request"] / 1e3)


def wrk_rate(bench: Bench, users: int) -> Rate:
    return Rate(wrk_rate_rps(run_pinned(command("wrk", bench.server.hello, False, users, _SECONDS))))


def many(bench: Bench) -> None:
    """Throughput kept at 5,000 users; all of our connections are opened before the counted window."""
    ways = {f"loadgen {users}": partial(our_rate, bench, users) for users in (FEW, MANY)}
    if find("wrk"):
        ways |= {f"wrk {users}": partial(wrk_rate, bench, users) for users in (FEW, MANY)}
    found = in_turns(ways, bench.turns)
    print(
        f"{MANY:,} users against {FEW}, turns: {bench.turns}, medians [quartiles]. "
        "All of ours are open before the window; wrk counts its opening too."
    )
    print(
        f"\n| generator | req/s, {FEW} | req/s, {MANY:,} | throughput kept | bar (stretch) | "
        f"CPU a request, {FEW} and {MANY:,} |"
    )
    print("|---|---|---|---|---|---|")
    for name in ("loadgen", "wrk"):
        if f"{name} {FEW}" in found:
            few, lots = found[f"{name} {FEW}"], found[f"{name} {MANY}"]
            rates = [[turn.rps for turn in turns] for turns in (few, lots)]
            kept = ratios(rates[1], rates[0])
            bar, cpu = "", ""
            if name == "loadgen":
                bar = against_bar(kept.median, _BAR, _STRETCH)
                cpu = ", ".join(f"{spread([turn.cpu_us for turn in turns]).text()} µs" for turns in (few, lots))
            texts = [spread(figures).text(0) for figures in rates]
            print(f"| {' | '.join([name, *texts, kept.text(2, ' ×'), bar, cpu])} |", flush=True)


def memory(bench: Bench) -> None:
    """Memory of the worker with 10,000 open connections."""
    policy = run_block(bench, 10_000, warmup_s=3)
    print(f"10,000 connections: {policy['generator']['rss_bytes'] / 1e6:.0f} MB resident", flush=True)
