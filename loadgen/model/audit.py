"""The record of an audit: what each probe found out about how a server treats connections. Types, and no behaviour."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NotRequired, TypedDict

from loadgen.model.gate_summary import GateSummary

AUDIT_SCHEMA = 1


class Verdict(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"  # as the RFC or a careful operator would have it
    NOTE = "note"  # allowed, and worth knowing
    WARNING = "warning"  # allowed, and it will lose requests or time
    VIOLATION = "violation"  # a MUST of an RFC is broken
    UNKNOWN = "unknown"  # it could not be found out


VerdictWord = Literal["ok", "note", "warning", "violation", "unknown"]
"""The words of Verdict, as JSON has them."""
FindingValue = int | float | str | bool | None | list[int] | list[float] | list[str]
"""One number, word or list of a finding; the unit is the end of its name."""


class FindingRecord(TypedDict):
    """What one probe found out."""

    group: str
    """The subject that it belongs to, like `Idle timeouts`."""
    title: str
    """What it is about, in a few words."""
    question: str
    """The question that was put to the server."""
    announced: str | None
    """What the server says of it, as it says it; null where it says nothing."""
    measured: str
    """What it does, as text; times and rates with their intervals."""
    values: dict[str, FindingValue]
    """The same as numbers, words and lists (docs/probes.md has them all); a value that is not known is absent."""
    verdict: VerdictWord
    """How it is to be taken."""
    section: str | None
    """Where the rule stands, like `RFC 9112 §9.6`."""
    advice: str | None
    """What to do about it; null where nothing is to be done."""
    topic: str | None
    """The row of the table of server settings that changes it; null where there is none."""
    started_ns: int
    """When the probe began, from the start of the audit (ns)."""
    duration_ns: int
    """How long it took (ns)."""


class TraceEventRecord(TypedDict):
    """One thing that happened on a connection."""

    at_ns: int
    """When, from the start of the audit (ns)."""
    event: Literal["opened", "sent", "received", "fin", "reset", "closed"]
    """What: it was open; we sent; bytes came; the server closed; the server reset it; we closed."""
    bytes: int
    """How many bytes were sent or received, 0 otherwise."""


class TraceRecord(TypedDict):
    """What happened on one of the connections, for the picture; some of them only, where there were very many."""

    probe: str
    """The probe that opened it."""
    opening_ns: int
    """When it began to open, from the start of the audit (ns)."""
    events: list[TraceEventRecord]
    """What happened, in order; the first and the last ones where there was very much."""


class AuditRecord(TypedDict):
    """The whole of an audit: `loadgen probe --json`."""

    schema: int
    """Version of this record."""
    loadgen: str
    """Version of loadgen."""
    url: str
    """The target, without credentials."""
    proxy: str | None
    """The proxy that connections went through, without credentials."""
    origin: str | None
    """The server behind the target, where --origin named it."""
    started: str
    """When the audit started (ISO 8601, UTC)."""
    duration_ns: int
    """How long it took (ns)."""
    end: Literal["done", "interrupted", "out_of_time"]
    """How it ended; what was not known by then is `unknown`."""
    requests: int
    """Requests that were sent."""
    connections: int
    """Connections that were opened, or tried."""
    max_requests: int
    """Bound on the requests, said beforehand."""
    max_connections: int
    """Bound on the connections, said beforehand."""
    server: str | None
    """The Server field of the first response."""
    findings: dict[str, FindingRecord]
    """What each probe found out, by its name, in the order of the table."""
    skipped: dict[str, str]
    """The probes that did not run, and why."""
    gates: NotRequired[list[GateSummary]]
    """What became of each gate (`--fail-if`); absent where there was none."""
    traces: NotRequired[list[TraceRecord]]
    """What happened on the connections; absent where it was not kept."""
