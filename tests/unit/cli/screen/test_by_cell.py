"""A run of more cells than there is room for."""

from __future__ import annotations

from loadgen.cli.commands import sweep
from tests.support.live_runs import GRID, LiveRun, lines_of
from tests.support.plans import URL, planned


def test_cells_of_a_sweep_are_one_chart_and_the_latest_ones_are_named() -> None:
    lines = lines_of(LiveRun(planned(sweep, URL, *GRID)).run(99), 80, 24)
    assert lines[0].startswith("block 100/500  ━")
    assert "by cell" in lines[2]
    assert lines[3].split()[0] == "req/s"
    assert lines[3].endswith("250")
    assert lines[4].endswith("100 µs to 9.90 ms")
    assert lines[5] == "ended last"
    assert [line.split("  ")[0] for line in lines[6:]] == [
        f"recycle:{requests} · 1,000 users" for requests in (100, 50, 20, 10, 5)
    ]
