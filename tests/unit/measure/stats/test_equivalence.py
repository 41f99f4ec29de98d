"""Equivalence: the whole interval within the bound, whichever of the two is the baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.measure.stats.equivalence import equivalence
from tests.support.synthetic import full_run


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        ([0.99, 1.01], True),
        ([1.0, 1.02], True),
        ([1 / 1.02, 1.0], True),
        ([0.98, 1.0], False),  # turned round it is 1.0204
        ([1.0, 1.021], False),
        ([1.05, 1.06], False),
        (None, False),
    ],
)
def test_the_whole_interval_lies_within_the_bound(interval: list[float] | None, shown: bool) -> None:
    found = equivalence(interval, 0.02)
    assert found == {"bound": 0.02, "shown": shown}
    if interval is not None:
        turned_round = [1 / interval[1], 1 / interval[0]]
        assert equivalence(turned_round, 0.02) == pytest.approx(found)


def test_without_a_bound_nothing_is_said() -> None:
    assert equivalence([0.99, 1.01], None) is None


def test_the_plan_s_bound_reaches_summary_and_verdict(tmp_path: Path) -> None:
    (found,) = full_run(tmp_path / "wide", equivalent=0.5).summary()["comparisons"]
    assert found["equivalence"] == {"bound": 0.5, "shown": True}
    narrow = full_run(tmp_path / "narrow", equivalent=0.1).summary()
    assert narrow["comparisons"][0]["equivalence"] == {"bound": 0.1, "shown": False}
    assert "; the two are not equivalent within 10% (1.33" in narrow["verdict"]
    assert full_run(tmp_path / "none").summary()["comparisons"][0]["equivalence"] is None
