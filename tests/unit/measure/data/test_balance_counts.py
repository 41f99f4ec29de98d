"""Workers that measured the same block: their counts by address and backend are added up."""

from __future__ import annotations

from typing import Any

from loadgen.measure.data.balance_counts import add_balances, add_changes

CHANGE: dict[str, Any] = {"at_ns": 7, "added": ["c"], "removed": []}


def facts(begun_ns: int, addresses: dict[str, Any], backends: dict[str, list[int]], changes: list[Any]) -> Any:
    return {
        "begun_ns": begun_ns, "interval_ns": 5, "addresses": addresses, "backends": backends, "changes": changes,
    }  # fmt: skip


def address(*requests: int) -> dict[str, list[int]]:
    return {"connections": [1] * len(requests), "requests": list(requests), "failed": [0] * len(requests)}


def test_they_are_added_up_interval_by_interval() -> None:
    later = CHANGE | {"at_ns": 9}
    one = facts(3, {"a": address(1, 2), "b": address(0, 1)}, {"x": [1, 3]}, [CHANGE])
    other = facts(2, {"b": address(4, 4)}, {"x": [1, 0], "y": [3, 4]}, [later])
    assert add_balances([one, None, other]) == facts(
        2,
        {"a": address(1, 2), "b": {"connections": [2, 2], "requests": [4, 5], "failed": [0, 0]}},
        {"x": [2, 3], "y": [3, 4]},
        [later],  # seen by both
    )


def test_where_nothing_was_counted() -> None:
    assert add_balances([None, None]) is None


def test_a_change_that_several_workers_saw_is_there_once_for_each_origin() -> None:
    def change(origin: str, at_ns: int) -> Any:
        return {"origin": origin, "at_ns": at_ns, "added": ["a"], "removed": []}

    found = add_changes([[change("http://a", 5), change("http://b", 4)], [change("http://a", 5)], []])
    assert [(one["origin"], one["at_ns"]) for one in found] == [("http://b", 4), ("http://a", 5)]
