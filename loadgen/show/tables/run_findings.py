"""What the audit before a run's load found out (`--probe`), as a table of the report. Knows no figure of the load."""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.summary import Summary
from loadgen.show.tables.findings import HEADINGS, audit_cost, findings, only, verdict_counts
from loadgen.show.tables.table import Table

_NOTABLE = (Verdict.VIOLATION, Verdict.WARNING, Verdict.NOTE)


def notable_findings(summary: Summary) -> Table:
    """Those that are not as they should be, or worth knowing; no rows where there was no audit."""
    audit = summary["environment"].get("audit")
    return Table(HEADINGS, []) if audit is None else findings(only(audit, *_NOTABLE))


def audited_note(summary: Summary) -> str:
    """How many findings there are of each verdict, and what the audit cost; empty where there was none."""
    audit = summary["environment"].get("audit")
    if audit is None:
        return ""
    return f"Audit before the load: {verdict_counts(audit)} ({audit_cost(audit)})."
