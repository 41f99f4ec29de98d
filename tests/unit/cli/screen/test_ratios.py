"""Ratios on the live screen, and how their intervals get narrower."""

from __future__ import annotations

import pytest

from loadgen.cli.commands import compare
from loadgen.cli.screen.ratios import ratio_text
from loadgen.measure.live.live_figures import RatioFigures
from tests.support.live_runs import LiveRun, lines_of
from tests.support.plans import URL, planned


def test_the_interval_s_bars_get_lower() -> None:
    run = LiveRun(planned(compare, URL, "--rounds", "40")).run(60)
    chart = lines_of(run, 100, 24)[-1].split("%")[-1].strip()
    heights = ["▁▂▃▄▅▆▇█".index(bar) for bar in chart if bar != " "]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1]


@pytest.mark.parametrize(
    ("interval", "text"),
    [([1e-9, 938_709_315.0], "0.97 ×"), ([0.5, 1.9], "0.97 × [0.5, 1.9]"), (None, "0.97 ×")],
)
def test_an_interval_that_says_nothing_is_left_out(interval: list[float] | None, text: str) -> None:
    assert ratio_text(RatioFigures("persistent", "close", 0.97, interval)) == text
