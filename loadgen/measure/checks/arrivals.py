"""Did requests begin when the plan says? Knows nothing of how they are begun.

Open loop: how many arrivals were due and how many of them began; how late they began; and the intervals between their
beginnings. Of a Poisson process the intervals are exponential and the beginnings uniform over a window, which
Kolmogorov-Smirnov tests ask; at a constant rate each interval is known. Closed loop with think time: how long each user
paused after a response.

Some lateness shows in any long run and changes nothing for a target, so a beginning may be off by a tolerance, and a
share of them by more than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.checks.beginnings import Beginnings, beginnings, pauses_off_ns, step_over
from loadgen.measure.checks.check import ERROR_RATE, Check, CheckedRun, CheckOutcome, failed, joined, judged, result
from loadgen.measure.stats.distance import distance, exponential, uniform
from loadgen.measure.stats.distributions import kolmogorov_sf
from loadgen.model.arrivals import POISSON, parse_arrivals
from loadgen.model.block_facts import BlockFacts
from loadgen.model.cell import Cell
from loadgen.model.check_summary import CheckResult
from loadgen.model.units import NS_PER_MS, NS_PER_S, NS_PER_US
from loadgen.model.warning_codes import WarningCode

MAX_SHARE = 0.05
"""The share of beginnings that may be off by more than the tolerance."""
_TOLERANCE = 0.05
"""Of the mean interval, or of the think time."""
_MIN_TOLERANCE_NS = 100 * NS_PER_US
# Lateness counts in a request's latency, and a pause is seldom as short as an interval, so both may be off by more.
_LATE_NS = NS_PER_MS
_MAX_UNSTARTED = 0.001
_MIN_SIZE = 100
"""With fewer arrivals or pauses the check says nothing."""
_NORMAL_TAIL = 2**-0.5

_DUE = "arrivals due, away from rate × time, as a share"
_UNSTARTED = "arrivals that never began, as a share"
_LATE = "arrivals that began late, as a share"
_GAPS = "distance of the intervals between beginnings from those that were asked for, as a share"
_SPREAD = "distance of the beginnings from an even spread over the windows, as a share"
_PAUSES = "pauses that differ from the think time, as a share"
_WORDS = {
    _DUE: "the number of arrivals was {} away from rate × time",
    _UNSTARTED: "{} of the arrivals never began",
    _LATE: "{} of the arrivals began late",
    _GAPS: "{} of the arrivals came at other intervals than asked",
    _SPREAD: "{} of the arrivals came at other times than asked",
    _PAUSES: "{} of the pauses differ from the think time",
}


def _arrivals(run: CheckedRun) -> CheckOutcome:
    results: list[CheckResult] = []
    for name, cell in run.cells().items():
        if cell.rate_rps and len(run.indices[name]):
            results += _open_loop(run, name, cell)
        elif run.plan.load.think_ns and len(run.indices[name]):
            results += _closed_loop(run, name, cell)
    results = judged(results)
    wrong = failed(results)
    if not wrong:
        return CheckOutcome("requests began as asked" if results else "", results)
    shares: dict[str, list[str]] = {}
    for one in wrong:
        shares.setdefault(one["statistic"], []).append(f"{one['value']:.0%} ({one['subject']})")
    message = ", and ".join(_WORDS[statistic].format(joined(found)) for statistic, found in shares.items())
    return CheckOutcome(message, results, has_warning=shares.keys() == {_UNSTARTED})


def _open_loop(run: CheckedRun, name: str, cell: Cell) -> Iterator[CheckResult]:
    blocks = [block for block in run.samples.blocks if block["policy"] == name]
    seconds = sum(block["window_ns"] for block in blocks) / NS_PER_S
    due = sum(block.get("due", 0) for block in blocks)
    unstarted = sum(block.get("unstarted", 0) for block in blocks)
    is_poisson = parse_arrivals(run.plan.load.arrivals).kind == POISSON
    expected = cell.rate_rps * seconds
    if min(due, expected) < _MIN_SIZE:
        return
    is_by_time = run.plan.load.requests is None
    if is_by_time:  # else as many were due as were asked for, and the window ends when the last one has ended
        yield _due(name, due, expected, sum(block.get("workers", 1) for block in blocks), is_poisson)
    yield result(name, _UNSTARTED, unstarted / due, _MAX_UNSTARTED)
    indices = run.indices[name]
    step = step_over(len(indices))
    found = beginnings(run.samples, indices[run.samples.columns["round"][indices] % step == 0])
    if len(found.late_ns) < _MIN_SIZE:
        return
    mean_ns = NS_PER_S / cell.rate_rps * run.plan.processes
    yield result(name, _LATE, _share(np.asarray(found.late_ns > max(_LATE_NS, _TOLERANCE * mean_ns))), MAX_SHARE)
    if is_poisson:
        yield from _poisson(name, found, [block for block in blocks if block["round"] % step == 0], mean_ns, is_by_time)
    else:
        off_ns = np.abs(np.diff(found.late_ns))[found.follows]
        yield result(name, _GAPS, _share(off_ns > _tolerance_ns(mean_ns)), MAX_SHARE)


def _due(name: str, due: int, expected: float, windows: int, is_poisson: bool) -> CheckResult:
    """At a constant rate each window, of each worker, has one arrival more or less; of a Poisson process any number."""
    off = abs(due - expected)
    if is_poisson:
        p_value = math.erfc(max(0.0, off - 0.5) / math.sqrt(expected) * _NORMAL_TAIL)
        return result(name, _DUE, off / expected, MAX_SHARE, p_value=p_value)
    return result(name, _DUE, max(0.0, off - windows) / expected, MAX_SHARE)


def _poisson(
    name: str, found: Beginnings, blocks: list[BlockFacts], mean_ns: float, is_by_time: bool
) -> Iterator[CheckResult]:
    tolerance_ns = _tolerance_ns(mean_ns)
    # Of a random share of the arrivals the intervals are exponential too, and longer.
    kept = min(1.0, len(found.begun_ns) / max(1, sum(block.get("due", 0) for block in blocks)))
    gaps_ns = np.diff(found.begun_ns)[found.follows].astype(np.float64)
    yield _tested(name, _GAPS, distance(gaps_ns, exponential(mean_ns / kept), tolerance_ns), len(gaps_ns))
    if not is_by_time:
        return
    begun_ns, length_ns = np.zeros((2, 1 + max(block["round"] for block in blocks)), np.int64)
    for block in blocks:
        if "window_begun_ns" in block:
            begun_ns[block["round"]], length_ns[block["round"]] = block["window_begun_ns"], block["window_ns"]
    inside = length_ns[found.round] > 0
    of = found.round[inside]
    if len(of):
        at = (found.begun_ns[inside] - begun_ns[of]) / length_ns[of]
        yield _tested(name, _SPREAD, distance(at, uniform(1), tolerance_ns / float(np.max(length_ns))), len(at))


def _closed_loop(run: CheckedRun, name: str, cell: Cell) -> Iterator[CheckResult]:
    """Where several requests of a user are in flight, or some are not among the samples, no pause is known."""
    policy, think_ns = cell.policy, run.plan.load.think_ns
    if (policy.depth > 1 and not policy.pool) or run.measured[name].left_out:
        return
    indices = run.indices[name]
    some = indices[run.samples.columns["user"][indices] % step_over(len(indices)) == 0]
    off_ns = pauses_off_ns(run.samples.of(some), think_ns, 0 if policy.pool else policy.gap_ns)
    if len(off_ns) >= _MIN_SIZE:
        yield result(name, _PAUSES, _share(off_ns > max(_LATE_NS, _TOLERANCE * think_ns)), MAX_SHARE)


def _tolerance_ns(mean_ns: float) -> float:
    """How far an interval may be off, with a mean interval of `mean_ns`."""
    return max(_MIN_TOLERANCE_NS, _TOLERANCE * mean_ns)


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if len(chosen) else 0.0


def _tested(name: str, statistic: str, value: float, size: int) -> CheckResult:
    return result(name, statistic, value, MAX_SHARE, p_value=kolmogorov_sf(value, size) if size else 1.0)


ARRIVALS = Check(
    name="arrivals",
    question="did requests begin when the plan says?",
    run=_arrivals,
    error_rate=ERROR_RATE,
    code=WarningCode.ARRIVALS_NOT_AS_ASKED,
    action="offer less load, or use more --processes or a machine with less other work",
)
