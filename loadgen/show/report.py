"""A run's charts as files and its `report.html`: one page that needs nothing beside itself."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from loadgen.measure.data.store import RunStore
from loadgen.model.proxy import parse_proxy
from loadgen.model.units import format_duration
from loadgen.show import tables
from loadgen.show.charts import charts_of, draw
from loadgen.show.text import (
    AMORTISATION_HEADINGS,
    HEADINGS,
    amortisation_rows,
    load_text,
    markdown,
    phase_names,
    phase_rows,
    rows,
)

REPORT_FILE = "report.html"
MARKDOWN_FILE = "report.md"

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:78rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2.2rem}
.verdict{font-size:1.2rem;font-weight:600;border-left:4px solid #0072B2;padding:.4rem 1rem;background:#f3f7fa}
.warning{border-left:4px solid #D55E00;padding:.3rem 1rem;margin:.4rem 0;background:#fdf4ee;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .55rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{white-space:normal;vertical-align:bottom;min-width:3.5rem}th:first-child,td:first-child{white-space:normal}
th:first-child,td:first-child{text-align:left}img{width:100%;height:auto}figure{margin:1.4rem 0}
td.text{text-align:left;white-space:normal;overflow-wrap:anywhere}.facts{color:#555}
"""


def write_report(store: RunStore, summary: dict[str, Any]) -> None:
    """Draw the charts that fit the run into its folder and write the page. Raises OSError where the disk is full."""
    pictures = {}
    for name in charts_of(summary):
        files = draw(name, summary)
        for ending, content in files.items():
            store.write_bytes(f"{name}.{ending}", content)
        pictures[name] = files["svg"]
    store.write_text(REPORT_FILE, render(summary, pictures))
    store.write_text(MARKDOWN_FILE, markdown(summary))


def render(summary: dict[str, Any], pictures: dict[str, bytes]) -> str:
    """The page. Whatever a target or a user could have written is escaped."""
    plan = summary["plan"]
    title = f"{plan['method']} {plan['url']}"
    swept = summary["sweep"] is not None
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}: connection reuse</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p class=facts>{escape(_facts(summary))}</p>",
        f"<p class=verdict>{escape(summary['verdict'])}</p>",
        *(f"<p class=warning>{escape(one['code'])}: {escape(one['message'])}</p>" for one in summary["warnings"]),
        _section("Cells" if swept else "Policies", (("cell" if swept else "policy", *HEADINGS[1:]), rows(summary))),
        _section("How the cost of a connection is shared", (AMORTISATION_HEADINGS, amortisation_rows(summary)), _CURVE),
        _section("Differences", tables.differences(summary), _INTERVALS + _between(summary)),
        _section("Arrivals", tables.arrivals(summary)),
        _section("Phases: mean where the phase happened", (("policy", *phase_names(summary)), phase_rows(summary))),
        "<h2>Charts</h2>",
        *(_picture(name, svg) for name, svg in pictures.items()),
        _section("Connections and generator", tables.generator(summary)),
        _section("How connections ended", tables.endings(summary)),
        _section("Upgraded connections", tables.upgrades(summary), _UPGRADES + _target(summary)),
        _section("Trailers", tables.trailers(summary), tables.said_of_trailers(summary)),
        _section("What the sockets cost", tables.sockets(summary), _SOCKETS),
        _section("What the server spent", tables.server(summary)),
        "<h2>Environment</h2>",
        _environment(summary["environment"]),
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


_INTERVALS = (
    "In brackets: 95 % intervals from resampling whole rounds. Residual: what the candidate costs beyond its measured "
    "handshake."
)
_OTHERS = " Between two protocols the residual is also what each exchange costs in the one and in the other."
_UPGRADES = (
    "In WebSocket a request is a message with its answer, in HTTP/2 a stream. An upgrade is what a connection pays "
    "once, beside TCP and TLS. The one to h2c takes the first request along; HTTP/2 by ALPN or prior knowledge needs "
    "none, and in clear, where there is no ALPN, h2 is prior knowledge too. Declined: the connection went on in "
    "HTTP/1.1. One exchange: median of send + wait + receive on connections in use. Connections are those of the "
    "warm-up too. Framing is the generator's own work: it is in send, and in CPU per request."
)
_EMBEDDED = (
    " The embedded target frames HTTP/2 and WebSocket in Python: what an exchange costs with it says little of others."
)
_CURVE = (
    "A request's mean latency against K requests per connection, fitted as exchange + handshake / K. The K of 90 % is "
    "read off what was measured; by the model it follows from the smallest and largest K alone."
)
_SOCKETS = (
    "The kernel's counters are those of the whole network namespace: other programmes' sockets are in them. TCP's own "
    "are of a share of the connections. Added: sockets in TIME_WAIT that one block left, by the side that holds them."
)


def _between(summary: dict[str, Any]) -> str:
    """What must be said of differences where the policies speak several protocols."""
    return _OTHERS if len({one["protocol"] for one in summary["policies"].values()}) > 1 else ""


def _target(summary: dict[str, Any]) -> str:
    """What must be said of exchanges where the target is our own."""
    return _EMBEDDED if "embedded_target" in summary["environment"] else ""


def _facts(summary: dict[str, Any]) -> str:
    plan, environment = summary["plan"], summary["environment"]
    return (
        f"{load_text(plan)}, {_way(plan)}{plan['rounds']} rounds of {format_duration(plan['block_ns'])} blocks "
        f"({format_duration(plan['warmup_ns'])} warm-up), seed {plan['seed']}, "
        f"run {summary['run']}, {environment['started']}"
    )


def _way(plan: dict[str, Any]) -> str:
    """The proxy that requests went by, if any, without what stands for its credentials."""
    return f"by way of the proxy {parse_proxy(plan['proxy'])}, " if plan.get("proxy") else ""


def _environment(environment: dict[str, Any]) -> str:
    lines = []
    for name, value in environment.items():
        text = _text(value)
        # The embedded target's own account lists every connection length; the page needs no such list.
        lines.append(f"<tr><td>{escape(name)}<td class=text>{escape(text[:400])}")
    return f"<div class=scroll><table>{''.join(lines)}</table></div>"


def _text(value: Any) -> str:
    """A value of the environment on one line."""
    if not isinstance(value, dict):
        return str(value)
    texts = {key: f"({_text(item)})" if isinstance(item, dict) else f"{item}" for key, item in value.items()}
    return ", ".join(f"{key} {text}" for key, text in texts.items())


def _section(title: str, table: tables.Table, note: str = "") -> str:
    """A heading with its table; nothing where the table has no rows."""
    headings, lines = table
    if not lines:
        return ""
    head = "".join(f"<th>{escape(heading)}" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in line) for line in lines)
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<h2>{escape(title)}</h2><div class=scroll><table><tr>{head}{body}</table></div>{below}"


def _picture(name: str, svg: bytes) -> str:
    # As an image, not inline: ids of several drawings would meet in one page.
    data = base64.b64encode(svg).decode("ascii")
    return f"<figure><img alt='{escape(name.replace('_', ' '))}' src='data:image/svg+xml;base64,{data}'></figure>"
