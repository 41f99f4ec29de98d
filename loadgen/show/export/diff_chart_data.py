"""What the charts of a diff's page are drawn from, as JSON. Draws nothing.

A policy is named once, and by its place in that list everywhere else. Times are in nanoseconds. What the runs have
nothing of is left out, and so is its chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.characters import visible
from loadgen.model.diff_record import Change, DiffRecord, PolicyChanges
from loadgen.model.units import NS_PER_US
from loadgen.show.export.scripts import ChartData
from loadgen.show.ordering import MAX_BARS
from loadgen.show.tables.run_changes import MAX_WHOLE_POLICIES


def diff_chart_data(diff: DiffRecord) -> ChartData:
    """By kind; `policies` has the names. Empty where no policy was answered in each of the runs."""
    shown = dict(list(diff["policies"].items())[:MAX_BARS])  # the table has all of them
    if not shown:
        return {}
    numbers = {name: number for number, name in enumerate(shown)}
    found: ChartData = {
        "mean_changes": [_mean(numbers[name], one["latency_ns"]["mean"]) for name, one in shown.items()],
        "ratio_changes": list(_ratios(diff, shown, numbers)),
        "phase_changes": [row for name, one in shown.items() for row in _phases(numbers[name], one)],
    }
    return {"policies": [visible(name) for name in shown], **{key: value for key, value in found.items() if value}}


def _mean(number: int, change: Change) -> ChartData:
    return {
        "policy": number,
        "old": change["old"],
        "new": change["new"],
        "ci95": change["delta_ci95"],
    }


def kind_of_change(change: Change, rising_is_worse: bool | None) -> str:
    """What a certain change is, which is its colour: a cost, a gain, or neither; empty where nothing is certain."""
    if not change["is_certain"]:
        return ""
    if rising_is_worse is None:
        return "change"
    return "cost" if ((change["delta"] or 0) > 0) == rising_is_worse else "gain"


def _ratios(diff: DiffRecord, shown: dict[str, PolicyChanges], numbers: dict[str, int]) -> Iterator[ChartData]:
    """Every statistic that has a ratio; of many policies the mean alone."""
    for name, policy in shown.items():
        latency = policy["latency_ns"]
        yield from _ratio([numbers[name]], "mean latency", latency["mean"], rising_is_worse=True)
        if len(shown) <= MAX_WHOLE_POLICIES:
            yield from _ratio([numbers[name]], "p50", latency["p50"], rising_is_worse=True)
            yield from _ratio([numbers[name]], "p99", latency["p99"], rising_is_worse=True)
            yield from _ratio([numbers[name]], "throughput", policy["throughput_rps"], rising_is_worse=False)
    for one in diff["comparisons"]:
        pair = [one["candidate"], one["baseline"]]
        if all(name in numbers for name in pair):
            of = [numbers[name] for name in pair]
            yield from _ratio(of, "mean latency", one["latency_mean_ratio"], rising_is_worse=None)


def _ratio(policies: list[int], statistic: str, change: Change, rising_is_worse: bool | None) -> Iterator[ChartData]:
    interval = change["ratio_ci95"]
    if change["ratio"] is not None and interval is not None:
        yield {
            "policies": policies,
            "statistic": statistic,
            "ratio": change["ratio"],
            "low": interval[0],
            "high": interval[1],
            "kind": kind_of_change(change, rising_is_worse),
        }


def _phases(number: int, policy: PolicyChanges) -> Iterator[ChartData]:
    """Those that could be seen at all beside the mean: of the others there is a row in the table."""
    for phase, change in policy["phases_ns"].items():
        if change["delta"] is not None and max(change["old"] or 0, change["new"] or 0) >= NS_PER_US:
            low, high = change["delta_ci95"] or (None, None)
            yield {
                "policy": number,
                "phase": phase,
                "old": change["old"],
                "new": change["new"],
                "delta": change["delta"],
                "low": low,
                "high": high,
                "kind": kind_of_change(change, rising_is_worse=True),
            }
