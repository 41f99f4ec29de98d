"""A diff as table, Markdown and console: every change with its interval, and long diffs shortened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.cli.diff_console import show_diff
from loadgen.measure.diff.run_diff import diff_runs
from loadgen.show.charts import draw_diff
from loadgen.show.export.diff_markdown import diff_markdown
from loadgen.show.tables.run_changes import MAX_WHOLE_POLICIES, run_changes
from tests.support.hostile_texts import NAME
from tests.support.simulated_diffs import run


def diff(added_ns: int = 0) -> Any:
    random = np.random.default_rng(1)
    return diff_runs([run(random)], run(random, added_ns))


def test_every_statistic_has_a_row() -> None:
    table = run_changes(diff())
    shown = [(row[0], row[1]) for row in table.rows]
    names = ("mean", "p50", "p99", "throughput", "reuse ratio", "wait")
    assert shown == [
        *(("persistent", name) for name in names),
        *(("close", name) for name in names),
        ("close / persistent", "ratio of means"),
    ], "without errors there is no row of them"
    cells = {row[:2]: row for row in table.rows}
    assert cells["persistent", "reuse ratio"][2:5] == ("100%", "100%", "+0.00 [0.00, 0.00] points")
    assert cells["close", "throughput"][2].endswith("/s")


def test_of_many_policies_only_the_headline_and_what_changed_is_shown() -> None:
    found = diff(1_000_000)
    policy = found["policies"]["persistent"]
    found["policies"] = {str(number): policy for number in range(MAX_WHOLE_POLICIES + 1)}
    assert {row[1] for row in run_changes(found).rows} == {"mean", "p50", "p99", "wait", "ratio of means"}


def test_errors_are_shown_where_there_are_any() -> None:
    random = np.random.default_rng(1)
    old, new = run(random), run(random)
    new.policies["close"].failed[:] = 5
    rows = {row[:2]: row for row in run_changes(diff_runs([old], new)).rows}
    assert rows["close", "error ratio"][3:] == ("4.76%", "+4.76 [4.76, 4.76] points", "–", "yes")


def test_a_rare_error_is_not_shown_as_none() -> None:
    random = np.random.default_rng(1)
    old, new = run(random), run(random)
    new.policies["close"].failed[0] = 0.002
    rows = {row[:2]: row for row in run_changes(diff_runs([old], new)).rows}
    assert rows["close", "error ratio"][2:5] == ("0%", "<0.01%", "+0.0004 [-0.0007, 0.0015] points")


def test_markdown_has_the_verdict_and_the_table() -> None:
    text = diff_markdown(diff(1_000_000))
    assert text.startswith(
        "**results/simulated** compared with results/simulated\n\n- persistent: the mean latency is "
    )
    assert "| persistent | mean | " in text


def test_the_chart_of_a_change_and_of_nothing() -> None:
    found = diff(1_000_000)
    for policies in (found["policies"], {}, {NAME: found["policies"]["close"]}):
        files = draw_diff(found | {"policies": policies})
        assert files["png"].startswith(b"\x89PNG")
        assert b"<script" not in files["svg"]


def test_the_console_breaks_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    show_diff(diff())
    shown = capsys.readouterr().out
    assert "close / persistent" in shown
    assert "no certain change of the mean latency" in shown
    assert max(map(len, shown.splitlines()[:30])) <= 120
