"""An audit in Markdown, for an issue: one table, and what to do about each finding that is not as it should be."""

from __future__ import annotations

from loadgen.model.audit import AuditRecord, Verdict
from loadgen.show.export.markdown import escape, table_markdown
from loadgen.show.tables.findings import HEADINGS, audit_facts, findings, skipped, verdict_counts, what_to_do
from loadgen.show.tables.table import Table

_MARKS = {"ok": "ok", "note": "note", "warning": "**warning**", "violation": "**violation**", "unknown": "unknown"}
_WITH_ADVICE = (Verdict.VIOLATION, Verdict.WARNING, Verdict.NOTE)


def audit_markdown(audit: AuditRecord) -> str:
    """The page. The advice is a list below the table, where lines are not narrow."""
    head, rule, *rows = table_markdown(Table(HEADINGS[:-1], [row[:-1] for row in findings(audit).rows])).splitlines()
    marked = [
        row.replace(f"| {one['verdict']} |", f"| {_MARKS[one['verdict']]} |")
        for row, one in zip(rows, audit["findings"].values(), strict=True)
    ]
    parts = [
        f"**loadgen probe {escape(audit['url'])}**: {verdict_counts(audit)}\n",
        f"{escape(audit_facts(audit))}\n",
        "\n".join((head, rule, *marked)) + "\n",
        _advice(audit),
        *(f"Not asked: {escape(name)} ({escape(why)})\n" for name, why in skipped(audit).rows),
    ]
    return "\n".join(part for part in parts if part)


def _advice(audit: AuditRecord) -> str:
    return "".join(
        f"- {escape(one['title'])}: {escape(what_to_do(one, audit['server']))}\n"
        for verdict in _WITH_ADVICE
        for one in audit["findings"].values()
        if one["verdict"] == verdict.value and one["advice"]
    )
