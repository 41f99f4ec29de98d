"""A Locust master with many workers: counts against the target's, when workers begin, and the master's memory."""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from loadgen.model.plan import Plan
from loadgen.model.units import format_duration
from loadgen.swarm.run import LocustRun, RunOptions
from loadgen.swarm.run_folder import RunFolder
from tests.bench.case import Bench
from tests.bench.tab import POLICIES, reports_of_rounds
from tests.support.fake_swarm import FakeChannel
from tests.support.locusts import command, counts, running, summary
from tests.support.processes import free_port
from tests.support.synthetic import ENVIRONMENT, plan_json
from tests.support.targets import Targets

WORKERS, MEMORY = "workers", "memory"
PARTS = (WORKERS, MEMORY)
NUMBER = 20
_SECONDS = 20
_USERS = 2 * NUMBER
_HOUR_ROUNDS = 900
"""Two blocks of 2 s each."""
_MINUTES = (5, 15, 30, 45, 60)


def scale(bench: Bench) -> None:
    if bench.wants(WORKERS):
        _workers(bench)
    if bench.wants(MEMORY):
        subprocess.run([sys.executable, "-m", "tests.bench.scale"], check=True, timeout=900)


def _workers(bench: Bench) -> None:
    """A run of many workers on this machine; each user pauses, so that its processors are not the limit."""
    print(f"{NUMBER} workers, {_USERS} users with pauses of 20 ms, {_SECONDS} s, blocks of 1 s; runs: {bench.turns}\n")
    print("| rounds | requests, target's less ours | connections, the same | begin apart, median | most | over 50 ms |")
    print("|---:|---:|---:|---:|---:|---:|")
    for turn in range(bench.turns):
        folder = bench.folder / f"scale-{turn}"
        targets = Targets(bench.folder / f"target-{turn}")
        try:
            (bench.folder / f"target-{turn}").mkdir()
            target = targets.start()
            found = _run(folder, target.url)
            account = target.stats()
        finally:
            targets.close()
        starts, (requests, connections) = found["block_starts"], counts(found)
        assert starts["workers"] == NUMBER
        print(
            f"| {len({block['round'] for block in found['blocks']})} | {account['requests'] - requests} of "
            f"{account['requests']:,} | {account['accepted'] - connections} of {account['accepted']:,} | "
            f"{format_duration(starts['spread_p50_ns'])} | {format_duration(starts['spread_max_ns'])} | "
            f"{starts['uneven_blocks']} of {starts['blocks']} |",
            flush=True,
        )


def _run(folder: Path, url: str) -> dict[str, Any]:
    """The summary of a run to its end."""
    port = free_port()
    line = command(
        "compare.py", "--headless", "--master", "--expect-workers", str(NUMBER), "--master-bind-host", "127.0.0.1",
        "--master-bind-port", str(port), "-u", str(_USERS), "-r", str(_USERS), "-t", f"{_SECONDS}s", "-H", url,
        "--think", "20ms", "--block", "1s", "--only-summary",
    )  # fmt: skip
    worker = command("compare.py", "--worker", "--master-host", "127.0.0.1", "--master-port", str(port))
    with ExitStack() as stack:
        process = stack.enter_context(running(folder, *line))
        for _ in range(NUMBER):
            stack.enter_context(running(folder, *worker))
        out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return summary(folder)


def _memory(folder: Path) -> None:
    """The block reports of an hour, from many workers, as the master takes them in."""
    plan = plan_json(rounds=_HOUR_ROUNDS)
    reports = list(reports_of_rounds(folder / "run", plan))
    workers = [f"worker {number}" for number in range(NUMBER)]
    run = LocustRun(
        Plan.from_json(plan), RunOptions({"Users": POLICIES}, is_watched=True), RunFolder.create(folder, "r"),
        FakeChannel(*workers),
    )  # fmt: skip
    run.begin()
    print(f"\nreports of {NUMBER} workers, {_HOUR_ROUNDS} rounds of two blocks, replayed into the master's run:\n")
    print("| minutes | reports | memory of the process |\n|---:|---:|---:|")
    for number in range(_HOUR_ROUNDS):
        run.coordinator.round = number
        for place, report in enumerate(reports[number % len(reports)]):
            for worker in workers:
                sent = copy.deepcopy(report) | {"user_class": "Users"}
                sent["block"] |= {"index": 2 * number + place, "round": number}
                run.take_reports(worker, [sent])
        minutes = 60 * (number + 1) / _HOUR_ROUNDS
        if minutes in _MINUTES:
            assert run.live.blocks == 2 * (number + 1)
            assert run.live.summary("run", plan | {"rounds": number + 1}, ENVIRONMENT, []) is not None
            print(f"| {minutes:.0f} | {2 * NUMBER * (number + 1):,} | {_resident_mb():.0f} MB |", flush=True)


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1e3


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        _memory(Path(temporary))
