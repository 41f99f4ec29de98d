"""`history.html`: the headline of each run of a folder, over time, on one page that needs no other file."""

from __future__ import annotations

from typing import Any

from loadgen.model.characters import visible
from loadgen.model.history_record import HistoryGroup, HistoryRecord, HistoryRun
from loadgen.model.units import count
from loadgen.show.export.html_line_data import LineChart, line, point, value_axis
from loadgen.show.export.page import escape, figure_html, opening, section_html, table_html
from loadgen.show.export.scripts import ChartData, scripted_policy, scripts_html
from loadgen.show.ordering import MAX_SERIES
from loadgen.show.tables.history_rows import (
    RunFigure,
    by_latest_run,
    folder_of,
    history_table,
    mean_of,
    pairs_of,
    policies_of,
    ratio_of,
)
from loadgen.show.tables.table import Table

MAX_GROUPS = 20
"""Groups with charts; of more the latest."""
_NOTE = "Lines through points: 95 % intervals. Dotted: the environment changed there."


def history_html(history: HistoryRecord) -> str:
    """The page, the group with the latest run first."""
    groups = by_latest_run(history)[::-1]
    data = _chart_data(groups[:MAX_GROUPS])
    runs = sum(len(group["runs"]) for group in groups)
    title = "What reuse buys, run by run"
    left_out = Table(("folder", "why"), [(one["path"], one["reason"]) for one in history["left_out"]])
    parts = [
        opening(title, scripted_policy()),
        f"<h1>{title}</h1><p class=facts>{count(runs, 'run')} of {count(len(groups), 'plan')}. {_NOTE}</p>",
        *(_group_html(number, group, data) for number, group in enumerate(groups)),
        section_html("Left out", left_out, of_class=" class=text"),
        scripts_html(data),
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _group_html(number: int, group: HistoryGroup, data: ChartData) -> str:
    titles = {f"ratios_{number}": "Ratio of mean latencies", f"means_{number}": "Mean latency"}
    figures = [figure_html(name, title) for name, title in titles.items() if name in data.get("lines", {})]
    table = table_html(history_table(group))
    return "\n".join((f"<h2>{escape(group['title'])}</h2>", *figures, table))


def _chart_data(groups: list[HistoryGroup]) -> ChartData:
    lines: dict[str, Any] = {}
    for number, group in enumerate(groups):
        runs = group["runs"]
        ratios = [(f"{pair[1]} / {pair[0]}", [ratio_of(run, pair) for run in runs]) for pair in pairs_of(group)]
        means = [(name, [mean_of(run, name) for run in runs]) for name in policies_of(group)]
        for kind, y, found in (
            ("ratios", value_axis("candidate / baseline", "ratio", "linear"), ratios),
            ("means", value_axis("mean latency", "ns", "linear"), means),
        ):
            drawn = [_line(label, figures) for label, figures in found[:MAX_SERIES]]
            if any(one["points"] for one in drawn):
                lines[f"{kind}_{number}"] = {"x": _runs_axis(runs), "y": y, "lines": drawn}
    return {"lines": lines} if lines else {}


def _line(label: str, figures: list[RunFigure]) -> LineChart:
    return line(label, [point(at, *figure) for at, figure in enumerate(figures) if figure[0] is not None])


def _runs_axis(runs: list[HistoryRun]) -> dict[str, Any]:
    """With `marks` beside what the report's charts have: [place, text] where the environment changed."""
    changed = [(at, ", ".join(fact["what"] for fact in run["changed"])) for at, run in enumerate(runs)]
    return {
        "label": "run",
        "ticks": [[at, visible(folder_of(run))] for at, run in enumerate(runs)],
        "marks": [[at - 0.5, f"changed: {visible(what)}"] for at, what in changed if what],
        "margin": 0.5,
    }
