"""A run, or a report of it, of which a process is killed at a random moment; `make faults` does it 50 times."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults.kills import VICTIMS, kill_in_report, kill_in_run
from tests.faults.outcomes import wrong
from tests.support.processes import QUICK, loadgen


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_was_measured_before_a_kill_is_read(tmp_path: Path, victim: str) -> None:
    one = kill_in_run(tmp_path / "faults", victim, Random(victim))
    assert wrong(one) == []
    assert one.requests > 0
    assert one.code == (-9 if victim == "command" else 130)


def test_a_report_that_is_killed_leaves_whole_files(tmp_path: Path) -> None:
    done = loadgen("compare", "--out", str(tmp_path / "old"), "--users", "1", "--no-charts", *QUICK)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "faults"
    folder.mkdir()
    one = kill_in_report(folder / "0", tmp_path / "old", Random(1), takes_s=3.0)
    assert one.torn == []
    assert one.report.code == 0, one.report.stderr
