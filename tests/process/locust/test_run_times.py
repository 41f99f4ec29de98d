"""Locust's run time is kept while other programs keep every processor busy, and what it cuts is not counted."""

from __future__ import annotations

from pathlib import Path

from tests.support.run_times import busy_machine, measure, processors


def test_a_run_on_a_busy_machine_lasts_as_long_as_asked(tmp_path: Path) -> None:
    """The bench case `run_times` has longer ones, ten of each."""
    with busy_machine(processors(), max_s=90):
        found = measure(tmp_path, 4, block=("--block", "500ms", "--warmup", "100ms"))
    assert found.is_right, found
    assert found.rounds >= 1
