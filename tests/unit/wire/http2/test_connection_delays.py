"""How late HTTP/2 responses were stamped: each exchange has its own lag and delay, however many are in flight."""

from __future__ import annotations

from typing import Any

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from loadgen.model.records import ABSENT, ConnectionFlag
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.stream import StreamRequest
from tests.support.connections import Clock, Rig
from tests.support.http2_requests import FIELDS

GET = StreamRequest(FIELDS, b"", b"")
SETTINGS = SettingsFrame(0).serialize() + SettingsFrame(0, flags=["ACK"]).serialize()
ALSO = 3
"""Exchanges that are begun with the first one where there are several."""


def response(*exchanges: int) -> bytes:
    """A whole 204 on the stream of each of these exchanges."""
    ends = ["END_HEADERS", "END_STREAM"]
    return b"".join(HeadersFrame(2 * one + 1, b"\x89", flags=ends).serialize() for one in exchanges)


class DelayRig(Rig):
    """A connection whose clock stands still unless it is set; keeps what is reported of each exchange."""

    def __init__(self, also: int = 0) -> None:
        super().__init__(Clock(), limit_bytes=20_000, kind=Http2Connection)
        self.handling_ns = 0
        self.also = also
        self.reported: dict[int, dict[str, int]] = {}
        self.clock.runs = False
        self.at(1000, 1000)
        self.connection.is_sampled = True
        self.open(GET)
        self.arrive(SETTINGS)

    def connection_ready(self, connection: Any) -> None:
        for _ in range(self.also):
            connection.submit(GET)

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        self.clock.now_ns += self.handling_ns
        self.reported[connection.request_index] = {
            "wait": connection.phase_ns(7), "lag": connection.lag_ns, "delay": connection.wait_delay_ns,
        }  # fmt: skip

    def at(self, now_ns: int, polled_ns: int, ready_ns: int = 0, arrived_ns: int = ABSENT) -> None:
        """An event is handled at `now_ns` that the loop was told of at `polled_ns`."""
        self.clock.now_ns, self.clock.polled_ns = now_ns, polled_ns
        self.clock.ready_ns = ready_ns or polled_ns
        self.transport.arrived_ns = arrived_ns

    def of_each(self, name: str) -> list[int]:
        return [facts[name] for _, facts in sorted(self.reported.items())]


def test_no_exchange_has_the_delay_of_another() -> None:
    rig = DelayRig()
    for index in range(34):
        begun = 2000 + 1000 * index
        rig.at(begun + 900, begun + 800, arrived_ns=begun + 750)
        rig.arrive(response(index))
        rig.at(begun + 1000, begun + 1000)
        rig.connection.exchange(GET)
    delays = rig.of_each("delay")
    assert [index for index, delay in enumerate(delays) if delay != ABSENT] == [0, 16, 32]
    assert {delay for delay in delays if delay != ABSENT} == {50}


def test_wait_ends_when_the_loop_was_told_however_many_connections_came_first() -> None:
    rig = DelayRig(ALSO)
    rig.at(5000, 2500)
    rig.arrive(response(0, 2))
    assert rig.of_each("wait") == [1500, 1500]


def test_one_that_was_sent_after_the_poll_waits_until_it_is_read() -> None:
    rig = DelayRig()
    rig.at(5000, 900)
    rig.arrive(response(0))
    assert rig.of_each("wait") == [4000]


def test_what_is_read_again_in_the_same_turn_came_no_earlier_than_it_was_read() -> None:
    """It may have come while the generator handled what it had read before."""
    rig = DelayRig(ALSO)
    rig.handling_ns = 700
    rig.at(5000, 2500)
    head = HeadersFrame(1, b"\x88", flags=["END_HEADERS"]).serialize()
    rig.arrive(head + DataFrame(1, bytes(16_384), flags=["END_STREAM"]).serialize() + response(1), response(2, 3))
    assert rig.of_each("wait") == [1500, 1500, 4000 + 2 * 700, 4000 + 2 * 700]


def test_lag_is_that_of_its_own_events_and_not_of_those_of_other_streams() -> None:
    rig = DelayRig(ALSO)
    for index, lag in ((2, 30), (0, 40), (1, 50)):
        rig.at(10_000 * (index + 1) + lag, 10_000 * (index + 1))
        rig.arrive(response(index))
    assert rig.of_each("lag") == [40, 50, 30]


def test_of_several_responses_at_once_each_may_have_come_when_the_loop_last_polled() -> None:
    """The kernel keeps one stamp for segments that it joins: that of the last."""
    rig = DelayRig(ALSO)
    rig.at(9000, 8000, ready_ns=3000, arrived_ns=7900)
    rig.arrive(response(0, 1, 2, 3))
    assert rig.of_each("delay") == [5000] * 4


def test_what_woke_the_loop_is_as_late_as_the_kernel_says() -> None:
    rig = DelayRig(ALSO)
    rig.at(8010, 8000, ready_ns=8000, arrived_ns=7900)
    rig.arrive(response(0, 1))
    assert rig.of_each("delay") == [100, 100]


@pytest.mark.parametrize("arrived_ns", [ABSENT, 8500, 10])
def test_a_stamp_of_other_bytes_says_nothing(arrived_ns: int) -> None:
    """None, one from after the poll, and one from before the request was begun."""
    rig = DelayRig()
    rig.at(9000, 8000, arrived_ns=arrived_ns)
    rig.arrive(response(0))
    assert rig.of_each("delay") == [ABSENT]


def test_over_tls_the_next_exchange_is_looked_at_in_place_of_the_first() -> None:
    """A session ticket may have come before the first one's response."""
    rig = DelayRig()
    rig.connection.flags |= ConnectionFlag.TLS
    for index in range(2):
        rig.at(3000 + 1000 * index, 3000 + 1000 * index, arrived_ns=2950 + 1000 * index)
        rig.arrive(response(index))
        rig.connection.exchange(GET)
    assert rig.of_each("delay") == [ABSENT, 50]
