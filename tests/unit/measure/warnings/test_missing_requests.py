"""Requests that were asked for by number and did not fit into their blocks' time: when that is said, and of which."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.warnings.missing_requests import missing_requests
from loadgen.model.load import Load

LOAD = Load(requests=101, rounds=2, warmup_ns=0, block_ns=200_000_000)


class FakeSamples:
    """Two rounds of two policies, which began as many requests as is said."""

    def __init__(self, *started: int, **facts: Any) -> None:
        self.blocks = [
            {"round": number // 2, "policy": ("persistent", "close")[number % 2], "started": one, "whole": True} | facts
            for number, one in enumerate(started)
        ]


def messages(samples: FakeSamples, load: Load = LOAD) -> list[str]:
    found = missing_requests(samples, load)  # type: ignore[arg-type] # a stand-in
    assert {one["code"] for one in found} <= {"requests_missing"}
    return [one["message"] for one in found]


@pytest.mark.parametrize(
    ("samples", "load"),
    [
        (FakeSamples(51, 51, 50, 50), LOAD),
        (FakeSamples(1, 1, 1, 1), Load()),
        (FakeSamples(51, 3, whole=False), LOAD),  # cut off
        (FakeSamples(51, 50, 50, 49, unstarted=1), LOAD),  # arrivals that never got a connection
    ],
)
def test_nothing_is_missing(samples: FakeSamples, load: Load) -> None:
    assert messages(samples, load) == []


def test_what_is_missing_is_said_by_policy() -> None:
    assert messages(FakeSamples(51, 30, 50, 20)) == [
        "not all 101 requests of each policy were sent within the 200 ms that a block may take: 51 of close are missing"
    ]
