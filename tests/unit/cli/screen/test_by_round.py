"""Throughput and p50 of each policy, with charts beside or below the numbers."""

from __future__ import annotations

from loadgen.cli.commands import compare
from tests.support.live_runs import LiveRun, lines_of
from tests.support.plans import URL, planned


def test_at_40_columns_charts_stand_below_the_numbers() -> None:
    lines = lines_of(LiveRun(planned(compare, URL)).run(5), 40, 24)
    assert lines[3].split() == ["persistent", "250", "100", "µs"]
    assert lines[4].strip().startswith("██ ██ ██")
    assert lines[-1].startswith("close/persistent  1.97 ×  ±")


def test_errors_stand_at_the_policy_and_in_the_head() -> None:
    run = LiveRun(planned(compare, URL)).run(2)
    run.end(2)
    run.begin(3, errors=2)
    lines = lines_of(run, 80, 24)
    assert lines[1] == "now close: 500 req/s, 2 errors"
    rows = {line.split()[0]: line for line in lines if line}
    assert rows["close"].endswith("  2 errors")
    assert "error" not in rows["persistent"]


def test_names_are_shown_as_they_are_and_cut_where_they_are_long() -> None:
    plan = planned(compare, URL, "--policies", "pool:100:fifo,recycle:1000+lifetime:100ms+gap:20ms")
    run = LiveRun(plan).run(2)
    text = "\n".join(lines_of(run, 60, 24))
    assert "pool:100:fifo  " in text
    assert "\nrecycle:1000+…  " in text
