"""Earlier runs and a new one to a diff: each statistic of each policy, what changed for certain, and the verdict.

Half of the error rate of 5 % is for the headlines, the means and how policies compare; the other half for all other
statistics. Each half is a family of tests (`stats/holm.py`), so of 20 diffs between like runs one calls anything
changed. Reads no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from loadgen.measure.diff.compared_statistics import (
    LATENCY,
    PHASES,
    SHARES,
    ComparedStatistic,
    Estimates,
    happened,
    mean_ratio_estimates,
)
from loadgen.measure.diff.diff_verdict import all_changes, diff_verdict, other_changes
from loadgen.measure.diff.likeness import unlike
from loadgen.measure.diff.machine_control import busy_share, machine_control, moved_apart
from loadgen.measure.diff.measured_run import MeasuredRun, PolicyRounds
from loadgen.measure.stats.comparison import is_uncertain, pairs
from loadgen.measure.stats.holm import holm
from loadgen.measure.stats.jackknife import factors
from loadgen.measure.stats.unpaired import shift
from loadgen.model.diff_record import (
    DIFF_SCHEMA,
    Change,
    ComparisonChange,
    DiffedRun,
    DiffRecord,
    PolicyChanges,
)

_ERROR_RATE = 0.05
_HEADLINES = 0.5
"""Their share of the error rate."""


def diff_runs(old: Sequence[MeasuredRun], new: MeasuredRun) -> DiffRecord:
    """What changed from the old runs, of which there is at least one, to the new one."""
    runs = (*old, new)
    names = [name for name in new.policies if all(_answers(run, name) for run in runs)]
    machine = machine_control(names, old[0], new) if len(old) == 1 else None
    moved = 0.0 if machine is None else machine["moved"]
    policies = {name: _policy(name, old, new, moved) for name in names}
    comparisons = list(_comparisons(names, old, new))
    _call_certain(policies, comparisons)
    every = dict.fromkeys(name for run in runs for name in run.policies)
    found: DiffRecord = {
        "schema": DIFF_SCHEMA,
        "old": [_named(run) for run in old],
        "new": _named(new),
        "unlike": unlike(old[-1].record, new.record),
        "spread": "rounds" if len(old) == 1 else "runs",
        "machine": machine,
        "certain_changes": 0,
        "verdict": [],
        "policies": policies,
        "left_out": [name for name in every if name not in policies],
        "comparisons": comparisons,
    }
    found["certain_changes"] = sum(one["is_certain"] for one in all_changes(found))
    found["verdict"] = diff_verdict(found)
    return found


def _answers(run: MeasuredRun, name: str) -> bool:
    return name in run.policies and run.policies[name].is_answered


def _named(run: MeasuredRun) -> DiffedRun:
    return {"run": run.record["name"], "path": run.path, "started": str(run.record["environment"].get("started", ""))}


def _policy(name: str, old: Sequence[MeasuredRun], new: MeasuredRun, moved: float) -> PolicyChanges:
    before, after = [run.policies[name] for run in old], new.policies[name]

    def changed(statistic: ComparedStatistic) -> Change:
        estimates = [
            statistic.estimates(run.policies[name], run.plan.until_precision is not None) for run in (*old, new)
        ]
        control = moved if statistic.is_of_time else 0.0
        if statistic is SHARES["throughput_rps"]:
            control *= busy_share(name, (*old, new))
        return _change(estimates, statistic.varies_by_factors, statistic.is_whole, control)

    return {
        "old_rounds": sum(_rounds(one) for one in before),
        "new_rounds": _rounds(after),
        "latency_ns": {
            "mean": changed(LATENCY["mean"]),
            "p50": changed(LATENCY["p50"]),
            "p99": changed(LATENCY["p99"]),
        },
        "throughput_rps": changed(SHARES["throughput_rps"]),
        "reuse_ratio": changed(SHARES["reuse_ratio"]),
        "error_ratio": changed(SHARES["error_ratio"]),
        "phases_ns": {
            phase: changed(statistic) for phase, statistic in PHASES.items() if happened(phase, (*before, after))
        },
    }


def _rounds(policy: PolicyRounds) -> int:
    return int((policy.measured.requests > 0).sum())


def _comparisons(names: list[str], old: Sequence[MeasuredRun], new: MeasuredRun) -> Iterator[ComparisonChange]:
    cells = tuple(cell for cell in new.plan.cells if cell.name in names)
    for baseline, candidate in pairs(cells, bool(new.plan.axes)):
        found = [
            mean_ratio_estimates(run.policies[baseline], run.policies[candidate], run.plan.until_precision is not None)
            for run in (*old, new)
        ]
        estimates = [one for one in found if one is not None]
        if len(estimates) == len(found):
            moved = moved_apart(baseline, candidate, old[0], new) if len(old) == 1 else 0.0
            change = _change(estimates, by_factors=True, whole=False, moved=moved)
            yield {"baseline": baseline, "candidate": candidate, "latency_mean_ratio": change}


def _change(estimates: list[Estimates], by_factors: bool, whole: bool, moved: float) -> Change:
    """estimates: of the old runs, then of the new one. moved: by how much a control did, as a logarithm."""
    *old, new = estimates
    size = max(abs(one.plain.value) for one in estimates)
    plain = shift([one.plain for one in old], new.plain).with_control(moved * size)
    logarithms = [one.logarithm for one in estimates if one.logarithm is not None]
    by_ratio = None
    if by_factors and len(logarithms) == len(estimates):
        by_ratio = shift(logarithms[:-1], logarithms[-1]).with_control(moved)
    before, after = new.plain.value - plain.delta, new.plain.value
    ratio = math.exp(by_ratio.delta) if by_ratio else after / before if before else None
    return {
        "old": _number(before, whole),
        "new": _number(after, whole),
        "delta": _number(plain.delta, whole),
        "delta_ci95": _bounds(plain.interval(), whole),
        "ratio": None if ratio is None else _number(ratio, False),
        "ratio_ci95": factors(by_ratio.interval()) if by_ratio else None,
        "p_value": _number(by_ratio.p_value() if by_ratio else plain.p_value(), False),
        "is_certain": False,
    }


def _number(value: float | None, whole: bool) -> float | None:
    """None where it is no number; whole where its unit is ns."""
    if value is None or not math.isfinite(value):
        return None
    return round(value) if whole else float(value)


def _bounds(interval: tuple[float, float] | None, whole: bool) -> list[float] | None:
    if interval is None:
        return None
    bounds = [bound for one in interval if (bound := _number(one, whole)) is not None]
    return bounds if len(bounds) == len(interval) else None


def _call_certain(policies: dict[str, PolicyChanges], comparisons: list[ComparisonChange]) -> None:
    """Mark what changed. A change whose interval holds 0 all the same is not certain."""
    headlines = [one["latency_ns"]["mean"] for one in policies.values()]
    headlines += [one["latency_mean_ratio"] for one in comparisons]
    others = [change for one in policies.values() for change in other_changes(one).values()]
    for family, share in ((headlines, _HEADLINES), (others, 1 - _HEADLINES)):
        certain = holm([one["p_value"] for one in family], _ERROR_RATE * share)
        for change, is_certain in zip(family, certain, strict=True):
            interval = change["delta_ci95"]
            change["is_certain"] = is_certain and interval is not None and not is_uncertain(interval)
