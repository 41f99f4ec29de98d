"""Which lines a chart by position has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.show.export.html_line_data import line_charts
from loadgen.show.ordering import MAX_SERIES
from loadgen.show.position_lines import reusing_policies, shown_lines
from tests.support.synthetic import full_run, sweep_plan, sweep_run


def test_each_policy_that_reuses_connections_has_a_line(tmp_path: Path) -> None:
    summary: Any = full_run(tmp_path / "run", "persistent,close,recycle:2", rounds=2).summary()
    assert list(shown_lines(summary)) == list(reusing_policies(summary)) == ["persistent", "recycle:2"]


def test_of_a_sweep_s_cells_that_differ_in_k_the_longest_is_shown(tmp_path: Path) -> None:
    plan = sweep_plan(rounds=2, recycle=("1", "2", "5", "inf"), users=(1, 2, 3))
    summary: Any = sweep_run(tmp_path / "run", plan, requests=12).summary()
    assert len(reusing_policies(summary)) > MAX_SERIES
    assert list(shown_lines(summary)) == ["recycle:inf · 1 user", "recycle:inf · 2 users", "recycle:inf · 3 users"]
    lines = line_charts(summary)["by_position"]["lines"]
    assert [line["policy"] for line in lines] == [0, 1, 2], "of many cells those that are shown have the first colours"
