"""Charts of backends over time: which policies have one, and what it is drawn from."""

from __future__ import annotations

from typing import Any

from loadgen.show.balances import balances, evenness_of, places, requests_of
from loadgen.show.export.balance_chart_data import balance_data
from tests.support.summaries import balance_summary, policy_summary


def summary_of(**by_policy: Any) -> Any:
    return {"policies": {name: policy_summary(balance=one) for name, one in by_policy.items()}, "sweep": None}


def test_backends_are_told_apart_where_they_say_who_they_are() -> None:
    named, unnamed = balance_summary([[3, 1]]), balance_summary([[3, 1]], names=False)
    assert places(named) == ["b0", "b1"]
    assert places(unnamed) == ["10.0.0.1:80", "10.0.0.2:80"]
    assert requests_of(named, named["intervals"][0]) == requests_of(unnamed, unnamed["intervals"][0]) == [3, 1]
    assert evenness_of(named) == evenness_of(unnamed) == 0.8


def test_a_policy_with_a_single_place_has_no_chart() -> None:
    summary = summary_of(close=balance_summary([[3, 1]]), persistent=balance_summary([[4]]), other=None)
    assert [name for name, _ in balances(summary)] == ["close"]
    assert [one["policy"] for one in balance_data(summary, {"persistent": 0, "close": 1})] == [1]


def test_bars_have_the_requests_of_the_intervals() -> None:
    (one,) = balance_data(summary_of(close=balance_summary([[3, 1], [0, 0], [1, 3]])), {"close": 0})
    assert one == {
        "policy": 0, "places": ["b0", "b1"], "evenness": 1.0,
        "bars": [[1, [3, 1]], [1, [1, 3]], [2, [3, 1]], [2, [1, 3]]],
    }  # fmt: skip


def test_of_many_intervals_several_are_a_bar_and_of_many_backends_the_last_are_one() -> None:
    counts = [[1, 2, 3, 4, 5, 6, 7, 8, 9]] * 40
    (one,) = balance_data(summary_of(close=balance_summary(counts, rounds=5)), {"close": 0})
    assert one["places"] == ["b0", "b1", "b2", "b3", "b4", "b5", "3 others"]
    assert 30 < len(one["bars"]) <= 60
    assert sum(sum(bar[1]) for bar in one["bars"]) == 45 * 200
    assert one["bars"][0][1][-1] == 24 * sum(one["bars"][0][1]) / 45


def test_each_backend_has_one_place_for_all_policies() -> None:
    other = balance_summary([[1, 2]], rounds=1)
    other["backends"] = [{"backend": "b9", "requests": 1}, {"backend": "b0", "requests": 2}]
    summary = summary_of(close=balance_summary([[3, 1]], rounds=1), persistent=other)
    by_policy = {one["policy"]: one for one in balance_data(summary, {"close": 0, "persistent": 1})}
    assert by_policy[0]["places"] == by_policy[1]["places"] == ["b0", "b1", "b9"]
    assert (by_policy[0]["bars"], by_policy[1]["bars"]) == ([[1, [3, 1, 0]]], [[1, [2, 0, 1]]])
