"""What must be known beside the numbers: all warnings that they call for. Measures nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from loadgen.measure.labels import listed
from loadgen.measure.stats.floor import WithinFloor
from loadgen.measure.stats.statuses import LOWEST_ERROR, StatusCounts
from loadgen.measure.warnings.audit_findings import explained
from loadgen.measure.warnings.balance import balance_warnings
from loadgen.measure.warnings.continue_timeouts import continue_warnings
from loadgen.measure.warnings.floor import floor_warnings
from loadgen.measure.warnings.generator import difference_warnings, generator_warnings
from loadgen.measure.warnings.hints import advice
from loadgen.measure.warnings.nagle import delayed_ack_warnings
from loadgen.measure.warnings.outlasted import outlasted_warnings
from loadgen.measure.warnings.protocols import protocol_warnings
from loadgen.measure.warnings.races import race_warnings
from loadgen.measure.warnings.reuse import gap_warnings, reuse_warnings
from loadgen.measure.warnings.sockets import socket_warnings
from loadgen.measure.warnings.trailers import trailer_warnings
from loadgen.measure.warnings.unanswered import why_unanswered
from loadgen.measure.warnings.unusual_responses import response_warnings
from loadgen.model.audit import AuditRecord
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import ComparisonSummary
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

Found = Iterator[tuple[WarningCode, str]]

_ENOUGH_ROUNDS = 5
# If one policy has this many times the samples of another, their percentiles are not equally certain.
_UNLIKE_COUNTS = 20
# Of many cells with the same warning, this many are named.
_MAX_ALIKE = 3
_LOST: dict[Literal["exchanges", "connections"], str] = {"exchanges": "request", "connections": "connection"}


def warnings(
    policies: dict[str, PolicySummary],
    plan: Plan,
    rounds: int,
    comparisons: Sequence[ComparisonSummary] = (),
    below: Sequence[WithinFloor] = (),
    audit: AuditRecord | None = None,
    notes: Sequence[RunWarning] = (),
) -> list[RunWarning]:
    """Every warning that the numbers call for.

    rounds: how many were begun; a comparison may have fewer. below: differences that are within the machine's floor.
    audit: what was found out about the target before the load, which explains some of them. notes: warnings from
    running itself.
    """
    cells = {cell.name: cell for cell in plan.cells}
    compared = min((one["rounds"] for one in comparisons), default=rounds)
    found = list(_run_warnings(policies, plan, rounds, compared))
    times: Counter[WarningCode] = Counter()
    each = [
        (code, f"{name}: {explained(code, message, cells[name], plan, audit)}")
        for name, summary in policies.items()
        for code, message in chain(
            _policy_warnings(summary, cells[name], plan.of_cell(cells[name]), notes),
            socket_warnings(name, summary),
            delayed_ack_warnings(cells[name].policy, summary),
            balance_warnings(cells[name].policy, summary),
            race_warnings(summary),
        )
    ]
    for code, message in chain(each, difference_warnings(comparisons, policies), floor_warnings(below)):
        times[code] += 1
        if times[code] <= _MAX_ALIKE:
            found.append((code, message))
    more = [
        (code, f"the same holds for {number - _MAX_ALIKE:,} more")
        for code, number in times.items()
        if number > _MAX_ALIKE
    ]
    return [{"code": code.value, "message": message} for code, message in found + more]


def _run_warnings(policies: dict[str, PolicySummary], plan: Plan, rounds: int, compared: int) -> Found:
    if rounds < _ENOUGH_ROUNDS:
        whole = count(min(rounds, compared), "round")
        yield (
            WarningCode.TOO_FEW_ROUNDS,
            f"{whole} cannot show how much rounds differ; use at least {_ENOUGH_ROUNDS}",
        )
    elif compared < _ENOUGH_ROUNDS:
        yield (
            WarningCode.TOO_FEW_ROUNDS,
            f"{compared} of {count(rounds, 'round')} have an answer under both policies of a comparison, which cannot "
            f"show how much rounds differ; use {plan.load.longer_blocks} or more --rounds",
        )
    if plan.insecure and any(target.is_tls for target in plan.each_target):
        yield WarningCode.TLS_NOT_VERIFIED, "certificates were not verified (--insecure)"
    # A policy without any has a warning of its own.
    counts = {name: summary["requests"] for name, summary in policies.items() if summary["requests"]}
    # A sweep's cells differ in number by design.
    if counts and not plan.axes and min(counts.values()) * _UNLIKE_COUNTS < max(counts.values()):
        largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        yield (
            WarningCode.UNLIKE_SAMPLE_COUNTS,
            f"{largest} has {counts[largest]:,} requests, {smallest} only {counts[smallest]:,}: the high percentiles "
            f"of {smallest} are less certain",
        )


def _policy_warnings(summary: PolicySummary, cell: Cell, plan: Plan, notes: Sequence[RunWarning]) -> Found:
    connections = summary["connections"]
    if not summary["requests"]:
        yield WarningCode.NO_SAMPLES, why_unanswered(summary, notes)
    if lost := summary.get("lost"):
        parts = [count(lost[name], word) for name, word in _LOST.items() if lost[name]]
        yield WarningCode.DISK_FULL, f"{' and '.join(parts)} that ended on a full disk are in no other count"
    yield from outlasted_warnings(summary, plan.load)
    if connections["warmup_errors"]:
        failed = count(connections["warmup_errors"], "request")
        yield WarningCode.WARMUP_ERRORS, f"{failed} outside the measured windows failed"
    yield from _unstarted(summary, cell)
    if summary["errors"]:
        retried, errors = connections["retried"], summary["errors"]
        again = f"; {retried:,} {'was' if retried == 1 else 'were'} sent once more, warm-up included" if retried else ""
        yield (
            WarningCode.ERRORS,
            f"{sum(errors.values()):,} of {count(summary['started'], 'request')} failed: {listed(errors)}{again}"
            f"{advice(errors)}",
        )
    yield from gap_warnings(summary, cell, plan)
    yield from protocol_warnings(summary, cell.policy.protocol)
    yield from trailer_warnings(summary["trailers"])
    yield from response_warnings(summary)
    yield from continue_warnings(summary, plan.transfer.continue_timeout_ns)
    if not summary["requests"]:
        return
    yield from generator_warnings(summary, cell, plan)
    yield from _statuses(summary)
    yield from reuse_warnings(summary, cell, plan)


def _statuses(summary: PolicySummary) -> Found:
    """Responses that are no answers of a working target."""
    counts, of = StatusCounts.of([summary]), count(summary["requests"], "response")
    if counts.redirects:
        to = summary.get("redirected_to")
        where = f" to {to}" if to else ""
        yield (
            WarningCode.REDIRECTS,
            f"{counts.count(counts.redirects):,} of {of} were redirects{where}, which loadgen does not follow",
        )
    if counts.errors:
        yield (
            WarningCode.HTTP_ERRORS,
            f"{counts.count(counts.errors):,} of {of} had a status of {LOWEST_ERROR} or above",
        )


def _unstarted(summary: PolicySummary, cell: Cell) -> Found:
    """Requests that are in no percentile because they never got a connection."""
    unstarted = summary["unstarted"]
    if not summary["percentiles_too_low"]:
        return
    if summary["arrivals"]:
        saturated = summary["generator"]["saturated"]
        why = "the generator was saturated" if saturated else "the target can't keep up with this rate"
        yield (
            WarningCode.ARRIVALS_NOT_STARTED,
            f"{unstarted:,} of {summary['arrivals']['due']:,} arrivals never got a connection; the percentiles leave "
            f"out such requests, so they are too low: {why}, or --max-connections is too low",
        )
    else:
        yield (
            WarningCode.QUEUE_UNSTARTED,
            f"{count(unstarted, 'request')} still waited for a connection of the pool of {cell.policy.pool:,} when the "
            "window ended; the percentiles leave out such requests, so they are too low: use a larger pool or a longer "
            "--block",
        )
