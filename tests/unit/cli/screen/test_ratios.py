"""Ratios on the live screen, and how their intervals get narrower."""

from __future__ import annotations

from loadgen.cli.commands import compare
from tests.support.live_runs import LiveRun, lines_of
from tests.support.plans import URL, planned


def test_the_interval_s_bars_get_lower() -> None:
    run = LiveRun(planned(compare, URL, "--rounds", "40")).run(60)
    chart = lines_of(run, 100, 24)[-1].split("%")[-1].strip()
    heights = ["▁▂▃▄▅▆▇█".index(bar) for bar in chart if bar != " "]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1]
