"""A history as tables and chart."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from loadgen.show.charts import draw_history
from loadgen.show.tables.history_rows import MAX_SHOWN, by_latest_run, history_table

RUN: dict[str, Any] = {
    "run": "r1",
    "path": "results/r1",
    "started": "2026-01-02T03:04:05+00:00",
    "changed": [],
    "policies": {
        "persistent": {"latency_mean_ns": 1_000_000, "latency_mean_ci95": [900_000, 1_100_000], "throughput_rps": 9.0},
        "close": {"latency_mean_ns": None, "latency_mean_ci95": None, "throughput_rps": 0.0},
    },
    "comparisons": [
        {
            "baseline": "persistent",
            "candidate": "close",
            "latency_mean_ratio": 1.5,
            "latency_mean_ratio_ci95": [1.4, 1.6],
        }
    ],
}


def later(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(RUN) | {"run": "r2", "path": "results/r2"} | changes


def test_the_headline_comes_first() -> None:
    changed = [{"what": "Python", "old": "1", "new": "2", "is_refused": True}]
    group: Any = {"title": "GET it", "runs": [RUN, later(comparisons=[], changed=changed)]}
    table = history_table(group)
    assert table.headings == ("run", "started", "close / persistent", "persistent", "close", "changed")
    assert table.rows == [
        ("r1", "2026-01-02 03:04", "1.500 [1.400, 1.600]", "1.00 ms [0.90, 1.10]", "–", ""),
        ("r2", "2026-01-02 03:04", "–", "1.00 ms [0.90, 1.10]", "–", "Python"),
    ]


def test_of_many_policies_the_first_have_columns() -> None:
    many = {str(number): RUN["policies"]["persistent"] for number in range(9)}
    group: Any = {"title": "GET it", "runs": [later(policies=many, comparisons=[])]}
    assert len(history_table(group).headings) == 3 + MAX_SHOWN


def test_a_chart_of_runs_that_lack_some_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.show.charts.history_lines.MAX_GROUPS", 2)  # a panel takes as long as the next one
    group: Any = {"title": "GET $x$", "runs": [RUN, later(comparisons=[], policies={}, changed=[{"what": "CPU"}])]}
    history: Any = {"schema": 1, "groups": [group] * 3, "left_out": []}
    files = draw_history(history)
    assert files["png"].startswith(b"\x89PNG")
    assert b"<svg" in files["svg"]
    assert b"not shown: 1 earlier plan" in files["svg"]
    assert draw_history({"schema": 1, "groups": [], "left_out": []})["png"].startswith(b"\x89PNG")


def test_a_plan_that_was_tried_first_and_is_still_run_is_among_the_latest() -> None:
    old = {"title": "old", "runs": [RUN, later(started="2026-03-01T00:00:00+00:00")]}
    once = {"title": "once", "runs": [later(started="2026-02-01T00:00:00+00:00")]}
    history: Any = {"schema": 1, "groups": [old, once], "left_out": []}
    assert [group["title"] for group in by_latest_run(history)] == ["once", "old"]
