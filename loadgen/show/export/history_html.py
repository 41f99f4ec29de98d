"""`history.html`: the headline of each run of a folder, over time, on one page that needs no other file."""

from __future__ import annotations

from typing import Any

from loadgen.model.characters import visible
from loadgen.model.history_record import HistoryGroup, HistoryRecord, HistoryRun
from loadgen.model.units import count
from loadgen.show.export.page import escape, figure_html, opening, section_html, table_html
from loadgen.show.export.scripts import ChartData, scripted_policy, scripts_html
from loadgen.show.ordering import MAX_SERIES
from loadgen.show.tables.history_rows import history_table, pairs_of, policies_of, ratio_of
from loadgen.show.tables.table import Table

MAX_GROUPS = 20
"""Groups with charts; of more the latest."""
_NOTE = "Lines through points: 95 % intervals. Dotted: the environment changed there."


def history_html(history: HistoryRecord) -> str:
    """The page, the group with the latest run first."""
    groups = sorted(history["groups"], key=lambda group: group["runs"][-1]["started"], reverse=True)
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
        for kind, unit, found in (("ratios", "ratio", _ratio_lines(group)), ("means", "ns", _mean_lines(group))):
            if any(line["points"] for line in found):
                lines[f"{kind}_{number}"] = _chart(group["runs"], unit, found)
    return {"lines": lines} if lines else {}


def _chart(runs: list[HistoryRun], unit: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """As the report's line charts (html_line_data.py), with `marks`: [place, text] where the environment changed."""
    changed = [(at, ", ".join(fact["what"] for fact in run["changed"])) for at, run in enumerate(runs)]
    return {
        "x": {
            "label": "run",
            "ticks": [[at, visible(run["run"])] for at, run in enumerate(runs)],
            "marks": [[at - 0.5, f"changed: {visible(what)}"] for at, what in changed if what],
            "margin": 0.5,
        },
        "y": {"label": {"ns": "mean latency", "ratio": "candidate / baseline"}[unit], "unit": unit, "scale": "linear"},
        "lines": lines,
    }


def _ratio_lines(group: HistoryGroup) -> list[dict[str, Any]]:
    return [
        {
            "label": visible(f"{candidate} / {baseline}"),
            "points": [
                [at, found[0], *(found[1] or (None, None))]
                for at, run in enumerate(group["runs"])
                if (found := ratio_of(run, (baseline, candidate))) is not None
            ],
        }
        for baseline, candidate in pairs_of(group)[:MAX_SERIES]
    ]


def _mean_lines(group: HistoryGroup) -> list[dict[str, Any]]:
    return [
        {
            "label": visible(name),
            "points": [
                [at, policy["latency_mean_ns"], *(policy["latency_mean_ci95"] or (None, None))]
                for at, run in enumerate(group["runs"])
                if (policy := run["policies"].get(name)) and policy["latency_mean_ns"] is not None
            ],
        }
        for name in policies_of(group)[:MAX_SERIES]
    ]
