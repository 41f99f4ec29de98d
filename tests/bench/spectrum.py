"""What policies, an open loop and a sweep cost the generator itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from loadgen.measure.data.store import RunStore
from tests.bench.case import Bench
from tests.bench.machine import loadgen

ROUNDS = 12


def measure(url: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Run a comparison on the generator's core; its summary."""
    out = str(folder / f"{time.time_ns()}")
    summary: dict[str, Any] = json.loads(loadgen("compare", url, "--json", "--out", out, *arguments))
    return summary


def policies(bench: Bench) -> None:
    """Throughput of policies that do nothing more than `persistent`, in interleaved rounds against it."""
    arguments = ["--rounds", str(ROUNDS), "--block", "1s", "--warmup", "200ms"]
    for names in ("persistent,recycle:inf", "persistent,lifetime:1m,http10-keepalive,ignore-close"):
        for one in measure(bench.server.plain, bench.folder, "--policies", names, *arguments)["comparisons"]:
            low, high = one["throughput_ratio_ci95"]
            print(
                f"{one['candidate']} against persistent: {one['throughput_ratio']:.3f} × [{low:.3f}, {high:.3f}] "
                "of the throughput",
                flush=True,
            )


def open_loop(bench: Bench) -> None:
    """How late arrivals begin, at 20,000 a second on one core."""
    for arrivals in ("constant", "poisson"):
        load = ["--rate", "20000", "--arrivals", arrivals, "--rounds", "3", "--block", "3s", "--warmup", "500ms"]
        one = measure(bench.server.plain, bench.folder, "--policies", "persistent", *load)["policies"]["persistent"]
        due = one["arrivals"]
        print(
            f"open loop, 20,000 {arrivals} arrivals/s: {one['throughput_rps']:,.0f} req/s answered, started late by "
            f"{due['late_p50_ns'] / 1e3:.0f} µs (p50), {due['late_p99_ns'] / 1e3:.0f} µs (p99); "
            f"{due['unstarted']:,} of {due['due']:,} not started; {one['generator']['cpu_share']:.0%} of the core",
            flush=True,
        )


def sweep(bench: Bench) -> None:
    """Which share of a sweep's time its blocks take, warm-up included."""
    grid = [
        "--recycle",
        "1,2,5,10,100,inf",
        "--users",
        "1,10",
        "--rounds",
        "3",
        "--block",
        "500ms",
        "--warmup",
        "100ms",
    ]
    out = bench.folder / "sweep"
    begun = time.monotonic()
    summary = json.loads(loadgen("sweep", bench.server.plain, *grid, "--json", "--out", str(out)))
    whole_s = time.monotonic() - begun
    plan = summary["plan"]
    blocks = RunStore.open(out).load_samples(tuple(summary["policies"])).blocks
    in_blocks_s = len(blocks) * plan["block_ns"] / 1e9
    # From the first block's begin to the last one's end.
    ran_s = (blocks[-1]["window_ended_ns"] - blocks[0]["window_begun_ns"] + plan["warmup_ns"]) / 1e9
    print(
        f"sweep of {len(summary['policies'])} cells: {in_blocks_s / ran_s:.1%} of {ran_s:.1f} s in counted blocks or "
        f"their warm-up ({whole_s:.1f} s with start, summary and charts)",
        flush=True,
    )


def pipelining(bench: Bench) -> None:
    """`pipeline:10` against `persistent`, and against wrk's own persistent connections."""
    names = "persistent,pipeline:10"
    (one,) = measure(bench.server.plain, bench.folder, "--policies", names, "--rounds", "4", "--block", "1s")[
        "comparisons"
    ]
    print(f"pipeline:10 against persistent: {one['throughput_ratio']:.2f} × the throughput", flush=True)
