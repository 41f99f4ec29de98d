"""A history as a page: a pair of charts for each plan, the latest first."""

from __future__ import annotations

import json
import re
from typing import Any

from loadgen.show.export.history_html import MAX_GROUPS, history_html


def run(name: str, mean_ns: int | None = 2_000_000, ratio: float | None = 2.0, changed: str = "") -> Any:
    comparison = {
        "baseline": "persistent",
        "candidate": "close",
        "latency_mean_ratio": ratio,
        "latency_mean_ratio_ci95": [1.5, 2.5],
    }
    return {
        "run": name,
        "path": f"results/{name}",
        "started": f"2026-01-{name}T00:00:00+00:00",
        "changed": [{"what": changed, "old": "a", "new": "b", "is_refused": True}] if changed else [],
        "policies": {"close": {"latency_mean_ns": mean_ns, "latency_mean_ci95": None, "throughput_rps": 1.0}},
        "comparisons": [] if ratio is None else [comparison],
    }


def history(*groups: Any, **more: Any) -> Any:
    return {"schema": 1, "groups": [{"title": title, "runs": runs} for title, runs in groups], "left_out": [], **more}


def lines(page: str) -> Any:
    return json.loads(re.findall(r"id=loadgen-data>(.*?)</script>", page)[0])["lines"]


def test_runs_are_points_with_their_intervals_and_changes_are_marked() -> None:
    group = [run("01"), run("02", None, None), run("03", changed="Python")]
    page = history_html(history(("GET http://h/", group)))
    charts = lines(page)
    assert charts.keys() == {"ratios_0", "means_0"}
    assert charts["ratios_0"]["lines"] == [
        {"label": "close / persistent", "points": [[0, 2.0, 1.5, 2.5], [2, 2.0, 1.5, 2.5]]}
    ]
    assert charts["means_0"]["lines"][0]["points"] == [[0, 2_000_000, None, None], [2, 2_000_000, None, None]]
    assert charts["ratios_0"]["x"]["marks"] == [[1.5, "changed: Python"]]
    assert [text for _, text in charts["ratios_0"]["x"]["ticks"]] == ["01", "02", "03"]


def test_the_plan_with_the_latest_run_comes_first_and_old_ones_have_a_table_alone() -> None:
    groups = [(f"plan {number:02}", [run(f"{number:02}")]) for number in range(1, MAX_GROUPS + 2)]
    page = history_html(history(*groups))
    assert page.index("plan 21") < page.index("plan 20") < page.index("plan 01")
    assert page.count("<figure") == 2 * MAX_GROUPS
    assert page.count("<table>") == MAX_GROUPS + 1


def test_without_any_figure_there_is_no_chart_and_what_was_left_out_is_said() -> None:
    left_out = [{"path": "results/<b>", "reason": "cut"}]
    page = history_html(history(("GET", [run("01", None, None)]), left_out=left_out))
    assert "<figure" not in page
    assert "<td class=text>results/&lt;b&gt;<td class=text>cut" in page
