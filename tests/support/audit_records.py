"""Records of audits that never ran: what a table, a page or a schema has to cope with."""

from __future__ import annotations

from typing import Any

from loadgen.model.audit import AUDIT_SCHEMA, AuditRecord, FindingRecord, TraceEventRecord, TraceRecord, VerdictWord
from loadgen.model.units import NS_PER_MS, NS_PER_S


def finding_record(verdict: VerdictWord = "ok", **changes: Any) -> FindingRecord:
    """One finding; changes: other values of its keys."""
    found: dict[str, Any] = {
        "group": "Idle timeouts",
        "title": "Idle timeout",
        "question": "After which idle time does the server close a connection?",
        "announced": "timeout=60",
        "measured": "75.1 s (75.0 s to 75.3 s)",
        "values": {"timeout_ns": 75_100_000_000},
        "verdict": verdict,
        "section": "RFC 9112 §9.5",
        "advice": None,
        "topic": "idle_timeout",
        "started_ns": 0,
        "duration_ns": 75 * NS_PER_S,
    }
    return FindingRecord(**(found | changes))  # type: ignore[typeddict-item] # keys of FindingRecord, by name


def audit_record(findings: dict[str, FindingRecord] | None = None, **changes: Any) -> AuditRecord:
    """An audit; one of each verdict where no findings are given."""
    found: dict[str, Any] = {
        "schema": AUDIT_SCHEMA,
        "loadgen": "0.1.0",
        "url": "http://127.0.0.1:8080/",
        "proxy": None,
        "origin": None,
        "started": "2026-11-29T07:00:00+00:00",
        "duration_ns": 76 * NS_PER_S,
        "end": "done",
        "requests": 20,
        "connections": 14,
        "max_requests": 40,
        "max_connections": 30,
        "server": "nginx/1.22.1",
        "findings": one_of_each() if findings is None else findings,
        "skipped": {"chain": "--origin names no server behind the target"},
        "traces": traces(12),
    }
    return AuditRecord(**(found | changes))  # type: ignore[typeddict-item] # keys of AuditRecord, by name


def one_of_each() -> dict[str, FindingRecord]:
    """One finding of each verdict, in two groups."""
    closing = {"group": "Closing", "topic": None, "announced": None}
    return {
        "persistent_by_default": finding_record(
            group="Persistent connections", title="HTTP/1.1 stays open", announced=None, topic=None,
            section="RFC 9112 §9.3", measured="3 of 3 requests answered on one connection",
        ),
        "idle_timeout": finding_record(
            "warning", advice="the server closes later than it says; set the two to the same time"
        ),
        "close_is_honoured": finding_record(
            "violation", **closing, title="Connection: close is honoured", section="RFC 9112 §9.6",
            measured="still open 5.00 s after the response", advice="close the connection after the response",
        ),
        "lingering_close": finding_record(
            "note", **closing, title="Lingering close", section="RFC 9112 §9.6",
            measured="65,536 of 8,388,608 bytes lost by a reset behind the response",
        ),
        "close_in_a_list": finding_record(
            "unknown", **closing, title="close among other options", section=None,
            measured="the server closed the connection instead of answering",
        ),
    }  # fmt: skip


def traces(connections: int, probe: str = "idle_timeout") -> list[TraceRecord]:
    """Connections that each carried one request, and that the server closed at its idle timeout; one was reset."""
    found: list[TraceRecord] = []
    for number in range(connections):
        begun_ns = number * NS_PER_MS
        events: list[TraceEventRecord] = [
            {"at_ns": begun_ns + 150_000, "event": "opened", "bytes": 0},
            {"at_ns": begun_ns + 210_000, "event": "sent", "bytes": 60},
            {"at_ns": begun_ns + 900_000, "event": "received", "bytes": 150},
            {"at_ns": begun_ns + 75 * NS_PER_S, "event": "fin" if number else "reset", "bytes": 0},
            {"at_ns": begun_ns + 75 * NS_PER_S + 20_000, "event": "closed", "bytes": 0},
        ]
        found.append({"probe": probe, "opening_ns": begun_ns, "events": events})
    return found
