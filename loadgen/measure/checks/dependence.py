"""How many independent requests are the measured ones worth? Tests nothing: it has a limit.

Requests of one block share queues, caches and moments of the machine. The integrated autocorrelation time of latency,
in the order in which requests were due, says how many of them tell as much as one independent one. Intervals do not
rest on this, because they come from whole rounds. A policy's p99 does: it is the value of the few requests beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loadgen.measure.checks.check import Check, CheckedRun, CheckOutcome, joined, result
from loadgen.measure.stats.autocorrelation import integrated_time
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.check_summary import CheckResult
from loadgen.model.warning_codes import WarningCode

MIN_BEYOND = 5
"""Independent requests beyond the p99 that are enough to go by it, if they are as many as the rounds too.

Its interval shows how much it differs between rounds, if each of them has its share of the slow requests.
"""
_P99 = 0.99
_SAMPLES = "effective number of independent requests"
_BEYOND = "effective number of independent requests beyond the p99"
# Enough to know the autocorrelation by, whatever the length of a run: blocks, and requests of each.
_MAX_BLOCKS, _MAX_REQUESTS = 50, 16_384


def _dependence(run: CheckedRun) -> CheckOutcome:
    results = [
        result
        for name, measured in run.measured.items()
        if len(measured.latency_ns)
        for result in _of_policy(name, measured, run.policies[name]["latency_ns"]["p99"] or 0)
    ]
    return CheckOutcome(_message(results) if results else "", results)


def _of_policy(name: str, measured: PolicySamples, p99_ns: int) -> Iterator[CheckResult]:
    stretches = list(_stretches(measured))
    requests = float(measured.requests.sum())
    beyond, limit = requests * (1 - _P99), max(MIN_BEYOND, int(np.count_nonzero(measured.requests)))
    effective = requests / integrated_time(stretches)
    yield result(name, _SAMPLES, effective)
    effective = beyond / integrated_time((one > p99_ns).astype(np.float64) for one in stretches)
    # With fewer, it is not for their dependence that the p99 rests on so few.
    enough = round(beyond, 6) >= 2 * limit
    yield result(name, _BEYOND, effective, limit, passed=effective >= limit if enough else None)


def _stretches(measured: PolicySamples) -> Iterator[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The latencies (ns) of some blocks, in the order in which their requests were due."""
    rounds = measured.rounds
    sizes = np.bincount(rounds)
    some = np.flatnonzero(sizes)
    step = -(-len(some) // _MAX_BLOCKS)
    chosen = some[::step]
    by_round = np.argsort(rounds, kind="stable")
    ends = np.cumsum(sizes)
    scheduled = measured.valid.columns["scheduled"]
    for number in chosen.tolist():
        block = by_round[ends[number] - sizes[number] : ends[number]]
        order = block[np.argsort(scheduled[block], kind="stable")][:_MAX_REQUESTS]
        yield measured.latency_ns[order].astype(np.float64)


def _message(results: list[CheckResult]) -> str:
    beyond = [one for one in results if one["statistic"] == _BEYOND]
    wrong = [one for one in beyond if one["passed"] is False]
    if wrong:
        each = [f"about {one['value']:,.1f} ({one['subject']})" for one in wrong]
        return f"slow requests come in groups, so a p99 rests on few independent ones beyond it, {joined(each)}"
    effective = [one for one in results if one["statistic"] == _SAMPLES]
    return "about as many as " + joined([f"{one['value']:,.0f} ({one['subject']})" for one in effective])


DEPENDENCE = Check(
    name="dependence",
    question="how many independent requests are the measured ones worth?",
    run=_dependence,
    error_rate=None,
    code=WarningCode.DEPENDENT_REQUESTS,
    action="use more --rounds, and go by the interval of the p99",
)
