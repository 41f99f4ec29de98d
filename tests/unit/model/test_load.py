"""The load of a block: its defaults are those of the options, and what can't be run is refused in one line."""

from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.load import DEFAULT_LOAD, Load
from loadgen.model.options import default
from loadgen.model.units import MAX_DURATION_NS, NS_PER_MS


def test_the_default_load_is_that_of_the_options() -> None:
    assert Load() == DEFAULT_LOAD
    assert DEFAULT_LOAD.users == Load(users=default("users")).users
    assert DEFAULT_LOAD.rate_rps == 0  # a closed loop
    assert DEFAULT_LOAD.warmup_ns < DEFAULT_LOAD.block_ns


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"users": 0}, "users is 0; at least 1 is needed"),
        ({"rounds": 0}, "rounds is 0; at least 1 is needed"),
        ({"block_ns": 10 * NS_PER_MS - 1, "warmup_ns": 0}, "at least 10 ms is needed"),
        ({"block_ns": 50 * NS_PER_MS, "warmup_ns": 50 * NS_PER_MS}, "it must be shorter"),
        ({"warmup_ns": -1}, "it must be shorter"),
        ({"timeout_ns": NS_PER_MS - 1}, "at least 1 ms is needed"),
        ({"rate_rps": -1.0}, "rate"),
        ({"arrivals": "bursts"}, "bursts"),
        ({"max_connections": 0}, "max-connections is 0; at least 1 is needed"),
        ({"users": 1_000_001}, "users is 1,000,001; it must lie between 1 and 1,000,000"),
        ({"rounds": 10_001}, "rounds is 10,001; it must lie between 1 and 10,000"),
        ({"block_ns": MAX_DURATION_NS + 1}, "it must lie between 10 ms and 86,400 s"),
        ({"think_ns": MAX_DURATION_NS + 1}, "it must lie between 0 ns and 86,400 s"),
        ({"requests": 0}, "requests is 0; at least 1 is needed"),
        ({"requests": 4}, "--requests 4 can't be spread over --rounds 5; each round needs one"),
        ({"think_ns": -1}, "think is -1 ns; it can't be negative"),
        ({"timeout_ns": MAX_DURATION_NS + 1}, "it must lie between 1 ms and 86,400 s"),
        ({"max_connections": 1_000_001}, "it must lie between 1 and 1,000,000"),
    ],
)
def test_what_can_t_be_run_is_refused_in_one_line(values: dict[str, int], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        Load(**values)  # type: ignore[arg-type] # numbers and texts
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"users": 1, "rounds": 1},
        {"block_ns": 10 * NS_PER_MS, "warmup_ns": 0},
        {"block_ns": 50 * NS_PER_MS, "warmup_ns": 50 * NS_PER_MS - 1},
        {"timeout_ns": NS_PER_MS},
        {"rate_rps": 0.5, "arrivals": "poisson", "max_connections": 1_000_000},
    ],
)
def test_the_limits_themselves_are_allowed(values: dict[str, int]) -> None:
    load = Load(**values)  # type: ignore[arg-type] # numbers and texts
    assert {name: getattr(load, name) for name in values} == values


@pytest.mark.parametrize(("requests", "rounds"), [(5, 5), (1_003, 5), (7, 2), (3, 3)])
def test_requests_are_spread_over_the_rounds(requests: int, rounds: int) -> None:
    load = Load(requests=requests, rounds=rounds)
    each = [load.requests_of(number) or 0 for number in range(rounds)]
    assert sum(each) == requests
    assert max(each) - min(each) <= 1
    assert sorted(each, reverse=True) == each
    assert Load().requests_of(0) is None
