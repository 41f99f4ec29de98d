"""A policy compared with itself: two names, one account, and no more of a difference than chance makes."""

from __future__ import annotations

from pathlib import Path

from tests.bench.aa import compare_once, outcome
from tests.support.runs import Start, check_account


def test_a_policy_is_compared_with_itself(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    shape = ("--users", "2", "--think", "2ms", "--block", "150ms", "--rounds", "6", "--equivalent", "100%")
    summary = compare_once(tmp_path / "run", "close,close", (target.url, *shape))
    check_account(summary)
    assert list(summary["policies"]) == summary["plan"]["policies"] == ["close", "close#2"]
    both = [one["connections"] for one in summary["policies"].values()]
    account = target.stats()
    assert account["accepted"] == sum(one["opened"] for one in both)
    assert account["requests"] == sum(one["exchanges_with_warmup"] for one in both)
    found = outcome(summary)
    low, high = found.interval
    assert low <= found.ratio <= high
    # Chance makes a difference in 1 of 20 such runs, but not one of half as much again.
    assert not found.is_certain or 1 / 1.5 < found.ratio < 1.5
    (comparison,) = summary["comparisons"]
    assert comparison["equivalence"] == {"bound": 1.0, "shown": low >= 0.5 and high <= 2}
