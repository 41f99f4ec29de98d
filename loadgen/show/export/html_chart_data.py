"""What the report's charts are drawn from: the numbers of a summary that they need, as JSON. Draws nothing.

A policy is named once, and by its place in that list everywhere else. Times are in nanoseconds. What a run has nothing
of is left out, and so is its chart.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.characters import visible
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary, Summary
from loadgen.show.export.balance_chart_data import balance_data
from loadgen.show.export.html_grid_data import grid_data
from loadgen.show.export.html_line_data import line_charts
from loadgen.show.export.scripts import ChartData
from loadgen.show.ordering import MAX_BARS, MAX_SERIES

_MAX_BLOCKS = 4_000
"""Of more the page would be too large, and no block could be told from the next."""
_NEVER = {"mean_per_request": 0}  # a summary of an earlier version lacks phases that it did not know


def chart_data(summary: Summary) -> ChartData:
    """What the charts are drawn from, by kind; `policies` has the names. Empty where there is nothing to draw."""
    lines = line_charts(summary)
    grid = grid_data(summary)
    return _of_policies(summary) | ({"lines": lines} if lines else {}) | ({"heat_map": grid} if grid else {})


def _of_policies(summary: Summary) -> ChartData:
    policies = summary["policies"]
    if len(policies) > MAX_BARS:
        return {}
    numbers = {name: number for number, name in enumerate(policies)}
    answered = {number: policies[name] for name, number in numbers.items() if policies[name]["requests"]}
    found = _bars(answered)
    if len(policies) <= MAX_SERIES:
        found |= {
            "comparisons": [_comparison(one, summary, numbers) for one in summary["comparisons"]],
            "latency": [_latency(number, one) for number, one in answered.items() if one["latency_ns"]["curve"]],
            "balance": balance_data(summary, numbers),
            "slices": _slices(summary, numbers) if answered else [],
            "blocks": _blocks(summary, numbers) if answered and len(summary["blocks"]) <= _MAX_BLOCKS else [],
        }
    filled = {key: value for key, value in found.items() if value}
    return {"policies": [visible(name) for name in policies], **_colours(summary), **filled} if filled else {}


def _colours(summary: Summary) -> ChartData:
    """Of a sweep's cells those of one policy have one colour; all others have that of their place."""
    if summary["sweep"] is None:
        return {}
    bases = [cell["base"] for cell in summary["sweep"]["cells"].values()]
    known = list(dict.fromkeys(bases))
    return {"colours": [known.index(base) for base in bases]}


def _bars(answered: dict[int, PolicySummary]) -> ChartData:
    """What the charts with a bar for each policy are drawn from."""
    happened = [
        phase.value
        for phase in Phase
        if any(one["phases_ns"].get(phase.value, _NEVER)["mean_per_request"] for one in answered.values())
    ]
    return {
        "phases": happened,
        "means": [_means(number, one) for number, one in answered.items()],
        "throughput": [
            {"policy": number, "rps": one["throughput_rps"], **_bounds(one["throughput_rps_ci95"])}
            for number, one in answered.items()
        ],
        "connections": [
            {
                "policy": number,
                "requests": one["connections"]["requests_per_connection"],
                "opened": one["connections"]["opened"],
                "ideal": one["connections"]["ideal"],
            }
            for number, one in answered.items()
        ],
    }


def _bounds(interval: Sequence[float] | None) -> dict[str, float | None]:
    low, high = interval if interval is not None else (None, None)
    return {"low": low, "high": high}


def _comparison(one: ComparisonSummary, summary: Summary, numbers: dict[str, int]) -> ChartData:
    """The waterfall from one mean to the other, through the phases that happened on either side."""
    sides = [summary["policies"][one[side]]["phases_ns"] for side in ("baseline", "candidate")]
    happened = [phase.value for phase in Phase if any(side.get(phase.value, {"count": 0})["count"] for side in sides)]
    return {
        "baseline": numbers[one["baseline"]],
        "candidate": numbers[one["candidate"]],
        "from": one["baseline_mean_ns"],
        "to": one["candidate_mean_ns"],
        "ci95": one.get("latency_mean_delta_ci95"),  # earlier runs lack it
        "steps": [[phase, delta] for phase in happened if (delta := one["phase_deltas_mean_ns"][phase])],
    }


def _latency(number: int, one: PolicySummary) -> ChartData:
    latency = one["latency_ns"]
    return {
        "policy": number,
        "curve": [[point["share"], point["value"], *(point["ci95"] or (None, None))] for point in latency["curve"]],
        # Runs of an earlier version lack it until they are reported anew.
        "bins": [[part["low"], part["high"], part["count"]] for part in latency.get("histogram", [])],
    }


def _means(number: int, one: PolicySummary) -> ChartData:
    latency = one["latency_ns"]
    return {
        "policy": number,
        "mean": latency["mean"],
        **_bounds(latency.get("mean_ci95")),
        "phases": [
            [phase.value, found["mean_per_request"]]
            for phase in Phase
            if (found := one["phases_ns"].get(phase.value)) and found["mean_per_request"]
        ],
    }


def _slices(summary: Summary, numbers: dict[str, int]) -> list[ChartData]:
    """Latencies by time. Runs of an earlier version lack them until they are reported anew."""
    return [
        {
            "policy": numbers[one["policy"]],
            "blocks": [one["first_block"] + 1, one["last_block"] + 1],
            "bin": one["first_bin"],
            "counts": one["counts"],
        }
        for one in summary.get("latency_slices", [])
    ]


def _blocks(summary: Summary, numbers: dict[str, int]) -> list[ChartData]:
    """Those with a measured window, counted from 1 as people do."""
    return [
        {
            "block": block["index"] + 1,
            "round": block["round"] + 1,
            "policy": numbers[block["policy"]],
            "rps": block["throughput_rps"],
            "mean": block.get("latency_mean_ns"),
            "seconds": block["seconds"],
            "answered": round(block["throughput_rps"] * block["seconds"]),
        }
        for block in summary["blocks"]
        if block["seconds"]
    ]
