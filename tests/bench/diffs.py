"""Run against run: how many diffs of two like runs claim a change, and whether 1 ms more of service time is found.

Each run is a command of its own against an embedded target of its own, so that whatever makes whole runs differ is in
it. The two runs of a pair follow each other, as a run before and after a change would. Beside it both targets in turns
in one run, where what makes whole runs differ is the same for both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from loadgen.cli.diff import diff_folders, read_run
from loadgen.measure.diff.diff_verdict import any_change
from loadgen.measure.diff.measured_run import MeasuredRun
from loadgen.measure.diff.run_diff import diff_runs
from loadgen.model.diff_record import Change, DiffRecord
from loadgen.model.units import NS_PER_MS
from loadgen.show.formatting import estimate
from tests.bench.aa import is_too_many
from tests.bench.case import Bench
from tests.bench.machine import embedded_target, loadgen

LIKE, ADDED, IN_TURNS = "like", "added", "in_turns"
_LOAD = "--users 5 --think 5ms --rounds 10 --block 300ms --no-charts --quiet"
_ADDED_PAIRS = 5
_SEVERAL = 5


def diffs(bench: Bench) -> None:
    """turns: pairs of like runs."""
    if bench.wants(LIKE):
        _like(bench)
    if bench.wants(ADDED):
        pairs = [_added(bench, number) for number in range(1, _ADDED_PAIRS + 1)]
        for statistic in ("mean", "p50"):
            changes = [one for diff in pairs for one in _changes(diff, statistic).values()]
            found = [_Found(one["delta"] or 0, one["delta_ci95"], one["is_certain"]) for one in changes]
            _say_found(f"1 ms more of {statistic}", found)
    if bench.wants(IN_TURNS):
        _say_found(
            "1 ms more of mean, both targets in turns",
            [one for number in range(1, _ADDED_PAIRS + 1) for one in _in_turns(bench, number)],
        )


class _Found(NamedTuple):
    """What was said of 1 ms more."""

    delta_ns: float
    interval_ns: Sequence[float] | None
    is_certain: bool

    @property
    def holds_ms(self) -> bool:
        return self.interval_ns is not None and self.interval_ns[0] <= NS_PER_MS <= self.interval_ns[1]


def _say_found(what: str, found: list[_Found]) -> None:
    told = sum(one.holds_ms and one.is_certain for one in found)
    print(
        f"\n{what}: within the interval in {sum(one.holds_ms for one in found)} of {len(found)}, certain in "
        f"{sum(one.is_certain for one in found)}, both in {told}; processes that wanted a processor, on average of the "
        f"last minute: {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _in_turns(bench: Bench, number: int) -> list[_Found]:
    """Each policy's difference between a target and one that takes 1 ms longer, in one run."""
    folder = bench.folder / f"turns-{number}"
    with embedded_target("--delay", "0s") as old, embedded_target("--delay", "1ms") as new:
        loadgen("compare", old.url, new.url, *_LOAD.split(), "--out", str(folder))
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    target = {name: one["target"] for name, one in summary["policies"].items()}
    between = [one for one in summary["comparisons"] if target[one["baseline"]] != target[one["candidate"]]]
    found = [_Found(one["latency_mean_delta_ns"], one["latency_mean_delta_ci95"], one["is_certain"]) for one in between]
    texts = [
        f"{one['candidate']} {estimate(f.delta_ns, f.interval_ns, sign=True)}"
        for one, f in zip(between, found, strict=True)
    ]
    print(f"- {number}: {', '.join(texts)}", flush=True)
    return found


def _like(bench: Bench) -> None:
    """Each pair of runs that follow each other; then each run with each later one, and after five earlier ones."""
    runs = []
    for number in range(2 * bench.turns):
        folder = bench.folder / f"like-{number}"
        loadgen("compare", *_LOAD.split(), "--out", str(folder))
        runs.append(read_run(folder))
        if number % 2:
            diff = diff_runs(runs[-2:-1], runs[-1])
            claim = "a change" if any_change(diff) else "none"
            print(f"- {len(runs) // 2}: {claim}: {_texts(diff, 'mean')}, machine {_moved(diff)}", flush=True)
    followed = [any_change(diff_runs(runs[at : at + 1], runs[at + 1])) for at in range(0, len(runs), 2)]
    verdict = "too many" if is_too_many(sum(followed), bench.turns) else "as promised"
    print(f"\n{sum(followed)} of {bench.turns} pairs of like runs claim a change: {verdict}", flush=True)
    every = [any_change(diff_runs([old], new)) for old, new in combinations(runs, 2)]
    print(f"each run with each later one: {sum(every)} of {len(every)}", flush=True)
    bare = [_without_control(run) for run in runs]
    every = [any_change(diff_runs([old], new)) for old, new in combinations(bare, 2)]
    print(f"the same without the negative control: {sum(every)} of {len(every)}", flush=True)
    after = [any_change(diff_runs(runs[at - _SEVERAL : at], runs[at])) for at in range(_SEVERAL, len(runs))]
    print(f"each run after {_SEVERAL} earlier ones: {sum(after)} of {len(after)}\n", flush=True)


def _without_control(run: MeasuredRun) -> MeasuredRun:
    return replace(run, policies={name: replace(one, own_mean_ns=None) for name, one in run.policies.items()})


def _added(bench: Bench, number: int) -> DiffRecord:
    folders = []
    for delay in ("0s", "1ms"):
        folder = bench.folder / f"added-{number}-{delay}"
        with embedded_target("--delay", delay) as target:
            loadgen("compare", target.url, *_LOAD.split(), "--out", str(folder))
        folders.append(folder)
    diff = diff_folders(folders[:1], folders[1], forced=False)
    print(f"- {number}: mean {_texts(diff, 'mean')}; p50 {_texts(diff, 'p50')}; machine {_moved(diff)}", flush=True)
    return diff


def _changes(diff: DiffRecord, statistic: str) -> dict[str, Change]:
    latency = {name: one["latency_ns"] for name, one in diff["policies"].items()}
    return {name: one["mean"] if statistic == "mean" else one["p50"] for name, one in latency.items()}


def _texts(diff: DiffRecord, statistic: str) -> str:
    found = _changes(diff, statistic)
    return ", ".join(f"{name} {estimate(one['delta'], one['delta_ci95'], sign=True)}" for name, one in found.items())


def _moved(diff: DiffRecord) -> str:
    return f"±{diff['machine']['moved']:.0%}" if diff["machine"] else "not known"
