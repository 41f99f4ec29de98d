"""When the generator's own time is a large share of latency, of a difference, or of a user's turn."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.warnings.generator import difference_warnings, generator_warnings, median_delay_ns
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.warning_codes import WarningCode
from tests.support.summaries import MS, policy_summary

US = 1_000


def delay(p50_ns: int | None) -> dict[str, int] | None:
    return None if p50_ns is None else {"count": 30, "p50": p50_ns, "p99": 3 * p50_ns}


def delayed(wait_ns: int | None, connect_ns: int | None = None, connects: int = 0, **generator: Any) -> Any:
    """A policy of 1,000 requests, of which `connects` opened a connection."""
    made = policy_summary(generator={"stamp_delay_ns": {"wait": delay(wait_ns), "connect": delay(connect_ns)}})
    made["generator"] |= generator
    made["phases_ns"]["connect"] |= {"count": connects}
    return made


def found(one: Any, policy: str = "persistent", **load: Any) -> list[tuple[WarningCode, str]]:
    plan = Plan(parse_target("http://h/"), parse_policies(policy), Load(users=2, **load))
    return list(generator_warnings(one, plan.cells[0], plan))


def codes(one: Any, policy: str = "persistent", **load: Any) -> list[WarningCode]:
    return [code for code, _ in found(one, policy, **load)]


@pytest.mark.parametrize(
    ("wait_ns", "connect_ns", "connects", "expected"),
    [
        (None, None, 0, None),
        (None, 40, 1_000, None),  # without the end of `wait` most of a request is unknown
        (20, None, 0, 20),
        (20, 40, 500, 20),  # half of the requests open a connection: the median one may not
        (20, 40, 501, 60),
        (20, None, 1_000, 20),
    ],
)
def test_the_delay_of_a_typical_request(
    wait_ns: int | None, connect_ns: int | None, connects: int, expected: int | None
) -> None:
    assert median_delay_ns(delayed(wait_ns, connect_ns, connects)) == expected


def test_a_few_stamps_say_nothing() -> None:
    one = delayed(20)
    one["generator"]["stamp_delay_ns"]["wait"]["count"] = 9
    assert median_delay_ns(one) is None
    one["generator"]["stamp_delay_ns"]["wait"]["count"] = 10
    assert median_delay_ns(one) == 20


def test_a_summary_of_an_earlier_version_has_no_delays_and_no_own_work() -> None:
    one = policy_summary()
    for name in ("stamp_delay_ns", "own_mean_ns", "own_p50_ns", "own_p99_ns"):
        del one["generator"][name]
    assert median_delay_ns(one) is None
    assert found(one) == []


@pytest.mark.parametrize(("delay_ns", "expected"), [(MS // 4, []), (MS // 4 + 1, [WarningCode.LATE_WAKE_UPS])])
def test_the_delay_beside_the_median(delay_ns: int, expected: list[WarningCode]) -> None:
    assert codes(delayed(delay_ns)) == expected


@pytest.mark.parametrize(("delay_ns", "expected"), [(50 * US, []), (50 * US + 1, [WarningCode.LATE_WAKE_UPS])])
def test_what_waking_up_takes_is_no_lag(delay_ns: int, expected: list[WarningCode]) -> None:
    one = delayed(delay_ns)
    one["latency_ns"] |= {"p50": 60 * US}
    assert codes(one) == expected


def test_measured_delays_count_and_the_lag_does_not() -> None:
    """The lag is an upper bound that is often far too high."""
    assert found(delayed(20 * US, lag_p50_ns=MS)) == []
    assert found(delayed(None, lag_p50_ns=MS, cpu_share=0.5)) == [], "idle half of the time"
    (only,) = found(delayed(None, lag_p50_ns=MS, cpu_share=0.51))
    assert only[1].endswith("may be the generator's own lag")
    (only,) = found(delayed(600 * US, cpu_share=0.51))
    text = "about 600 µs of the median latency of 1.00 ms passed between the kernel's stamps and the generator's"
    assert only == (WarningCode.GENERATOR_SATURATED, text)
    (only,) = found(delayed(600 * US, cpu_share=0.5))
    assert only == (WarningCode.LATE_WAKE_UPS, f"{text}; it used 50% of a core, so the machine wakes it late")


def test_a_delay_beyond_the_median_is_no_part_of_it() -> None:
    (only,) = found(delayed(2 * MS, cpu_share=0.51))
    assert only[1] == "events were stamped up to 2.00 ms late (median), while the median latency is 1.00 ms"


@pytest.mark.parametrize(("own_ns", "expected"), [(MS // 3, []), (MS // 3 + 1, [WarningCode.OWN_WORK])])
def test_own_work_beside_what_a_request_takes(own_ns: int, expected: list[WarningCode]) -> None:
    assert codes(delayed(20 * US, own_mean_ns=own_ns)) == expected


@pytest.mark.parametrize(
    ("policy", "load"),
    [("gap:5ms", {}), ("persistent", {"think_ns": MS}), ("persistent+pipeline:4", {})],
    ids=["gap", "think", "pipeline"],
)
def test_own_work_costs_nothing_where_a_user_waits_or_sends_several(policy: str, load: dict[str, int]) -> None:
    assert codes(delayed(20 * US, own_mean_ns=MS), policy, **load) == []


def test_own_work_says_nothing_of_an_open_loop() -> None:
    arrivals = {"due": 1, "unstarted": 0, "rate_rps": 1.0, "late_p50_ns": 0, "late_p99_ns": 0, "late_max_ns": 0}
    assert codes(delayed(20 * US, own_mean_ns=MS) | {"arrivals": arrivals}, rate_rps=1.0) == []


def test_a_saturated_generator_is_said_once() -> None:
    one = delayed(MS, own_mean_ns=MS, saturated=True, cpu_share=0.97)
    assert codes(one) == [WarningCode.GENERATOR_SATURATED]


def difference(delta_ns: int, interval: tuple[int, int] | None = None) -> Any:
    found: dict[str, Any] = {"baseline": "persistent", "candidate": "close", "latency_mean_delta_ns": delta_ns}
    return found | {"latency_mean_delta_ci95": None if interval is None else list(interval)}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("delta_ns", "warned"), [(160 * US, False), (159 * US, True)])
def test_a_difference_that_may_be_the_stamps(delta_ns: int, warned: bool, sign: int) -> None:
    policies = {"persistent": delayed(20 * US), "close": delayed(20 * US, 40 * US, 1_000)}
    messages = [message for _, message in difference_warnings([difference(sign * delta_ns)], policies)]
    assert messages == warned * [
        "close against persistent: the generator's stamp delays differ by 40.0 µs, a large share of the mean "
        "difference of 159 µs"
    ]


def test_a_policy_whose_server_closes_is_compared_by_what_is_known_of_it() -> None:
    """No stamp tells of its `wait`, which then counts as late as the other policy's."""
    policies = {"persistent": delayed(20 * US), "close": delayed(None, 40 * US, 1_000)}
    (only,) = difference_warnings([difference(100 * US)], policies)
    assert "stamp delays differ by 40.0 µs" in only[1]


def test_the_delay_of_connect_is_shared_by_the_requests_of_a_connection() -> None:
    policies = {"persistent": delayed(20 * US), "close": delayed(20 * US, 40 * US, 100)}
    assert list(difference_warnings([difference(17 * US)], policies)) == []
    (only,) = difference_warnings([difference(10 * US)], policies)
    assert "stamp delays differ by 4.00 µs" in only[1]


@pytest.mark.parametrize(
    ("wait_ns", "interval"), [(None, None), (20 * US, (-5, 15))], ids=["without stamps", "no certain difference"]
)
def test_differences_of_which_nothing_is_said(wait_ns: int | None, interval: tuple[int, int] | None) -> None:
    policies = {"persistent": delayed(wait_ns), "close": delayed(200 * US, 40 * US, 1_000)}
    assert list(difference_warnings([difference(10, interval)], policies)) == []
