"""`report.html`: verdict, tables and charts on one page that needs no other file. How a page looks: page.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

from loadgen.model.diff_record import DiffRecord
from loadgen.model.plan_record import PlanRecord
from loadgen.model.proxy import parse_proxy
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show import tables
from loadgen.show.export.cards import verdict_html
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.findings_html import findings_html
from loadgen.show.export.html_advice import advice_html
from loadgen.show.export.html_answer import answer_html
from loadgen.show.export.html_chart_data import chart_data
from loadgen.show.export.html_charts import charts_html
from loadgen.show.export.html_notes import curve_note, differences_note, sockets_note, upgrades_note
from loadgen.show.export.html_waterfall import waterfall_html
from loadgen.show.export.page import escape, opening, section_html
from loadgen.show.export.scripts import scripted_policy, scripts_html
from loadgen.show.formatting import length_text, load_text, target_text
from loadgen.show.tables.run_changes import old_runs

_DIFF_PAGE = "Charts and tables of it are in diff.html, in the run's folder."
_MAX_VALUE_LENGTH = 400  # a target may send a long Server field


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with its table and a note below; left out where the table has no rows."""

    title: str
    table: Callable[[Summary], tables.Table]
    note: Callable[[Summary], str] = lambda _: ""
    is_text: bool = False
    """Its cells are sentences, which may take several lines."""


_GATES = _Section("Gates", tables.gates, tables.gates_note, is_text=True)
_SECTIONS = (
    _Section("How the cost of a connection is shared", tables.amortisation, curve_note),
    _Section("Differences", tables.differences, differences_note),
    _Section("Requests by name", tables.named_requests, tables.named_requests_note),
    _Section("Requests and connections by origin", tables.origins, tables.origins_note),
    _Section("Arrivals", tables.arrivals),
    _Section("Phases: mean where the phase happened", tables.phases, tables.floor_note),
    _Section("Connections", tables.connections),
    _Section("How connections ended", tables.endings, tables.endings_note),
    _Section("Where connections and requests went", tables.balance, tables.balance_note),
    _Section("Bodies that waited for 100 Continue", tables.continues, tables.continues_note),
    _Section("Attempts to connect", tables.races, tables.races_note),
    _Section("Upgraded connections", tables.upgrades, upgrades_note),
    _Section("Trailers", tables.trailers, tables.trailers_note),
    _Section("Deviations from HTTP/1.1", tables.lenient, tables.lenient_note),
    _Section("What the sockets cost", tables.sockets, sockets_note),
    _Section("What the server spent", tables.server),
    _Section("Self-checks", tables.checks, tables.checks_note, is_text=True),
    _Section("The generator's own part", tables.generator, tables.generator_note),
    _Section("How the pilot chose the load", tables.pilot, tables.pilot_note),
)


def render(summary: Summary, pictures: Mapping[str, bytes], diff: DiffRecord | None = None) -> str:
    """The page, with the SVG pictures of charts by name. diff: what changed since a baseline."""
    plan, data = summary["plan"], chart_data(summary)
    title = f"{plan['method']} {target_text(plan)}"
    parts = [
        opening(f"{title}: connection reuse", scripted_policy()),
        f"<h1>{escape(title)}</h1><p class=facts>{escape(_facts(summary))}</p>",
        answer_html(summary),
        waterfall_html(summary),
        _section(_GATES, summary),
        advice_html(summary),
        "" if diff is None else _diff(diff),
        charts_html(data, pictures),
        _policies(summary),
        *(_section(one, summary) for one in _SECTIONS),
        _audit(summary),
        "<h2>Environment</h2>",
        _environment(summary),
        scripts_html(data),
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _facts(summary: Summary) -> str:
    plan, environment = summary["plan"], summary["environment"]
    return (
        f"{load_text(plan)}, {_proxy(plan)}{length_text(summary)} "
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
        return section_html("Policies", table)
    return section_html("Cells", tables.Table(("cell", *table.headings[1:]), table.rows))


def _section(section: _Section, summary: Summary) -> str:
    return section_html(
        section.title, section.table(summary), section.note(summary), " class=text" if section.is_text else ""
    )


def _diff(diff: DiffRecord) -> str:
    """What changed, in words; its charts and its table have a page of their own."""
    old = escape(old_runs(diff))
    return f"<h2>What changed since {old}</h2>{verdict_html(diff['verdict'])}<p class=facts>{_DIFF_PAGE}</p>"


def _audit(summary: Summary) -> str:
    """What an audit before the load found out; empty where there was none."""
    audit = summary["environment"].get("audit")
    if audit is None:
        return ""
    note = f"<p>{escape(tables.audited_note(summary))}</p>"
    return f"<h2>What the target does with connections</h2>{findings_html(audit)}{note}"


def _environment(summary: Summary) -> str:
    rows = [
        f"<tr><td>{escape(name)}<td class=text>{escape(value[:_MAX_VALUE_LENGTH])}"
        for name, value in tables.environment(summary).rows
    ]
    return f"<div class=scroll tabindex=0><table>{''.join(rows)}</table></div>"


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(render(run.summary, {name: files["svg"] for name, files in run.charts.items()}, run.diff))


HTML = Exporter(
    name="html",
    file_name="report.html",
    title="report",
    help="Verdict, tables and charts on one page that needs no other file.",
    written=Written.UNLESS_NO_CHARTS,
    write=_write,
)
