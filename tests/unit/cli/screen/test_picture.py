"""The live screen's lines: what they say, and that they fit on terminals of every size."""

from __future__ import annotations

import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.cli.screen.picture import picture
from loadgen.cli.screen.spans import width_of
from tests.support.live_runs import GRID, LiveRun, lines_of
from tests.support.plans import URL, planned

RUNS = {
    "few": (planned(compare, URL), 5),
    "twelve": (planned(compare, URL, "--policies", ",".join(f"recycle:{number}" for number in range(1, 13))), 30),
    "precise": (planned(compare, URL, "--until-precision", "1%"), 9),
    "hundreds of rounds": (planned(compare, URL, "--rounds", "400"), 601),
    "hundreds of cells": (planned(sweep, URL, *GRID), 150),
    "open loop": (planned(compare, URL, "--rate", "100"), 4),
}


@pytest.mark.parametrize("name", RUNS)
def test_it_fits_whatever_the_terminal_s_size(name: str) -> None:
    plan, blocks = RUNS[name]
    run = LiveRun(plan).run(blocks)
    for columns in (1, 10, 40, 80, 120, 300):
        for rows in (1, 2, 3, 4, 5, 8, 12, 24, 60):
            lines = picture(run.progress, columns, rows)
            assert 1 <= len(lines) <= max(1, rows - 1), (columns, rows)
            assert max(map(width_of, lines)) < max(2, columns), (columns, rows)


def test_at_80_columns_numbers_stand_beside_charts() -> None:
    assert lines_of(LiveRun(planned(compare, URL)).run(5), 80, 24) == [
        "round 3/5  ━━━━━━━━━━━━━───────────  0:11, about 0:09 left",
        "now close: 500 req/s",
        "            req/s  by round                      p50  by round",
        "                   ██ ██ ██",
        "                   ██ ██ ██                           ▄▄ ▄▄ ▄▄",
        "persistent    250  ██ ██ ██                   100 µs  ██ ██ ██",
        "",
        "                   ██ ██                              ▇▇ ██",
        "                   ██ ██                              ██ ██",
        "close         250  ██ ██                      200 µs  ██ ██",
        "",
        "                  ratio of mean latencies, 95% interval",
        "close/persistent  1.97 ×  [1.59, 2.43]  ±24%     ██",
    ]


def test_a_low_terminal_has_the_numbers_first() -> None:
    lines = lines_of(LiveRun(planned(compare, URL)).run(5), 80, 6)
    assert [line.split()[0] for line in lines] == ["round", "now", "req/s", "persistent", "close"]
