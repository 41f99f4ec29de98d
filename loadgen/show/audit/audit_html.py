"""An audit as a page that needs no other file: what was found, by group, and a picture of its connections."""

from __future__ import annotations

from loadgen.model.audit import AuditRecord, Verdict
from loadgen.show.audit.timeline import draw_timeline
from loadgen.show.export.page import escape, opening, picture, table_html
from loadgen.show.tables.findings import (
    HEADINGS,
    audit_facts,
    findings_by_group,
    skipped,
    verdict_counts,
    what_to_do,
)
from loadgen.show.tables.table import Row

_SHOWN_FIRST = (Verdict.VIOLATION, Verdict.WARNING)
_CLASSES = {"measured": "text long", "what to do": "text long"}
_TIMELINE_NOTE = (
    "Each line is one connection, from the moment at which it began to open. Of very many that one check opened, some "
    "are drawn."
)


def audit_html(audit: AuditRecord) -> str:
    """The page."""
    title = f"Connections of {audit['url']}"
    parts = [
        opening(title),
        f"<h1>{escape(title)}</h1><p class=facts>{escape(audit_facts(audit))}</p>",
        f"<p class=verdict>{escape(verdict_counts(audit))}</p>",
        *_problems(audit),
        _findings(audit),
        _timeline(audit),
        f"<h2>Not asked</h2>{table_html(skipped(audit), ' class=text')}" if audit["skipped"] else "",
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _findings(audit: AuditRecord) -> str:
    """One table for all groups, so that its columns stand below each other."""
    head = "".join(f"<th class=text>{escape(heading)}" for heading in HEADINGS)
    body = "".join(
        f"<tr><th class=group colspan={len(HEADINGS)}>{escape(group)}" + "".join(map(_row, table.rows))
        for group, table in findings_by_group(audit).items()
    )
    return f"<div class=scroll tabindex=0><table><tr>{head}{body}</table></div>"


def _row(row: Row) -> str:
    classes = [_CLASSES.get(heading, "text") for heading in HEADINGS]
    classes[HEADINGS.index("verdict")] = f"text is-{row[HEADINGS.index('verdict')]}"
    return "<tr>" + "".join(f"<td class='{one}'>{escape(cell)}" for one, cell in zip(classes, row, strict=True))


def _problems(audit: AuditRecord) -> list[str]:
    """What breaks a rule, or will lose requests or time: the worst first."""
    found = [
        (verdict, one) for verdict in _SHOWN_FIRST for one in audit["findings"].values() if one["verdict"] == verdict
    ]
    return [
        f"<p class=warning>{verdict}: <b>{escape(one['title'])}</b>: {escape(one['measured'])}"
        + (f"<br>→ {escape(what_to_do(one, audit['server']))}</p>" if one["advice"] else "</p>")
        for verdict, one in found
    ]


def _timeline(audit: AuditRecord) -> str:
    if not audit.get("traces"):
        return ""
    return f"<h2>Connections</h2>{picture('timeline of connections', draw_timeline(audit))}<p>{_TIMELINE_NOTE}</p>"
