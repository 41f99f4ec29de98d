"""The frame of horizontal bars: how many fit, how high the figure is, which row is on top."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from loadgen.show.charts.bars import bars_height, few_bars, frame_rows
from tests.support.synthetic import sweep_plan, sweep_run


@pytest.mark.parametrize(("cells", "fits"), [(24, True), (25, False)])
def test_more_bars_than_a_page_holds_are_not_drawn(tmp_path: Path, cells: int, fits: bool) -> None:
    plan = sweep_plan(users=tuple(range(1, cells + 1)), rounds=1)
    assert few_bars(sweep_run(tmp_path / "run", plan, 2).summary()) is fits


def test_each_bar_has_the_same_height() -> None:
    assert bars_height(3) - bars_height(2) == pytest.approx(bars_height(2) - bars_height(1))
    assert bars_height(2, around=5) - bars_height(2, around=4) == 1


def test_the_first_row_is_on_top() -> None:
    axes = Figure().subplots()
    frame_rows(axes, ["persistent", "close"])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["persistent", "close"]
    bottom, top = axes.get_ylim()
    assert top < 0 < 1 < bottom, "both rows are inside, and the axis points down"
