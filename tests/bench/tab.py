"""What Locust's tab costs the process that makes the load: an update in a run of any length, its share of the time."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from loadgen.measure.live.live import Live
from tests.bench.case import Bench
from tests.bench.machine import embedded_target
from tests.support.block_reporter import Reporter
from tests.support.browser import locust_web_ui
from tests.support.synthetic import ENVIRONMENT, US, Exchange, Link, cell_names, plan_json

POLICIES = ("persistent", "close")
ROUNDS = (10, 50, 100, 200, 400, 800, 1_200, 1_600, 2_000)
_DIFFERENT = 8
_REQUESTS = 1_000
REPLAY, HUB = "replay", "hub"
PARTS = (REPLAY, HUB)
_SECONDS = 40
_LOCUSTFILE = Path(__file__).with_name("tab_locustfile.py")
_ASSETS = (
    "tab.js", "figures.js", "numbers.js", "polling.js", "charts.js", "audit.js", "edit_form.js", "theme.js",
    "form_fields.js", "field_groups.js",
    "style.css", "colours.css", "plots.js", "d3.min.js", "plot.umd.min.js",
)  # fmt: skip
_OWN = ("figures", "answers", "reports")


def tab(bench: Bench) -> None:
    if bench.wants(REPLAY):
        _replay(bench)
    if bench.wants(HUB):
        _hub(bench)


def _hub(bench: Bench) -> None:
    """Locust at full load with the tab open: the hub's CPU time for it, as a share of the test's time."""
    print(f"\nthe tab open for {_SECONDS} s of full load, 50 users, blocks of 500 ms; shares of the hub's time:\n")
    print("| figures and charts | answers to the page | block reports | together |\n|---:|---:|---:|---:|")
    with embedded_target() as target:
        for turn in range(bench.turns):
            spent = _with_the_tab_open(target.url, bench.folder / f"tab-{turn}")
            shares = [spent.get(what, 0.0) / spent["test"] for what in _OWN]
            print(f"| {' | '.join(f'{share:.2%}' for share in (*shares, sum(shares)))} |", flush=True)


def _with_the_tab_open(url: str, folder: Path) -> dict[str, float]:
    """One run in Locust's web UI, asked for as the tab does; the seconds that it spent, by what for."""
    folder.mkdir()
    account = folder / "spent.json"
    options = ("--block", "500ms", "-H", url, "--results", str(folder))
    with locust_web_ui(_LOCUSTFILE, *options, folder=folder, LOADGEN_BENCH_TAB=str(account)) as ui:
        ui.post("swarm", f"user_count=50&spawn_rate=1000&host={url}")
        for asset in _ASSETS:
            ui.get(f"loadgen/static/{asset}")
        begun_s, version = time.monotonic(), -1
        while time.monotonic() - begun_s < _SECONDS:
            live = json.loads(ui.get("loadgen/live").body)
            if live["plots_version"] != version:
                ui.get("loadgen/plots")
                version = live["plots_version"]
            time.sleep(1)
        ui.post("stop")
    found: dict[str, float] = json.loads(account.read_text(encoding="ascii"))
    return found


def _replay(bench: Bench) -> None:
    """Block reports of a long run, replayed: how long it takes to take one in, and to bring the tab up to date."""
    plan, live = plan_json(rounds=max(ROUNDS)), Live(POLICIES)
    reports = list(reports_of_rounds(bench.folder / "run", plan))
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


def reports_of_rounds(folder: Path, plan: Any) -> Iterator[list[Any]]:
    """Of some rounds, a report for each policy; latencies are lognormal."""
    chance, reporter = random.Random(1), Reporter(folder, plan)
    assert cell_names(plan) == POLICIES

    def exchange(at: int, wait_us: int) -> Exchange:
        return Exchange(at * 10 * US, wait=int(wait_us * US * chance.lognormvariate(0, 0.3)))

    for number in range(_DIFFERENT):
        persistent = [Link([exchange(at, 100) for at in range(_REQUESTS)]) for _ in range(2)]
        close = [Link([exchange(at, 200)]) for at in range(_REQUESTS)]
        yield [reporter.block(name, number, made)[0] for name, made in zip(POLICIES, (persistent, close), strict=True)]
