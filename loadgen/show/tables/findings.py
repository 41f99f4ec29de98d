"""The findings of an audit as a table of text. Reads no file."""

from __future__ import annotations

from loadgen.model.audit import AuditRecord
from loadgen.show.formatting import ABSENT
from loadgen.show.tables.table import Row, Table

HEADINGS = ("check", "announced", "measured", "verdict", "rule", "what to do")


def findings(audit: AuditRecord) -> Table:
    """One row for each finding, in the order of the audit."""
    rows: list[Row] = [
        (
            one["title"],
            one["announced"] or ABSENT,
            one["measured"],
            one["verdict"],
            one["section"] or ABSENT,
            one["advice"] or "",
        )
        for one in audit["findings"].values()
    ]
    return Table(HEADINGS, rows)
