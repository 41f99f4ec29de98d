"""One simulated experiment by the way that a real run's samples take: to a policy's samples, to its summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.comparison import compare_all
from loadgen.measure.stats.policy_samples import PolicySamples, policy_samples
from loadgen.measure.summary.policy import latency_summary, throughput_interval
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import ABSENT, Phase
from loadgen.model.summary import ComparisonSummary
from loadgen.model.target import parse_target
from tests.coverage.machines import BLOCK_S, Requests

_NAMES = ("persistent", "close", "recycle:2", "recycle:3", "recycle:4")
Interval = Sequence[float] | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the summary says of it."""

    intervals: dict[str, Interval]
    """By statistic."""
    comparisons: list[ComparisonSummary]


def run(policies: Sequence[Requests], number: int, *, stops_early: bool = False, own: bool = True) -> Experiment:
    """Experiment `number` of those that were simulated; its first policy is the baseline.

    own: policies' own intervals too.
    """
    names = _NAMES[: len(policies)]
    measured = _measured(policies, number, names)
    cells = Plan(parse_target("http://127.0.0.1:8080/"), parse_policies(",".join(names))).cells
    comparisons = compare_all(measured, cells, swept=False, stops_early=stops_early)
    found: dict[str, Interval] = {}
    for side, name in zip(("baseline", "candidate"), names, strict=False):
        if own:
            latency = latency_summary(measured[name], with_curve=False, stops_early=stops_early)
            found |= {f"{side} {key}": cast(Any, latency)[f"{key}_ci95"] for key in ("mean", "p50", "p99")}
            found[f"{side} req/s"] = throughput_interval(measured[name], stops_early)
    for key in ("mean", "p50", "p99"):
        for kind, written in (("difference", "delta"), ("ratio", "ratio")):
            found[f"{key} {kind}"] = cast(Any, comparisons[0])[f"latency_{key}_{written}_ci95"]
    found["req/s ratio"] = comparisons[0]["throughput_ratio_ci95"]
    return Experiment(found, comparisons)


def _measured(policies: Sequence[Requests], number: int, names: Sequence[str]) -> dict[str, PolicySamples]:
    """As they are read from a run: whole nanoseconds, all of them in `wait`."""
    kept = [one.counted[number] for one in policies]
    rounds = len(kept[0])
    counts = np.array([mask.sum(axis=1) for mask in kept])
    columns: dict[str, Any] = {phase.value: np.full(counts.sum(), ABSENT, np.int8) for phase in Phase}
    columns["wait"] = np.concatenate([one.latency_ns[number][mask] for one, mask in zip(policies, kept, strict=True)])
    columns["wait"] = columns["wait"].astype(np.int64)
    columns["policy"] = np.repeat(np.arange(len(policies)), counts.sum(axis=1)).astype(np.int8)
    columns["round"] = np.repeat(np.tile(np.arange(rounds), len(policies)), counts.ravel()).astype(np.int16)
    columns["error"] = columns["dns"]
    columns["scheduled"] = columns["wait"]
    blocks: list[Any] = [
        {"policy": name, "round": at, "index": at, "window_ns": round(BLOCK_S * 1e9)}
        for name in names
        for at in range(rounds)
    ]
    samples = Samples(tuple(names), columns, blocks)
    return {
        name: policy_samples(samples, index, indices, rounds)
        for index, (name, indices) in enumerate(zip(names, samples.by_policy(), strict=True))
    }
