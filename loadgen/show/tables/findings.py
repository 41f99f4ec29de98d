"""The findings of an audit as tables and lines of text, for the shell, Markdown and HTML alike. Reads no file."""

from __future__ import annotations

from collections import Counter

from loadgen.model.audit import AuditRecord, FindingRecord, Verdict
from loadgen.model.server_settings import server_of, settings_text
from loadgen.model.units import count, format_duration
from loadgen.show.formatting import ABSENT
from loadgen.show.tables.table import Row, Table

HEADINGS = ("check", "announced", "measured", "verdict", "rule", "what to do")
_PLURALS = {Verdict.NOTE: "note", Verdict.WARNING: "warning", Verdict.VIOLATION: "violation"}
_WORST_FIRST = (Verdict.VIOLATION, Verdict.WARNING, Verdict.NOTE, Verdict.OK, Verdict.UNKNOWN)
_ENDS = {
    "interrupted": "interrupted: it says what was known by then",
    "out_of_time": "its time was over before all was known (--max-time)",
}


def findings(audit: AuditRecord) -> Table:
    """One row for each finding, in the order of the audit."""
    return Table(HEADINGS, [_row(one, audit["server"]) for one in audit["findings"].values()])


def findings_by_group(audit: AuditRecord) -> dict[str, Table]:
    """The same, a table for each group, by its title."""
    found: dict[str, Table] = {}
    for one in audit["findings"].values():
        found.setdefault(one["group"], Table(HEADINGS, [])).rows.append(_row(one, audit["server"]))
    return found


def only(audit: AuditRecord, *verdicts: Verdict) -> AuditRecord:
    """The audit with the findings that have one of these verdicts."""
    words = {verdict.value for verdict in verdicts}
    return {**audit, "findings": {name: one for name, one in audit["findings"].items() if one["verdict"] in words}}


def skipped(audit: AuditRecord) -> Table:
    """The probes that did not run, and why: a row for each reason."""
    names: dict[str, list[str]] = {}
    for name, why in audit["skipped"].items():
        names.setdefault(why, []).append(name)
    return Table(("not asked", "because"), [(", ".join(those), why) for why, those in names.items()])


def what_to_do(finding: FindingRecord, server: str | None) -> str:
    """The advice, with the settings that change it; those of a known server also where there is nothing to do.

    server: the Server field of the target.
    """
    settings = settings_text(finding["topic"], server)
    if finding["advice"]:
        return f"{finding['advice']}; {settings}" if settings else finding["advice"]
    return settings if server_of(server) and finding["verdict"] != Verdict.UNKNOWN.value else ""


def verdict_counts(audit: AuditRecord) -> str:
    """How many findings have which verdict, the worst first: `1 violation, 2 warnings, 9 ok`."""
    counts = Counter(one["verdict"] for one in audit["findings"].values())
    return ", ".join(
        count(number, _PLURALS[verdict]) if verdict in _PLURALS else f"{number} {verdict.value}"
        for verdict in _WORST_FIRST
        if (number := counts[verdict.value])
    )


def audit_cost(audit: AuditRecord) -> str:
    """What the audit asked of the server, and how it ended where it did not run to its end."""
    spent = (
        f"{count(len(audit['findings']), 'check')}, {count(audit['requests'], 'request')} on "
        f"{count(audit['connections'], 'connection')} in {format_duration(audit['duration_ns'])}"
    )
    return "; ".join(filter(None, (spent, _ENDS.get(audit["end"]))))


def audit_facts(audit: AuditRecord) -> str:
    """What was looked at, and by which way: the line below its title."""
    facts = (
        f"Server: {audit['server']}" if audit["server"] else "no Server field",
        f"through the proxy {audit['proxy']}" if audit["proxy"] else "",
        f"origin {audit['origin']}" if audit["origin"] else "",
        audit_cost(audit),
        f"loadgen {audit['loadgen']}, {audit['started']}",
    )
    return " · ".join(filter(None, facts))


def _row(finding: FindingRecord, server: str | None) -> Row:
    return (
        finding["title"],
        finding["announced"] or ABSENT,
        finding["measured"],
        finding["verdict"],
        finding["section"] or ABSENT,
        what_to_do(finding, server),
    )
