"""A run's charts as files and its `report.html`: one page that needs nothing beside itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from typing import Any

from loadgen.measure.store import RunStore
from loadgen.model.units import count, format_duration
from loadgen.show.charts import CHARTS, draw
from loadgen.show.text import HEADINGS, PHASES, markdown, phase_rows, rows

REPORT_FILE = "report.html"
MARKDOWN_FILE = "report.md"

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2.2rem}
.verdict{font-size:1.2rem;font-weight:600;border-left:4px solid #0072B2;padding:.4rem 1rem;background:#f3f7fa}
.warning{border-left:4px solid #D55E00;padding:.3rem 1rem;margin:.4rem 0;background:#fdf4ee;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}img{width:100%;height:auto}figure{margin:1.4rem 0}
td.text{text-align:left;white-space:normal;overflow-wrap:anywhere}.facts{color:#555}
"""


def write_report(store: RunStore, summary: dict[str, Any]) -> None:
    """Draw every chart into the run's folder and write the page. Raises OSError where the disk is full."""
    pictures = {}
    for name in CHARTS:
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
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}: connection reuse</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p class=facts>{escape(_facts(summary))}</p>",
        f"<p class=verdict>{escape(summary['verdict'])}</p>",
        *(f"<p class=warning>{escape(one['code'])}: {escape(one['message'])}</p>" for one in summary["warnings"]),
        "<h2>Policies</h2>",
        _table(HEADINGS, rows(summary)),
        "<h2>Differences</h2>",
        _table(_DIFFERENCE_HEADINGS, [_difference_row(one) for one in summary["comparisons"]]),
        "<p>In brackets: 95 % intervals from resampling whole rounds. Residual: what the candidate costs beyond its "
        "measured handshake.</p>",
        "<h2>Phases: mean where the phase happened</h2>",
        _table(("policy", *PHASES), phase_rows(summary)),
        "<h2>Charts</h2>",
        *(_picture(name, svg) for name, svg in pictures.items()),
        "<h2>Connections and generator</h2>",
        _table(_SIDE_HEADINGS, [_side_row(name, one) for name, one in summary["policies"].items()]),
        "<h2>Environment</h2>",
        _environment(summary["environment"]),
        "</html>\n",
    ]
    return "\n".join(parts)


_DIFFERENCE_HEADINGS = (
    "candidate", "baseline", "p50 difference", "p50 ratio", "throughput ratio", "handshake", "residual",
)  # fmt: skip
_SIDE_HEADINGS = (
    "policy", "requests", "requests per connection", "closed by client", "closed by server", "TLS full", "TLS resumed",
    "CPU per request", "lag p99",
)  # fmt: skip


def _facts(summary: dict[str, Any]) -> str:
    plan, environment = summary["plan"], summary["environment"]
    return (
        f"{count(plan['users'], 'user')}, think {format_duration(plan['think_ns'])}, {plan['rounds']} rounds of "
        f"{format_duration(plan['block_ns'])} blocks ({format_duration(plan['warmup_ns'])} warm-up), "
        f"seed {plan['seed']}, "
        f"run {summary['run']}, {environment['started']}"
    )


def _difference_row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["candidate"],
        one["baseline"],
        _with_interval(one["latency_p50_delta_ns"], one["latency_p50_delta_ci95"], format_duration),
        _with_interval(one["latency_p50_ratio"], one["latency_p50_ratio_ci95"], "{:.2f}".format),
        _with_interval(one["throughput_ratio"], one["throughput_ratio_ci95"], "{:.3f}".format),
        format_duration(one["handshake_mean_ns"]),
        format_duration(one["residual_mean_ns"]),
    )


def _with_interval(value: float, interval: list[float] | None, write: Callable[[float], str]) -> str:
    return write(value) + ("" if interval is None else f" [{write(interval[0])}, {write(interval[1])}]")


def _side_row(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    connections, generator = one["connections"], one["generator"]
    cpu, lag = generator["cpu_ns_per_request"], generator["lag_p99_ns"]
    return (
        name,
        f"{one['requests']:,}",
        f"{connections['requests_per_connection']:,.4g}",
        f"{connections['closed_by']['client']:,}",
        f"{connections['closed_by']['server']:,}",
        f"{connections['tls_full']:,}",
        f"{connections['tls_resumed']:,}",
        "–" if cpu is None else format_duration(cpu),
        "–" if lag is None else format_duration(lag),
    )


def _environment(environment: dict[str, Any]) -> str:
    lines = []
    for name, value in environment.items():
        text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
        # The embedded target's own account lists every connection length; the page needs no such list.
        lines.append(f"<tr><td>{escape(name)}<td class=text>{escape(text[:400])}")
    return f"<div class=scroll><table>{''.join(lines)}</table></div>"


def _table(headings: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(heading)}" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in line) for line in lines)
    return f"<div class=scroll><table><tr>{head}{body}</table></div>"


def _picture(name: str, svg: bytes) -> str:
    # As an image, not inline: ids of several drawings would meet in one page.
    data = base64.b64encode(svg).decode("ascii")
    return f"<figure><img alt='{escape(name.replace('_', ' '))}' src='data:image/svg+xml;base64,{data}'></figure>"
