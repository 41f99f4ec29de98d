"""The findings of an audit as a table of a page: those of an audit alone, and those of a run that began with one."""

from __future__ import annotations

from loadgen.model.audit import AuditRecord
from loadgen.show.export.page import escape
from loadgen.show.tables.findings import HEADINGS, findings_by_group
from loadgen.show.tables.table import Row

_CLASSES = {"measured": "text long", "what to do": "text long", "rule": "text short"}
_LONG = 24  # characters of any other cell that need more room on a phone


def findings_html(audit: AuditRecord) -> str:
    """One table for all groups, so that its columns stand below each other."""
    head = "".join(f"<th class=text>{escape(heading)}" for heading in HEADINGS)
    body = "".join(
        f"<tr><th class=group colspan={len(HEADINGS)}>{escape(group)}" + "".join(map(_row, table.rows))
        for group, table in findings_by_group(audit).items()
    )
    return f"<div class=scroll tabindex=0><table><tr>{head}{body}</table></div>"


def _row(row: Row) -> str:
    classes = [
        _CLASSES.get(heading, "text long" if len(cell) > _LONG else "text")
        for heading, cell in zip(HEADINGS, row, strict=True)
    ]
    classes[HEADINGS.index("verdict")] = f"text is-{escape(row[HEADINGS.index('verdict')])}"
    return "<tr>" + "".join(f"<td class='{one}'>{escape(cell)}" for one, cell in zip(classes, row, strict=True))
