"""What a reader must know beside the numbers: warnings with codes. Measures nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from loadgen.measure.labels import listed
from loadgen.measure.warnings.hints import advice
from loadgen.measure.warnings.protocols import protocol_warnings
from loadgen.measure.warnings.reuse import idle_warnings, reuse_warnings
from loadgen.measure.warnings.sockets import socket_warnings
from loadgen.measure.warnings.trailers import trailer_warnings
from loadgen.measure.warnings.unanswered import why_unanswered
from loadgen.model.cell import Cell
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import PlanRecord, RunWarning
from loadgen.model.units import NS_PER_MS, count, format_duration

_ENOUGH_ROUNDS = 5
# Above this share of the median, what was measured is to a good part the generator itself.
_BUSY_LAG_SHARE = 0.25
# Percentiles of samples that differ this much in number aren't equally sharp.
_UNLIKE_COUNTS = 20
# The generator's own lateness counts above both of the first two, or above the last alone; shares are of p99.
_LATE_NS = NS_PER_MS
_LATE_SHARE = 0.1
_MOSTLY_LATE_SHARE = 0.5
# Of many cells that deserve the same warning, so many are named.
_MOST_ALIKE = 3


def warnings(
    policies: dict[str, PolicySummary], plan: PlanRecord, cells: dict[str, Cell], rounds: int
) -> list[RunWarning]:
    """Every warning that the numbers call for, as {code, message}."""
    found = list(_run_warnings(policies, plan, rounds))
    told: Counter[str] = Counter()
    for name, one in policies.items():
        for code, message in chain(_policy_warnings(one, cells[name], plan), socket_warnings(name, one)):
            told[code] += 1
            if told[code] <= _MOST_ALIKE:
                found.append((code, f"{name}: {message}"))
    more = [(code, f"the same of {count - _MOST_ALIKE} more") for code, count in told.items() if count > _MOST_ALIKE]
    return [{"code": code, "message": message} for code, message in found + more]


def _run_warnings(policies: dict[str, PolicySummary], plan: PlanRecord, rounds: int) -> Iterator[tuple[str, str]]:
    if rounds < _ENOUGH_ROUNDS:
        yield (
            "too_few_rounds",
            f"{rounds} rounds say little about their spread; use at least {_ENOUGH_ROUNDS}",
        )
    if plan["insecure"] and plan["url"].startswith("https"):
        yield "tls_not_verified", "certificates were not verified (--insecure)"
    counts = {name: one["requests"] for name, one in policies.items()}
    # A sweep's cells differ in number by design.
    if not any(plan["axes"].values()) and min(counts.values()) * _UNLIKE_COUNTS < max(counts.values()):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        yield (
            "unlike_sample_counts",
            f"{most} has {counts[most]:,} requests, {least} only {counts[least]:,}: its tail is less certain",
        )


def _policy_warnings(one: PolicySummary, cell: Cell, plan: PlanRecord) -> Iterator[tuple[str, str]]:
    connections = one["connections"]
    if not one["requests"]:
        yield "no_samples", why_unanswered(one)
    if connections["warmup_outlasted"]:
        yield (
            "window_outlasted",
            f"{count(connections['warmup_outlasted'], 'request')} of the warm-up lasted beyond the counted window, "
            "which no percentile shows; use a longer --block",
        )
    if connections["warmup_errors"]:
        yield "warmup_errors", f"{count(connections['warmup_errors'], 'request')} outside the counted windows failed"
    yield from _unstarted(one, cell)
    if one["errors"]:
        retried = connections["retried"]
        again = f"; {retried:,} were sent once more, warm-up included" if retried else ""
        failed = f"{listed(one['errors'])}{again}{advice(one['errors'])}"
        yield "errors", f"of {one['started']:,} requests failed: {failed}"
    yield from idle_warnings(one, cell, plan)
    yield from protocol_warnings(one, cell.policy.protocol)
    yield from trailer_warnings(one["trailers"])
    if not one["requests"]:
        return
    yield from _generator(one)
    bad = sum(count for status, count in one["statuses"].items() if int(status) >= 400)
    if bad:
        yield "http_errors", f"{bad:,} of {one['requests']:,} responses had a status of 400 or above"
    yield from reuse_warnings(one, cell, plan)


def _unstarted(one: PolicySummary, cell: Cell) -> Iterator[tuple[str, str]]:
    """Requests that are in no percentile because they never got a connection."""
    waiting = one["unstarted"]
    if not one["percentiles_too_low"]:
        return
    if one["arrivals"]:
        saturated = one["generator"]["saturated"]
        why = "the generator was saturated" if saturated else "the target can't keep up with this rate"
        yield (
            "arrivals_not_started",
            f"{waiting:,} of {one['arrivals']['due']:,} arrivals never got a connection; the percentiles leave them "
            f"out, so they are too small: {why}, or --max-connections is too low",
        )
    else:
        yield (
            "queue_unstarted",
            f"{waiting:,} requests still waited for one of the {cell.policy.pool:,} pooled connections when the window "
            "ended; the percentiles leave them out, so they are too small: use a larger pool or a longer --block",
        )


def _is_late(late_ns: int, p99_ns: int) -> bool:
    return late_ns > max(_LATE_NS, _LATE_SHARE * p99_ns) or late_ns > _MOSTLY_LATE_SHARE * p99_ns


def _generator(one: PolicySummary) -> Iterator[tuple[str, str]]:
    """Where the numbers are about the generator."""
    generator = one["generator"]
    p50_ns, p99_ns, lag_ns = one["latency_ns"]["p50"], one["latency_ns"]["p99"], generator["lag_p50_ns"]
    if p50_ns is None or p99_ns is None or lag_ns is None:
        return
    if generator["saturated"]:
        yield (
            "generator_saturated",
            f"it used {generator['cpu_share']:.0%} of a core: the generator was the bottleneck",
        )
    elif lag_ns > _BUSY_LAG_SHARE * p50_ns:
        yield (
            "generator_saturated",
            f"of the median latency of {format_duration(p50_ns)} up to {format_duration(lag_ns)} may be the "
            "generator's own lag",
        )
    late_ns = one["arrivals"]["late_p99_ns"] if one["arrivals"] else None
    if late_ns is not None and _is_late(late_ns, p99_ns):
        yield (
            "generator_late",
            f"1% of the requests began {format_duration(late_ns)} or more after they were due: the generator, not the "
            f"target, was late, and the p99 of {format_duration(p99_ns)} holds that",
        )
