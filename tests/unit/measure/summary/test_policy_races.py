"""Races to connect: what blocks counted, the warning about it, and its table."""

from __future__ import annotations

from typing import Any

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.measure.summary.policy_races import races_summary
from loadgen.measure.warnings.balance import balance_warnings
from loadgen.measure.warnings.races import race_warnings
from loadgen.model.policy import parse_policies
from loadgen.model.warning_codes import WarningCode
from loadgen.show.tables import races, races_note
from tests.support.summaries import MS, policy_summary

SLOW = {
    "races": 10, "attempts": 20, "lost_connected": 1, "won_ipv4": 8, "won_ipv6": 1, "delayed": 8,
    "delay_ns": 8 * 250 * MS, "connect_ns": 9 * MS,
}  # fmt: skip
FAST = {**SLOW, "attempts": 10, "won_ipv4": 0, "won_ipv6": 10, "lost_connected": 0, "delayed": 0, "delay_ns": 0}


def summary(*found: dict[str, int]) -> Any:
    return policy_summary(connections={"races": races_summary([{"races": one} for one in found])})  # type: ignore[typeddict-item] # what it looks at


def test_what_blocks_counted_adds_up() -> None:
    assert races_summary([{"races": SLOW}, {"round": 1}, {"races": FAST}]) == {  # type: ignore[typeddict-item] # what it looks at
        "races": 20,
        "attempts": 30,
        "lost": 11,
        "lost_connected": 1,
        "won_ipv4": 8,
        "won_ipv6": 11,
        "delayed": 8,
        "delay_mean_ns": round(8 * 250 * MS / 19),
        "connect_mean_ns": round(18 * MS / 19),
    }
    assert races_summary([{"round": 1}]) is None  # type: ignore[typeddict-item] # as above


def test_races_that_nobody_won_have_no_times() -> None:
    found = races_summary([{"races": SLOW | {"won_ipv4": 0, "won_ipv6": 0}}])  # type: ignore[typeddict-item] # as above
    assert found is not None
    assert (found["lost"], found["delay_mean_ns"], found["connect_mean_ns"]) == (20, None, None)


def test_what_several_workers_counted_adds_up() -> None:
    merged = merge_blocks([{"races": SLOW, "window_ns": 1}, {"races": FAST, "window_ns": 1}])  # type: ignore[typeddict-item, typeddict-item] # as above
    assert merged["races"]["attempts"] == 30


def test_a_first_address_that_loses_is_warned_of() -> None:
    (found,) = race_warnings(summary(SLOW))
    assert found[0] is WarningCode.FIRST_ADDRESS_LOSES
    assert found[1].startswith("8 of 10 connections were won by another address than the first")
    assert "250 ms after it on average" in found[1]
    assert list(race_warnings(summary(FAST))) == list(race_warnings(policy_summary())) == []


def test_that_one_address_has_all_is_meant_where_they_race() -> None:
    shares = [
        {"address": name, "connections": 1, "requests": requests, "failed": 0}
        for name, requests in (("a", 999), ("b", 1))
    ]
    balance: Any = {"addresses": shares, "backends": [], "intervals": [], "evenness": {}}
    policy = parse_policies("close")[0]
    assert list(balance_warnings(policy, summary(FAST) | {"balance": balance})) == []
    assert len(list(balance_warnings(policy, policy_summary(balance=balance)))) == 1


def test_the_table_has_a_row_for_each_policy_that_raced() -> None:
    found: Any = {"policies": {"close": summary(SLOW), "other": policy_summary()}, "comparisons": [], "sweep": None}
    assert races(found).rows == [("close", "10", "20", "11", "1", "1", "8", "8", "222 ms", "1.00 ms")]
    assert "from the first attempt" in races_note(found)
