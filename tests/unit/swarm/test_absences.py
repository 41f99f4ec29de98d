"""Workers that went away and came back."""

from __future__ import annotations

from loadgen.swarm.absences import Absences


def test_a_worker_may_be_away_more_than_once() -> None:
    absences = Absences()
    absences.begin("a", 2, 10.0)
    absences.begin("a", 3, 11.0)  # it is already
    absences.begin("b", 3, 11.0)
    assert list(absences.now) == ["a", "b"]
    assert absences.end(["a", "c"], 5)
    assert not absences.end(["a"], 6)
    absences.begin("a", 8, 20.0)
    assert [(one.worker, one.first_round, one.back_in) for one in absences.all] == [
        ("a", 2, 5), ("b", 3, None), ("a", 8, None),
    ]  # fmt: skip
    assert absences.now["a"].since_s == 20.0
