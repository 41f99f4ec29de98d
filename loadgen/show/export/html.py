"""`report.html`: verdict, tables and charts on one page that needs no other file.

Whatever a target or a user could have written is escaped. The page's own policy lets a browser run no script and fetch
nothing, whatever a text in it may say.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape as escape_html
from typing import TextIO

from loadgen.model.characters import visible
from loadgen.model.proxy import parse_proxy
from loadgen.model.run_record import PlanRecord
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show import tables
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.html_notes import curve_note, differences_note, sockets_note, upgrades_note
from loadgen.show.formatting import load_text, rounds_text

# On a narrow screen tables and charts scroll in their frames; a shadow at an edge says that there is more beyond it.
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:78rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2.2rem}
.verdict{font-size:1.2rem;font-weight:600;border-left:4px solid #0072B2;padding:.4rem 1rem;background:#f3f7fa}
.warning{border-left:4px solid #D55E00;padding:.3rem 1rem;margin:.4rem 0;background:#fdf4ee;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:linear-gradient(90deg,#fff 1.5rem,#fff0) 0/3rem 100% no-repeat local,
linear-gradient(270deg,#fff 1.5rem,#fff0) 100%/3rem 100% no-repeat local,
linear-gradient(90deg,#0004,#0000) 0/.7rem 100% no-repeat,linear-gradient(270deg,#0004,#0000) 100%/.7rem 100% no-repeat}
table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .35rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{white-space:normal;vertical-align:bottom;min-width:3.5rem}th:first-child,td:first-child{white-space:normal}
th:first-child,td:first-child{text-align:left}
img{display:block;width:100%;min-width:42rem;height:auto;mix-blend-mode:multiply}figure{margin:1.4rem 0}
th.text{text-align:left}td.text{text-align:left;min-width:4.5rem;white-space:normal;overflow-wrap:anywhere}.facts{color:#555}
"""
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of the page (W3C CSP 3): its own style, and pictures that are inside."""
_MAX_VALUE_LENGTH = 400  # a target may send a long Server field


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with its table and a note below; left out where the table has no rows."""

    title: str
    table: Callable[[Summary], tables.Table]
    note: Callable[[Summary], str] = lambda _: ""
    is_text: bool = False
    """Its cells are sentences, which may take several lines."""


_ABOVE_CHARTS = (
    _Section("How the cost of a connection is shared", tables.amortisation, curve_note),
    _Section("Differences", tables.differences, differences_note),
    _Section("Arrivals", tables.arrivals),
    _Section("Phases: mean where the phase happened", tables.phases, tables.floor_note),
)
_BELOW_CHARTS = (
    _Section("Connections", tables.connections),
    _Section("How connections ended", tables.endings, tables.endings_note),
    _Section("Upgraded connections", tables.upgrades, upgrades_note),
    _Section("Trailers", tables.trailers, tables.trailers_note),
    _Section("Deviations from HTTP/1.1", tables.lenient, tables.lenient_note),
    _Section("What the sockets cost", tables.sockets, sockets_note),
    _Section("What the server spent", tables.server),
    _Section("Self-checks", tables.checks, tables.checks_note, is_text=True),
    _Section("The generator's own part", tables.generator, tables.generator_note),
    _Section("How the pilot chose the load", tables.pilot, tables.pilot_note),
)


def render(summary: Summary, pictures: Mapping[str, bytes]) -> str:
    """The page, with the SVG pictures of charts by name."""
    plan = summary["plan"]
    title = f"{plan['method']} {plan['url']}"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f'<meta http-equiv=Content-Security-Policy content="{POLICY}">',  # before whatever it is to hold for
        f"<title>{escape(title)}: connection reuse</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p class=facts>{escape(_facts(summary))}</p>",
        f"<p class=verdict>{escape(summary['verdict'])}</p>",
        *(f"<p class=warning>{escape(one['code'])}: {escape(one['message'])}</p>" for one in summary["warnings"]),
        _policies(summary),
        *(_section(one, summary) for one in _ABOVE_CHARTS),
        "<h2>Charts</h2>",
        *(_picture(name, svg) for name, svg in pictures.items()),
        *(_section(one, summary) for one in _BELOW_CHARTS),
        "<h2>Environment</h2>",
        _environment(summary),
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def escape(text: str) -> str:
    """A text in the page, of which every character shows."""
    return escape_html(visible(text))


def _facts(summary: Summary) -> str:
    plan, environment = summary["plan"], summary["environment"]
    return (
        f"{load_text(plan)}, {_proxy(plan)}{rounds_text(summary)} of "
        f"{format_duration(plan['block_ns'])} blocks "
        f"({format_duration(plan['warmup_ns'])} warm-up), seed {plan['seed']}, "
        f"run {summary['run']}, {environment['started']}"
    )


def _proxy(plan: PlanRecord) -> str:
    """The proxy that requests went by, if any, without the mark for its credentials."""
    proxy = plan.get("proxy")  # a plan of an earlier version has no such key
    return f"by way of the proxy {parse_proxy(proxy)}, " if proxy else ""


def _policies(summary: Summary) -> str:
    table = tables.policies(summary)
    if summary["sweep"] is None:
        return _table("Policies", table)
    return _table("Cells", tables.Table(("cell", *table.headings[1:]), table.rows))


def _section(section: _Section, summary: Summary) -> str:
    return _table(
        section.title, section.table(summary), section.note(summary), " class=text" if section.is_text else ""
    )


def _table(title: str, table: tables.Table, note: str = "", of_class: str = "") -> str:
    if not table.rows:
        return ""
    head = "".join(f"<th{of_class}>{escape(heading)}" for heading in table.headings)
    body = "".join("<tr>" + "".join(f"<td{of_class}>{escape(cell)}" for cell in row) for row in table.rows)
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<h2>{escape(title)}</h2><div class=scroll tabindex=0><table><tr>{head}{body}</table></div>{below}"


def _environment(summary: Summary) -> str:
    rows = [
        f"<tr><td>{escape(name)}<td class=text>{escape(value[:_MAX_VALUE_LENGTH])}"
        for name, value in tables.environment(summary).rows
    ]
    return f"<div class=scroll tabindex=0><table>{''.join(rows)}</table></div>"


def _picture(name: str, svg: bytes) -> str:
    # As an image, not inline: ids of several drawings would clash in one page.
    data = base64.b64encode(svg).decode("ascii")
    image = f"<img alt='{escape(name.replace('_', ' '))}' src='data:image/svg+xml;base64,{data}'>"
    return f"<figure class=scroll tabindex=0>{image}</figure>"


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(render(run.summary, {name: files["svg"] for name, files in run.charts.items()}))


HTML = Exporter(
    name="html",
    file_name="report.html",
    title="report",
    help="Verdict, tables and charts on one page that needs no other file.",
    written=Written.UNLESS_NO_CHARTS,
    write=_write,
)
