"""How narrow the interval of the headline ratio is: candidate's mean latency by the baseline's. Reads no file."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from loadgen.measure.stats.jackknife import Floats
from loadgen.measure.stats.sequential import jackknife
from loadgen.model.plan import Plan
from loadgen.model.summary import ComparisonSummary, PrecisionSummary

EMPTY_ROUNDS = 3
"""Rounds without a complete request of a policy, after which none is expected any more."""


@dataclass(frozen=True, slots=True)
class RoundSums:
    """One policy's complete requests, by round."""

    requests: Floats
    latency_ns: Floats
    """The sum of their latencies."""


def mean_ratio_interval(baseline: RoundSums, candidate: RoundSums, plan: Plan) -> list[float] | None:
    """The 95 % interval of the ratio of mean latencies, over the rounds in which both have requests; the summary's."""
    both = (baseline.requests > 0) & (candidate.requests > 0)
    if both.sum() < 2:
        return None
    rounds = jackknife(both, stops_early=plan.until_precision is not None)
    weights = rounds.weights()
    base, cand = ((weights @ one.latency_ns) / (weights @ one.requests) for one in (baseline, candidate))
    return rounds.ratio_interval(cand / base)


def precision_summary(
    plan: Plan, comparisons: Sequence[ComparisonSummary], policies: Collection[str], rounds: int
) -> PrecisionSummary | None:
    """How precise a run's ratios are; None where the plan asks for no precision.

    policies: those with a complete request. rounds: how many were run.
    """
    if plan.until_precision is None:
        return None
    intervals = [one["latency_mean_ratio_ci95"] for one in comparisons]
    # A policy without a complete request is in no comparison.
    width = widest(intervals) if len(policies) == len(plan.cells) else None
    return {
        "aim": plan.until_precision,
        "half_width": width,
        "is_reached": width is not None and width <= plan.until_precision,
        "rounds": rounds,
        "max_rounds": plan.max_rounds,
    }


def is_without_answer(requests: Floats) -> bool:
    """A policy has stopped to be answered. requests: its complete ones, by round."""
    return not requests[-EMPTY_ROUNDS:].any()


def widest(intervals: Sequence[Sequence[float] | None]) -> float | None:
    """The largest half-width; None where there is no interval, or one is not known."""
    widths = [half_width(interval) for interval in intervals if interval is not None]
    return max(widths) if widths and len(widths) == len(intervals) else None


def half_width(interval: Sequence[float]) -> float:
    """Within what share a ratio with this interval is known: 0.02 where it is ± 2 %."""
    return math.sqrt(interval[1] / interval[0]) - 1
