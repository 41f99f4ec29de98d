"""The answer of a diff in words, one line for each policy and each comparison. Computes no statistic."""

from __future__ import annotations

import math
from collections.abc import Iterator

from loadgen.model.diff_record import Change, ComparisonChange, DiffRecord, MachineControl, PolicyChanges
from loadgen.model.units import format_duration, format_estimate, format_number

ONE_RUN_EACH = (
    "one run each: what makes whole runs differ, such as another process or a busier neighbour, is in no interval; "
    "several earlier runs, or both targets in turns in one run, show it"
)

_NOTABLE_MOVE = 0.1
"""Of the control: a tenth of any duration."""


def diff_verdict(diff: DiffRecord) -> list[str]:
    """The lines, those of the policies first."""
    lines = [f"{name}: {policy_sentence(one)}" for name, one in diff["policies"].items()]
    lines += [f"{one['candidate']} / {one['baseline']}: {_comparison(one)}" for one in diff["comparisons"]]
    lines += [f"{name}: not answered in each of the runs" for name in diff["left_out"]]
    machine = diff["machine"]
    if machine is not None and machine["moved"] > _NOTABLE_MOVE:
        lines.append(_machine_line(machine))
    if any_change(diff) and diff["spread"] == "rounds":
        lines.append(ONE_RUN_EACH)
    return lines


def _machine_line(machine: MachineControl) -> str:
    moved = f"{math.expm1(machine['moved']):.0%}"
    return f"the machine itself changed: the generator's own work per request moved by {moved}; intervals allow for it"


def any_change(diff: DiffRecord) -> bool:
    """Something changed for certain."""
    return any(one["is_certain"] for one in all_changes(diff))


def all_changes(diff: DiffRecord) -> Iterator[Change]:
    """Of all policies and comparisons."""
    for policy in diff["policies"].values():
        yield policy["latency_ns"]["mean"]
        yield from other_changes(policy).values()
    for one in diff["comparisons"]:
        yield one["latency_mean_ratio"]


def other_changes(policy: PolicyChanges) -> dict[str, Change]:
    """All statistics of a policy but its mean latency, by name."""
    return {
        "p50": policy["latency_ns"]["p50"],
        "p99": policy["latency_ns"]["p99"],
        "throughput": policy["throughput_rps"],
        "reuse ratio": policy["reuse_ratio"],
        "error ratio": policy["error_ratio"],
        **policy["phases_ns"],
    }


def policy_sentence(policy: PolicyChanges) -> str:
    """What changed under one policy, without its name."""
    mean = policy["latency_ns"]["mean"]
    others = [name for name, one in other_changes(policy).items() if one["is_certain"]]
    if mean["is_certain"]:
        return _changed_mean(mean) + (f"; changed too: {', '.join(others)}" if others else "")
    return f"no certain change of the mean latency{_known(mean)}" + (
        f"; changed: {', '.join(others)}" if others else ""
    )


def _changed_mean(mean: Change) -> str:
    delta_ns = mean["delta"] or 0
    size, bounds = format_estimate(abs(delta_ns), _unsigned(mean))
    word = "higher" if delta_ns > 0 else "lower"
    means = f"{format_duration(mean['old'] or 0)} before, {format_duration(mean['new'] or 0)} now"
    return f"the mean latency is {size} {bounds} {word} ({means}{_ratio(mean, ', ')})"


def _unsigned(mean: Change) -> list[float] | None:
    """The interval of the size of a change whose direction is certain."""
    interval = mean["delta_ci95"]
    return None if interval is None else sorted(map(abs, interval))


def _comparison(one: ComparisonChange) -> str:
    change = one["latency_mean_ratio"]
    now, before = (format_number(value or 0, 2) for value in (change["new"], change["old"]))
    means = f"mean latency {now}× now, {before}× before"
    return f"{means}; {'changed' if change['is_certain'] else 'no certain change'}{_known(change)}"


def _known(change: Change) -> str:
    text = _ratio(change, "")
    return f" ({text})" if text else " (no interval)"


def _ratio(change: Change, before: str) -> str:
    if change["ratio"] is None or change["ratio_ci95"] is None:
        return ""
    value, low, high = (format_number(one, 3) for one in (change["ratio"], *change["ratio_ci95"]))
    return f"{before}{value}× [{low}, {high}]"
