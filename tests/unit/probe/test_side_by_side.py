"""Several waits of a probe at once: what each gave, in order, and that none outlives its caller."""

from __future__ import annotations

import time

import gevent
import pytest

from loadgen.model.units import NS_PER_MS
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.side_by_side import all_side_by_side, side_by_side, some_side_by_side


def refused() -> str:
    raise ConnectionRefusedError(111, "Connection refused")


def slow() -> str:
    gevent.sleep(0.01)
    return "slow"


def test_results_come_in_the_order_of_the_tasks_and_a_failure_is_one() -> None:
    first, second, third = side_by_side([slow, refused, lambda: "fast"])
    assert (first, third) == ("slow", "fast")
    assert isinstance(second, ProbeFailure)
    assert str(second) == "Connection refused"


def test_a_mistake_is_raised_and_ends_the_others() -> None:
    ended: list[str] = []

    def waits() -> None:
        try:
            gevent.sleep(60)
        finally:
            ended.append("waits")

    def mistaken() -> None:
        gevent.sleep(0)
        raise AssertionError("a mistake")

    with pytest.raises(AssertionError, match="a mistake"):
        side_by_side([waits, mistaken])
    assert ended == ["waits"]


def test_where_each_has_to_go_well_the_first_failure_is_raised() -> None:
    assert all_side_by_side([slow, lambda: "fast"]) == ["slow", "fast"]
    with pytest.raises(ProbeFailure, match="Connection refused"):
        all_side_by_side([slow, refused])


def test_where_some_have_to_go_well_a_failure_is_raised_only_if_none_does() -> None:
    assert some_side_by_side([refused, slow]) == ["slow"]
    with pytest.raises(ProbeFailure, match="Connection refused"):
        some_side_by_side([refused, refused])


def test_tasks_whose_times_are_measured_start_apart() -> None:
    gevent.sleep(0)  # the loop's own time is that of its last turn
    begun_ns = time.monotonic_ns()
    started = some_side_by_side([time.monotonic_ns] * 3, apart_s=0.01)
    after = [one - begun_ns for one in started]
    assert after == sorted(after)
    assert after[2] > 15 * NS_PER_MS
