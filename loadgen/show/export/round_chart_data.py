"""What charts over the rounds of a run are drawn from, as JSON: figures of each block, differences as rounds came in,
and how connections ended. Draws nothing.

A policy is named once, and by its place in that list everywhere else. Times are in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loadgen.measure.stats.jackknife import Floats
from loadgen.measure.stats.sequential import jackknife
from loadgen.model.characters import visible
from loadgen.model.summary import BlockSummary, ComparisonSummary, Summary
from loadgen.show.export.scripts import ChartData
from loadgen.show.ordering import MAX_SERIES, spread

_MAX_ROUNDS = 200
"""Of more rounds no chart on a screen shows each."""
_MAX_STEPS = 30
_FIGURES = {
    "p50": "latency_p50_ns", "p99": "latency_p99_ns", "rps": "throughput_rps", "reuse": "reuse_ratio",
    "handshake": "handshake_mean_ns",
}  # fmt: skip


def round_charts(summary: Summary) -> ChartData:
    """By kind; `policies` has the names. Empty of a sweep, and where nothing was measured yet."""
    policies = summary["policies"]
    blocks = [block for block in summary["blocks"] if block["seconds"]]
    if len(policies) > MAX_SERIES or summary["sweep"] is not None or not blocks:
        return {}
    numbers = {name: number for number, name in enumerate(policies)}
    rounds = set(spread(sorted({block["round"] for block in blocks}), _MAX_ROUNDS))
    differences = [_difference(one, blocks, numbers) for one in summary["comparisons"]]
    return {
        "policies": [visible(name) for name in policies],
        "rounds": [_figures(block, numbers) for block in blocks if block["round"] in rounds],
        "differences": [one for one in differences if one["steps"]],
        "endings": [
            {"policy": numbers[name], "counts": list(one["connections"]["endings"].items())}
            for name, one in policies.items()
            if one["connections"]["endings"]
        ],
    }


def _figures(block: BlockSummary, numbers: dict[str, int]) -> ChartData:
    values: ChartData = {**block}
    found = {key: values.get(name) for key, name in _FIGURES.items()}  # runs of an earlier version lack some
    return {"round": block["round"] + 1, "policy": numbers[block["policy"]], **found}


def _difference(one: ComparisonSummary, blocks: Sequence[BlockSummary], numbers: dict[str, int]) -> ChartData:
    """Candidate less baseline after one round, two, and so on, with the interval then; the last is the summary's."""
    rounds = sorted({block["round"] for block in blocks})
    base, other = (_sums(blocks, rounds, name) for name in (one["baseline"], one["candidate"]))
    both = np.flatnonzero((base[0] > 0) & (other[0] > 0))
    steps: list[list[float | None]] = []
    for last in spread(both.tolist(), _MAX_STEPS)[:-1]:
        active = np.isin(np.arange(last + 1), both)
        stretch = jackknife(active, False)
        weights = stretch.weights()
        means = [_means(weights, requests[: last + 1], sums[: last + 1]) for requests, sums in (base, other)]
        difference = means[1] - means[0]
        steps.append(
            [rounds[last] + 1, float(difference[0]), *(stretch.difference_interval(difference) or (None, None))]
        )
    if len(both):
        final = one.get("latency_mean_delta_ci95") or (None, None)
        steps.append([rounds[int(both[-1])] + 1, one["latency_mean_delta_ns"], *final])
    return {"baseline": numbers[one["baseline"]], "candidate": numbers[one["candidate"]], "steps": steps}


def _means(weights: Floats, requests: Floats, sums: Floats) -> Floats:
    """Mean latencies by rows of weights (ns); not a number where none is left, as without the only round."""
    counts = weights @ requests
    found = np.full(len(counts), np.nan)
    np.divide(weights @ sums, counts, out=found, where=counts > 0)
    return found


def _sums(blocks: Sequence[BlockSummary], rounds: list[int], policy: str) -> tuple[Floats, Floats]:
    """Requests of each round, and the sum of their latencies (ns)."""
    places = {number: place for place, number in enumerate(rounds)}
    requests, sums = np.zeros(len(rounds)), np.zeros(len(rounds))
    for block in blocks:
        if block["policy"] == policy and block["latency_mean_ns"] is not None:
            answered = block["throughput_rps"] * block["seconds"]
            requests[places[block["round"]]] += answered
            sums[places[block["round"]]] += answered * block["latency_mean_ns"]
    return requests, sums
