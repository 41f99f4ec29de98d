"""Does it matter when in its round a block runs, or which policy ran before it? Knows no cause.

An additive model of the logarithm of each block's mean latency: policy + round + place in the round, and the same with
the policy of the block before. Its F tests ask whether the order, which was drawn at random, had any effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loadgen.measure.checks.check import ERROR_RATE, FLOOR, Check, CheckedRun, CheckOutcome, failed, judged, result
from loadgen.measure.stats.factor_effect import FactorEffect, Numbers, factor_effect
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.check_summary import CheckResult
from loadgen.model.warning_codes import WarningCode

_MAX_POLICIES = 8
"""Of more policies none follows another often enough to tell what that does, and places are quarters of the round."""
_QUARTERS = 4
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
_PLACE = "spread of latency by the block's place in its round, as a share"
_BEFORE = "spread of latency by the policy that ran before, as a share"
_NOTHING = "too few rounds, or rounds of one policy alone, show no effect of the order"


@dataclass(frozen=True, slots=True)
class _BlockSeries:
    """The blocks that have samples, one entry each."""

    values: np.ndarray[tuple[int], np.dtype[np.float64]]
    """The logarithm of the mean latency."""
    policies: Numbers
    rounds: Numbers
    places: Numbers
    """From 0 on."""
    before: Numbers
    """The policy of the block before; -1 for the run's first."""
    index: Numbers

    def of(self, chosen: Numbers) -> _BlockSeries:
        return _BlockSeries(*(getattr(self, name)[chosen] for name in self.__slots__))


def _order(run: CheckedRun) -> CheckOutcome:
    names = list(run.measured)
    if len(names) < 2:
        return CheckOutcome("")
    blocks = _blocks(run, names)
    drift = _drift_per_block(blocks)
    place = factor_effect(blocks.values, blocks.policies, blocks.rounds, blocks.places)
    followers = blocks.of(np.flatnonzero(blocks.before >= 0))
    before = None
    if len(names) <= _MAX_POLICIES:
        before = factor_effect(followers.values, followers.policies, followers.rounds, followers.before)
    # A steady drift of the whole run shifts later places too, and that is no effect of the order. It counts twice, as
    # it is only an estimate.
    explained = 2 * abs(drift) * (len(names) - 1)
    results = judged([_effect_result(_PLACE, place, explained), _effect_result(_BEFORE, before, explained)])
    return CheckOutcome(_message(results, place, before, names), results)


def _blocks(run: CheckedRun, names: list[str]) -> _BlockSeries:
    means = {name: _round_means(run.measured[name]) for name in names}
    number_of = {name: number for number, name in enumerate(names)}
    rows: list[tuple[float, int, int, int, int, int]] = []
    place, last_round, last_policy = 0, -1, -1
    for block in sorted(run.samples.blocks, key=lambda one: one["index"]):
        place = place + 1 if block["round"] == last_round else 0
        last_round, policy = block["round"], number_of[block["policy"]]
        mean_ns = means[block["policy"]][last_round]
        if mean_ns > 0:
            part = min(place, len(names) - 1) * _places(len(names)) // len(names)
            rows.append((math.log(mean_ns), policy, last_round, part, last_policy, block["index"]))
        last_policy = policy
    values, *numbers = zip(*rows, strict=True) if rows else ((),) * 6
    return _BlockSeries(np.array(values, np.float64), *(np.array(column, np.int64) for column in numbers))


def _places(policies: int) -> int:
    """How many places in a round the check distinguishes."""
    return policies if policies <= _MAX_POLICIES else _QUARTERS


def _round_means(measured: PolicySamples) -> list[float]:
    """The mean latency of each round (ns); 0 where there is none."""
    counts = np.maximum(measured.latency_counts, 1)
    return [float(mean) for mean in measured.latency_sums_ns / counts]


def _drift_per_block(blocks: _BlockSeries) -> float:
    """How much latency rises from one block to the next (in logarithms), by the means of whole rounds."""
    rounds, of = np.unique(blocks.rounds, return_inverse=True)
    if len(rounds) < 2:
        return 0.0
    sizes = np.bincount(of)
    at, means = np.bincount(of, blocks.index) / sizes, np.bincount(of, blocks.values) / sizes
    at, means = at - at.mean(), means - means.mean()
    return float(at @ means / (at @ at))


def _effect_result(statistic: str, effect: FactorEffect | None, explained: float) -> CheckResult:
    limit = math.expm1(math.log1p(FLOOR) + explained)
    if effect is None:
        return result("", statistic, None, limit)
    return result("", statistic, math.expm1(effect.spread), limit, p_value=effect.p_value)


def _message(
    results: list[CheckResult], place: FactorEffect | None, before: FactorEffect | None, names: list[str]
) -> str:
    if place is None and before is None:
        return _NOTHING
    wrong = {one["statistic"] for one in failed(results)}
    last = _places(len(names)) - 1
    found = []
    if place is not None and _PLACE in wrong:
        where = "that ran {} in their round" if len(names) <= _MAX_POLICIES else "in the {} quarter of their round"
        found.append(_slower(place, lambda level: where.format("last" if level == last else _ORDINALS[level])))
    if before is not None and _BEFORE in wrong:
        found.append(_slower(before, lambda level: f"behind one of {names[level]}"))
    if found:
        return "; ".join(found)
    largest = max(one["value"] or 0.0 for one in results)
    return f"no effect of {FLOOR:.0%} or more is certain; the largest estimate is {largest:.1%}"


def _slower(effect: FactorEffect, words: Callable[[int], str]) -> str:
    share = math.expm1(effect.spread)
    return f"blocks {words(effect.highest)} were {share:.0%} slower than those {words(effect.lowest)}"


ORDER = Check(
    name="order",
    question="does a block fare the same wherever it runs in its round, and whatever ran before it?",
    run=_order,
    error_rate=ERROR_RATE,
    code=WarningCode.ORDER_EFFECT,
    action="use a longer --warmup, so that a block does not feel the one before it",
)
