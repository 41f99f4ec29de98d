"""Is the generator's own part small? Tests nothing: its limits are those of the warnings about the generator."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.measure.checks.check import Check, CheckedRun, CheckOutcome, failed, joined, result
from loadgen.measure.warnings.generator import (
    LARGE_SHARE,
    difference_bias,
    difference_warnings,
    generator_warnings,
    lateness_ns,
    own_work_share,
)
from loadgen.model.cell import Cell
from loadgen.model.check_summary import CheckResult
from loadgen.model.generator_limits import SATURATED_CPU_SHARE
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import share_text
from loadgen.model.warning_codes import WarningCode

_CPU = "CPU time of the busiest worker, as a share of a core"
_DELAY = "delay of the stamps, as a share of the median latency"
_OWN = "own work, as a share of what a request takes its user"
_BIAS = "difference between the stamps' delays, as a share of the difference between the policies"
_LATE = "lateness of arrivals at the 99th percentile, as a share of the p99 latency"
_WORDS = {
    _CPU: "its CPU time is {} of a core",
    _DELAY: "its stamps' delay is {} of the median latency",
    _OWN: "its own work is {} of what a request takes",
    _BIAS: "its stamps' delays differ by {} of the difference",
    _LATE: "its lateness is {} of the p99",
}


_LATE_CODES = {WarningCode.GENERATOR_SATURATED, WarningCode.LATE_WAKE_UPS}


def _generator_share(run: CheckedRun) -> CheckOutcome:
    results: list[CheckResult] = []
    cells = run.cells()
    for name, summary in run.policies.items():
        if summary["requests"]:
            results += _of_policy(run, name, summary, cells[name])
    for one in run.comparisons:
        bias = difference_bias(one, run.policies)
        if bias is not None:
            found = not list(difference_warnings([one], run.policies))
            results.append(result(f"{one['candidate']} / {one['baseline']}", _BIAS, bias, LARGE_SHARE, passed=found))
    return CheckOutcome(_message(results), results, has_warning=True)


def _of_policy(run: CheckedRun, name: str, summary: PolicySummary, cell: Cell) -> Iterator[CheckResult]:
    codes = {code for code, _ in generator_warnings(summary, cell, run.plan)}
    cpu_share, p50_ns = summary["generator"]["cpu_share"], summary["latency_ns"]["p50"]
    yield result(name, _CPU, cpu_share, SATURATED_CPU_SHARE, passed=not summary["generator"]["saturated"])
    delay_ns = lateness_ns(summary)
    if delay_ns is not None and p50_ns:
        late = codes & _LATE_CODES and not summary["generator"]["saturated"]
        yield result(name, _DELAY, delay_ns / p50_ns, LARGE_SHARE, passed=not late)
    own = own_work_share(summary, cell, run.plan)
    if own is not None:
        yield result(name, _OWN, own, LARGE_SHARE, passed=own <= LARGE_SHARE)
    late_ns = summary["arrivals"]["late_p99_ns"] if summary["arrivals"] else None
    if late_ns is not None and summary["latency_ns"]["p99"]:
        share = late_ns / summary["latency_ns"]["p99"]
        yield result(name, _LATE, share, passed=WarningCode.GENERATOR_LATE not in codes)


def _message(results: list[CheckResult]) -> str:
    if not results:
        return ""
    wrong = failed(results)
    shown = wrong or [max((one for one in results if one["statistic"] == _CPU), key=lambda one: one["value"] or 0.0)]
    texts = [
        f"{_WORDS[one['statistic']].format(share_text(one['value'] or 0.0, 0))} ({one['subject']})" for one in shown
    ]
    return f"the generator's part is {'too large' if wrong else 'small'}: {joined(texts)}{'' if wrong else ' at most'}"


GENERATOR_SHARE = Check(
    name="generator_share",
    question="is the generator's own part small against what it measured?",
    run=_generator_share,
    error_rate=None,
    code=None,
    action="use fewer users or a lower rate, more --processes, or a target with a core of its own",
)
