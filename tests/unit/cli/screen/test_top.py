"""Where a run is, and what it does now."""

from __future__ import annotations

from loadgen.cli.commands import compare
from tests.support.live_runs import LiveRun, lines_of
from tests.support.plans import URL, planned


def test_at_120_columns_the_head_is_one_line() -> None:
    lines = lines_of(LiveRun(planned(compare, URL)).run(5), 120, 24)
    assert lines[0].endswith("0:11, about 0:09 left  now close: 500 req/s")


def test_it_says_how_far_the_precision_is_from_its_aim() -> None:
    run = LiveRun(planned(compare, URL, "--until-precision", "2%"))
    assert lines_of(run, 80, 24)[0] == "checking the target"
    run.run(2)
    assert lines_of(run, 80, 24)[0].startswith("round 2  ±? (aim ±2%)  0:05")
    run.progress.figures.ratios[0].interval = [1.0, 1.031**2]
    assert lines_of(run, 80, 24)[0].startswith("round 2  ±3.1% (aim ±2%)  0:05")


def test_a_resumed_run_goes_on_where_it_was() -> None:
    run = LiveRun(planned(compare, URL), done=(0, 1, 2))
    run.begin(3)
    run.end(3)
    run.begin(4)
    lines = lines_of(run, 120, 24)
    assert lines[0].startswith("round 3/5  ━━━━━━━━━━━")
    assert "0:03, about 0:11 left" in lines[0]


def test_a_number_of_requests_is_done_by_share_and_not_by_time() -> None:
    run = LiveRun(planned(compare, URL, "-n", "1000", "--processes", "2", "--users", "4"))
    run.begin(0)
    assert run.progress.share == 0
    run.progress.add({"exchanges": 10, "errors": 0, "share": 0.5}, 1)
    assert run.progress.share == 0.5 / 2 / 10
    run.progress.add({"exchanges": 900, "errors": 0, "share": 1.0}, 0)
    assert run.progress.share == 1.5 / 2 / 10
    run.end(0)
    assert run.progress.share == 1 / 10
    run.begin(1)
    assert run.progress.share == 1 / 10
