"""What a reader must know beside the numbers: warnings with codes. Measures nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from loadgen.measure.warnings.hints import advice
from loadgen.measure.warnings.protocols import protocol_warnings
from loadgen.measure.warnings.reuse import idle_warnings, reuse_warnings
from loadgen.measure.warnings.sockets import socket_warnings
from loadgen.measure.warnings.trailers import trailer_warnings
from loadgen.model.cell import Cell
from loadgen.model.units import NS_PER_MS, count, format_duration

_ENOUGH_ROUNDS = 5
# Above these, what was measured is to a good part the generator itself.
BUSY_CPU_SHARE = 0.9
_BUSY_LAG_SHARE = 0.25
# Percentiles of samples that differ this much in number aren't equally sharp.
_UNLIKE_COUNTS = 20
_UNSTARTED_SHARE = 0.001
# The generator's own lateness counts above both of the first two, or above the last alone; shares are of p99.
_LATE_NS = NS_PER_MS
_LATE_SHARE = 0.1
_MOSTLY_LATE_SHARE = 0.5
# Of many cells that deserve the same warning, so many are named.
_MOST_ALIKE = 3


def warnings(
    policies: dict[str, Any], plan: dict[str, Any], cells: dict[str, Cell], rounds: int
) -> list[dict[str, str]]:
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


def _run_warnings(policies: dict[str, Any], plan: dict[str, Any], rounds: int) -> Iterator[tuple[str, str]]:
    if rounds < _ENOUGH_ROUNDS:
        yield (
            "too_few_rounds",
            f"{rounds} rounds say little about their spread; use at least {_ENOUGH_ROUNDS}",
        )
    if plan["insecure"] and plan["url"].startswith("https"):
        yield "tls_not_verified", "certificates were not verified (--insecure)"
    counts = {name: one["requests"] for name, one in policies.items()}
    # A sweep's cells differ in number by design.
    if not any(plan.get("axes", {}).values()) and min(counts.values()) * _UNLIKE_COUNTS < max(counts.values()):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        yield (
            "unlike_sample_counts",
            f"{most} has {counts[most]:,} requests, {least} only {counts[least]:,}: its tail is less certain",
        )


def _policy_warnings(one: dict[str, Any], cell: Cell, plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    connections = one["connections"]
    if not one["requests"]:
        yield "no_samples", _unanswered(one)
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
        failed = f"{_listed(one['errors'])}{again}{advice(one['errors'])}"
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


def _unanswered(one: dict[str, Any]) -> str:
    """Why a policy has no sample. Of several reasons the surest."""
    if one["errors"]:
        return f"every request that came to its end in a counted window failed: {_listed(one['errors'])}"
    if one["window_answered"]:
        return (
            f"none that began in a counted window was answered: its {one['window_answered']:,} answers went to "
            "requests that had waited since before; use "
            + ("a lower --rate or more --max-connections" if one["arrivals"] else "fewer users or a longer --block")
        )
    return "no request that began in a counted window was answered; try a longer --block"


def nothing_answered(policies: dict[str, Any]) -> str:
    """One line on why a run has no sample at all. policies: the summary's."""
    if not any(one["errors"] for one in policies.values()):
        waited = next((one for one in policies.values() if one["window_answered"]), None)
        return _unanswered(waited or next(iter(policies.values())))
    errors: Counter[str] = Counter()
    for one in policies.values():
        errors.update(one["errors"])
    return f"{_unanswered({'errors': errors})}{advice(errors)}"


def _listed(errors: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in errors.items())


def many_unstarted(policy: dict[str, Any]) -> bool:
    """So many requests never got a connection that the percentiles without them are too small."""
    waiting: int = policy["unstarted"]
    started: int = policy["started"]
    return waiting > _UNSTARTED_SHARE * (started + waiting)


def _unstarted(one: dict[str, Any], cell: Cell) -> Iterator[tuple[str, str]]:
    """Requests that are in no percentile because they never got a connection."""
    waiting = one["unstarted"]
    if not many_unstarted(one):
        return
    if one["arrivals"]:
        saturated = one["generator"]["cpu_share"] > BUSY_CPU_SHARE
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


def _generator(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where the numbers are about the generator."""
    generator, latency = one["generator"], one["latency_ns"]
    if generator["cpu_share"] > BUSY_CPU_SHARE:
        yield (
            "generator_saturated",
            f"it used {generator['cpu_share']:.0%} of a core: the generator was the bottleneck",
        )
    elif generator["lag_p50_ns"] > _BUSY_LAG_SHARE * latency["p50"]:
        yield (
            "generator_saturated",
            f"of the median latency of {format_duration(latency['p50'])} up to "
            f"{format_duration(generator['lag_p50_ns'])} may be the generator's own lag",
        )
    late_ns = (one["arrivals"] or {}).get("late_p99_ns")
    if late_ns is not None and (_is_late(late_ns, latency["p99"])):
        yield (
            "generator_late",
            f"1% of the requests began {format_duration(late_ns)} or more after they were due: the generator, not the "
            f"target, was late, and the p99 of {format_duration(latency['p99'])} holds that",
        )
