"""Does latency rise or fall over the run? Knows no cause.

Tests the slope of the logarithm of each policy's block medians over the rounds, and that of each pair's ratio. Rounds
are paired, so a drift that all policies share cancels out of differences, and only a slope of the ratio harms these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.checks.check import (
    ERROR_RATE,
    FLOOR,
    Check,
    CheckedRun,
    CheckOutcome,
    failed,
    joined,
    judged,
    result,
)
from loadgen.measure.stats.policy_samples import PolicySamples, quantile
from loadgen.measure.stats.trend import trend
from loadgen.model.check_summary import CheckResult
from loadgen.model.warning_codes import WarningCode

_STATISTIC = "change of the block median from the first round to the last, as a share"
_TOO_FEW = "fewer than 5 rounds show no trend"

Floats = NDArray[np.float64]


def _stationarity(run: CheckedRun) -> CheckOutcome:
    medians = {name: log_medians(one) for name, one in run.measured.items()}
    changes = list(medians.items())
    changes += [
        (f"{one['candidate']} / {one['baseline']}", medians[one["candidate"]] - medians[one["baseline"]])
        for one in run.comparisons
    ]
    signed: dict[str, float] = {}
    results = judged(list(_results(changes, signed)))
    return CheckOutcome(_message(results, signed, frozenset(medians)), results)


def log_medians(measured: PolicySamples) -> Floats:
    """The logarithm of each round's median latency (ns); NaN where the round has none."""
    found = np.full(len(measured.requests), np.nan)
    for number, ordered in enumerate(measured.by_round.ordered):
        if len(ordered):
            found[number] = math.log(max(1, quantile(ordered, 0.5)))
    return found


def _results(changes: list[tuple[str, Floats]], signed: dict[str, float]) -> Iterator[CheckResult]:
    for subject, values in changes:
        known = np.flatnonzero(np.isfinite(values))
        found = trend(known.astype(np.float64), values[known])
        if found is None:
            yield result(subject, _STATISTIC, None, FLOOR)
            continue
        signed[subject] = math.expm1(found.change)
        yield result(subject, _STATISTIC, math.expm1(abs(found.change)), FLOOR, p_value=found.p_value)


def _message(results: list[CheckResult], signed: dict[str, float], policies: frozenset[str]) -> str:
    if not signed:
        return _TOO_FEW
    found = [one["subject"] for one in failed(results)]
    alone = [f"{name} became {_change(signed[name], 'slower', 'faster')}" for name in found if name in policies]
    pairs = [f"{name} {_change(signed[name], 'rose by', 'fell by')}" for name in found if name not in policies]
    if not found:
        largest = max(signed, key=lambda name: abs(signed[name]))
        return f"no trend of {FLOOR:.0%} or more is certain; the largest estimate is {signed[largest]:+.1%} ({largest})"
    if not pairs:
        shared = "; the policies drifted alike, so their differences hold, and the figures of each alone do not"
        return f"over the run {joined(alone)}{shared if len(signed) > 1 else ''}"
    ratios = f"the ratio {joined(pairs)}, so the difference depends on when it was measured"
    return f"over the run {joined(alone)}, and {ratios}" if alone else f"over the run {ratios}"


def _change(share: float, more: str, less: str) -> str:
    """A change in words: `12 % slower`, `fell by 12 %`."""
    word = more if share > 0 else less
    return f"{word} {abs(share):.0%}" if word.endswith("by") else f"{abs(share):.0%} {word}"


STATIONARITY = Check(
    name="stationarity",
    question="does latency stay the same from the first round to the last?",
    run=_stationarity,
    error_rate=ERROR_RATE,
    code=WarningCode.NOT_STATIONARY,
    action="let the target warm up first, or look for what changes on it or on this machine",
)
