"""Measures what the project promises of its speed and memory, beside its peers, and prints Markdown tables.

Generator and peers take turns on one core, nginx has another; each figure is the median of several turns. Machines are
noisy: only ratios within one run mean anything, and only where the generator is what is measured (tests/bench/cpu.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from loadgen import core
from tests.bench import (
    accounting,
    by_number,
    chain_losses,
    cpu,
    diffs,
    idle_timeout,
    light,
    looks,
    many,
    processes,
    run_times,
    scale,
    socket_file,
    spectrum,
    swarm,
    tab,
    upgrades,
)
from tests.bench.case import Bench, Case, chosen
from tests.bench.machine import GENERATOR_CORE, TARGET_CORE, embedded_target, nginx, run_pinned
from tests.bench.peers import PEERS, command, wrk_rate_rps
from tests.bench.rows import write_run


def target(_bench: Bench) -> None:
    """What the embedded target carries on one core, driven by wrk from another."""
    with embedded_target() as embedded:
        commands = [command("wrk", embedded.url, close, users=50, seconds=3) for close in (False, True)]
        rates = [wrk_rate_rps(run_pinned(one)) for one in commands]
    print(f"embedded target under wrk: {rates[0]:,.0f} req/s persistent, {rates[1]:,.0f} close", flush=True)


def report(bench: Bench) -> None:
    """From samples to summary, charts and report: time and peak memory of one process, below and beyond the limit."""
    print("| requests | rounds | rows | time | peak memory | samples.npz |\n|---:|---:|---:|---:|---:|---:|")
    for samples, rounds in ((3_000_000, 10), (20_000_000, 40), (3_000_000, 5_000)):
        run = bench.folder / f"{samples}-{rounds}"
        write_run(run, samples, rounds)
        rows = sum(path.stat().st_size for path in run.glob("*.rows*"))
        command = [sys.executable, "-m", "loadgen", "report", str(run), "--quiet"]
        begun = time.monotonic()
        process = subprocess.Popen(command)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        kept = (run / "samples.npz").stat().st_size
        print(
            f"| {samples:,} | {rounds:,} | {rows / 1e6:,.0f} MB | {time.monotonic() - begun:.1f} s | "
            f"{used.ru_maxrss / 1e3:,.0f} MB | {kept / 1e6:,.0f} MB |",
            flush=True,
        )
        shutil.rmtree(run)


CASES = {
    "cpu": Case(cpu.cpu, (*cpu.PARTS, *PEERS), turns=8),
    "light": Case(light.light, (light.BARE,), turns=8),
    "many": Case(many.many, turns=8),
    "swarm": Case(swarm.swarm, swarm.PARTS, turns=8),
    "pure": Case(cpu.pure, cpu.PARTS[:-1], turns=8),
    "memory": Case(many.memory),
    "target": Case(target),
    "report": Case(report),
    "looks": Case(looks.looks, (looks.PAUSES, looks.SCREEN), turns=9),
    "tab": Case(tab.tab, tab.PARTS, turns=3),
    "policies": Case(spectrum.policies),
    "open_loop": Case(spectrum.open_loop),
    "pipelining": Case(spectrum.pipelining),
    "sweep": Case(spectrum.sweep),
    "socket_file": Case(socket_file.socket_file, turns=8),
    "processes": Case(processes.processes, turns=5),
    "number": Case(by_number.by_number, by_number.POLICIES, turns=8),
    "upgrades": Case(upgrades.upgrades),
    "chain_losses": Case(chain_losses.chain_losses, turns=2, on_demand=True),
    "idle_timeout": Case(idle_timeout.idle_timeout, turns=1, on_demand=True),
    "accounting": Case(accounting.accounting, on_demand=True),
    "diff": Case(diffs.diffs, (diffs.LIKE, diffs.ADDED, diffs.IN_TURNS), turns=20, on_demand=True),
    "scale": Case(scale.scale, scale.PARTS, turns=3, on_demand=True),
    "run_times": Case(run_times.run_times, run_times.PARTS, turns=10, on_demand=True),
    "checkout": Case(cpu.checkout, cpu.PARTS[:-1], turns=8, on_demand=True),
}


def main(words: list[str]) -> None:
    turns, wanted = chosen(words, CASES)
    print(f"generator on core {GENERATOR_CORE}, target on core {TARGET_CORE}; loadgen's core: {core.running()}")
    for name, parts in wanted:
        print(f"\n## {name}\n", flush=True)
        begun = time.monotonic()
        # A server of its own for each case: what one left behind (sockets, memory) is not the next one's.
        with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as server:
            CASES[name].run(Bench(server, Path(folder), turns or CASES[name].turns, parts))
        print(f"\n{name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
