"""What Locust's tab costs the process that makes the load: the live summary of a run of any length."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from loadgen.measure.live.live import Live
from tests.bench.case import Bench
from tests.support.synthetic import ENVIRONMENT, US, Exchange, Link, cell_names, plan_json
from tests.unit.measure.live.test_live import Reporter

POLICIES = ("persistent", "close")
ROUNDS = (10, 50, 100, 200, 400, 800, 1_200, 1_600, 2_000)
_DIFFERENT = 8
_REQUESTS = 1_000


def tab(bench: Bench) -> None:
    """Block reports of a long run, replayed: how long it takes to take one in, and to bring the tab up to date."""
    plan, live = plan_json(rounds=max(ROUNDS)), Live(POLICIES)
    reports = list(_reports(bench.folder / "run", plan))
    print("| rounds | one update, median | one report, mean |\n|---:|---:|---:|")
    begun, taken = 0.0, 0
    for number in range(max(ROUNDS)):
        for place, report in enumerate(reports[number % _DIFFERENT]):
            sent = copy.deepcopy(report)
            sent["block"] |= {"index": 2 * number + place, "round": number}
            started = time.process_time()
            live.take("worker", "Users", sent)
            begun, taken = begun + time.process_time() - started, taken + 1
        if number + 1 in ROUNDS:
            updates = []
            for _ in range(bench.turns):
                started = time.process_time()
                assert live.summary("run", plan | {"rounds": number + 1}, ENVIRONMENT, []) is not None
                updates.append(1e3 * (time.process_time() - started))
            print(f"| {number + 1:,} | {median(updates):.0f} ms | {1e3 * begun / taken:.2f} ms |", flush=True)


def _reports(folder: Path, plan: Any) -> Iterator[list[Any]]:
    """Of some rounds, a report for each policy; latencies are lognormal."""
    chance, reporter = random.Random(1), Reporter(folder, plan)
    assert cell_names(plan) == POLICIES

    def exchange(at: int, wait_us: int) -> Exchange:
        return Exchange(at * 10 * US, wait=int(wait_us * US * chance.lognormvariate(0, 0.3)))

    for number in range(_DIFFERENT):
        persistent = [Link([exchange(at, 100) for at in range(_REQUESTS)]) for _ in range(2)]
        close = [Link([exchange(at, 200)]) for at in range(_REQUESTS)]
        yield [reporter.block(name, number, made)[0] for name, made in zip(POLICIES, (persistent, close), strict=True)]
