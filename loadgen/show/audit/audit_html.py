"""An audit as a page that needs no other file: what was found, by group, and a picture of its connections."""

from __future__ import annotations

from loadgen.model.audit import AuditRecord, Verdict
from loadgen.show.audit.timeline import draw_timeline
from loadgen.show.export.findings_html import findings_html
from loadgen.show.export.page import escape, opening, picture, table_html
from loadgen.show.tables.findings import audit_facts, skipped, verdict_counts, what_to_do

_SHOWN_FIRST = (Verdict.VIOLATION, Verdict.WARNING)
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
        findings_html(audit),
        _timeline(audit),
        f"<h2>Not asked</h2>{table_html(skipped(audit), ' class=text')}" if audit["skipped"] else "",
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


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
