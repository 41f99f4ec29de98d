"""The generator's own part in a policy's summary: lag, own work and the delay of its stamps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.records import ABSENT
from tests.support.synthetic import US, Exchange, Link, RunWriter, plan_json

ROUNDS = 5


def one_policy(directory: Path, *links: Link) -> Any:
    """The summary of a policy whose every block holds `links`."""
    writer = RunWriter(directory / "run", plan_json("persistent", ROUNDS))
    for number in range(ROUNDS):
        writer.block("persistent", number, links)
    return writer.summary()["policies"]["persistent"]


def test_lag_is_never_more_than_the_request_took(tmp_path: Path) -> None:
    """What the loop knows is how long an event was ready at most, and that may be from before the request began."""
    exchange = Exchange(send=10 * US, wait=100 * US, receive=5 * US, lag=900 * US)
    generator = one_policy(tmp_path, Link([exchange, exchange]))["generator"]
    assert (generator["lag_p50_ns"], generator["lag_p99_ns"]) == (115 * US, 115 * US)


def test_own_work_and_the_delay_of_stamps(tmp_path: Path) -> None:
    """A connection's delay belongs to the request that opened it; latency includes no own work."""
    exchanges = [Exchange(at, own=(at + 1) * US, wait_delay=at * US if at else ABSENT) for at in range(4)]
    one = one_policy(tmp_path, Link(exchanges, connect=30 * US, connect_delay=11 * US), Link())
    generator = one["generator"]
    assert (generator["own_mean_ns"], generator["own_p50_ns"], generator["own_p99_ns"]) == (2 * US, 2 * US, 4 * US)
    assert generator["stamp_delay_ns"] == {
        "connect": {"count": 5, "p50": 11 * US, "p99": 11 * US},
        "wait": {"count": 15, "p50": 2 * US, "p99": 3 * US},
    }
    assert one["latency_ns"]["mean"] == sum(phase["mean_per_request"] for phase in one["phases_ns"].values())


def test_a_stamp_from_before_the_request_is_of_other_bytes(tmp_path: Path) -> None:
    delays = [109 * US, 110 * US, 110 * US + 1]
    exchanges = [Exchange(at, send=10 * US, wait=100 * US, wait_delay=delay) for at, delay in enumerate(delays)]
    generator = one_policy(tmp_path, Link(exchanges), Link())["generator"]
    assert generator["stamp_delay_ns"]["wait"] == {"count": 10, "p50": 109 * US, "p99": 110 * US}


def test_stamps_that_nobody_measured_are_null(tmp_path: Path) -> None:
    generator = one_policy(tmp_path, Link([Exchange(own=ABSENT)]))["generator"]
    assert generator["stamp_delay_ns"] == {"connect": None, "wait": None}
    assert (generator["own_mean_ns"], generator["own_p50_ns"], generator["own_p99_ns"]) == (None, None, None)


@pytest.mark.parametrize("sizes", [(None, None), (None, 7), (3, 7)])
def test_memory_is_the_highest_that_is_known(tmp_path: Path, sizes: tuple[int | None, ...]) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", len(sizes)))
    for number, size in enumerate(sizes):
        writer.block("persistent", number, [Link()], rss_bytes=size)
    generator = writer.summary()["policies"]["persistent"]["generator"]
    assert generator["rss_bytes"] == max((size for size in sizes if size is not None), default=None)
