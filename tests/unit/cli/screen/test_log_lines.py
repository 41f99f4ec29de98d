"""Lines of progress for a log: one a round, not too many of them, and none where the run is short."""

from __future__ import annotations

import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.cli.screen.log_lines import LogLines
from loadgen.model.plan import Plan
from tests.support.live_runs import LiveRun
from tests.support.plans import URL, planned


def logged(plan: Plan, blocks: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    run = LiveRun(plan)
    lines = LogLines(run.progress, lambda: run.now_s)
    for index in range(blocks):
        run.begin(index)
        lines.update()
        run.end(index)
        lines.draw()
    return capsys.readouterr().err.splitlines()


def test_a_line_a_round_and_none_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    lines = logged(planned(compare, URL, "--policies", "persistent,close,recycle:2", "--rounds", "4"), 12, capsys)
    assert [line.split(":")[1] for line in lines] == [f" round {number}/4, 0" for number in (1, 2, 3)]
    assert lines[1] == (
        "loadgen: round 2/4, 0:12, about 0:12 left: persistent 250 req/s, p50 100 µs; close 250 req/s, p50 200 µs; "
        "recycle:2 250 req/s, p50 300 µs; close/persistent 1.97 × [1.59, 2.43]; "
        "recycle:2/persistent 2.93 × [2.21, 3.89]"
    )


def test_short_rounds_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = logged(planned(compare, URL, "--rounds", "10"), 20, capsys)
    assert [line.split(",")[0] for line in lines] == [f"loadgen: round {number}/10" for number in (2, 4, 6, 8)]


def test_long_rounds_say_something_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ("--recycle", "1,2,3,4,5,10,20,50,100,inf", "--users", "1,2,5,10")
    lines = logged(planned(sweep, URL, *grid, "--rounds", "2"), 40, capsys)
    assert lines == [
        "loadgen: block 16/80, 0:30, about 2:10 left: now recycle:5 · 2 users 500 req/s",
        "loadgen: block 31/80, 1:00, about 1:40 left: now recycle:inf · 5 users 500 req/s",
        "loadgen: block 41/80, 1:20, about 1:20 left: now recycle:inf · 10 users 500 req/s",
    ]


def test_a_short_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(planned(compare, URL, "--rounds", "2"), 3, capsys) == []
