"""What each slot does for its requests: pauses after errors, the run's first request, what is unfinished."""

from __future__ import annotations

import pytest

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.slot import ConnectionSlot, pause_after
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.listener import Listener
from tests.support.fake_network import BYE, MORE, FakeClock, FakeContext, requests


class Slot(ConnectionSlot):
    """Keeps how its requests ended."""

    def __init__(self, context: FakeContext) -> None:
        super().__init__(context, 3, UserState(5, requests()))
        self.ended: list[int] = []

    def done(self, outcome: int) -> None:
        self.ended.append(outcome)


@pytest.mark.parametrize(
    ("outcome", "think_s", "pause_s"),
    [
        (200, 0.0, 0.0),
        (503, 0.5, 0.5),
        (503, 0.0, 0.0),
        (-ErrorKind.CONNECT_REFUSED, 0.0, 0.01),
        (-ErrorKind.CONNECT_REFUSED, 0.5, 0.5),
        (-ErrorKind.STALE_CONNECTION, 0.0, 0.0),
        (-ErrorKind.STALE_CONNECTION, 0.002, 0.002),
    ],
)
def test_how_long_a_user_waits_after_an_exchange(outcome: int, think_s: float, pause_s: float) -> None:
    assert pause_after(outcome, think_s) == pause_s


def test_a_row_says_whose_request_it_was_and_what_became_of_it(clock: FakeClock) -> None:
    context = FakeContext(clock)
    slot = Slot(context)
    slot.late_ns = 17
    slot.send(clock.now_ns - 1_000)
    clock.pass_ms(2)
    context.made[0].open()
    clock.pass_ms(3)
    context.made[0].answer()
    assert slot.ended == [200]
    (row,) = context.sink.exchanges
    assert row == {
        "connection": 0, "user": 5, "request_index": 0, "scheduled": 999_999_000, "queue": 1_000, "late": 17,
        "send": 0, "wait": 3_000_000, "receive": 0, "own": 0, "lag": 0, "wait_delay": ABSENT, "outcome": 200,
        "bytes_sent": len(MORE), "bytes_received": 43, "continue_wait": ABSENT,
    }  # fmt: skip
    slot.close_idle()
    (connection,) = context.sink.connections
    assert connection == {
        "connection": 0, "slot": 3, "opened": 1_000_000_000, "dns": ABSENT, "connect": 2_000_000, "tunnel": ABSENT,
        "tls": ABSENT, "upgrade": ABSENT, "connect_delay": ABSENT, "flags": ConnectionFlag.ESTABLISHED,
        "ending": Ending.CLIENT_SILENT,
    }  # fmt: skip


def test_a_first_request_is_anothers_to_hear_of(clock: FakeClock) -> None:
    class Ear(Listener):
        heard: list[int] = []  # noqa: RUF012 # one test

        def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
            self.heard.append(outcome)

    context = FakeContext(clock)
    slot = Slot(context)
    slot.send_first(Ear())
    assert slot.unfinished == 1
    context.made[0].open()
    context.made[0].answer()
    assert (Ear.heard, slot.ended, context.sink.exchanges) == ([200], [], [])


def test_a_connection_at_work_is_not_closed_as_idle(clock: FakeClock) -> None:
    context = FakeContext(clock)
    slot = Slot(context)
    slot.close_idle()  # there is none
    slot.send(0)
    slot.close_idle()
    assert not context.made[0].closed
    context.made[0].open()
    context.made[0].answer()
    slot.close_idle()
    assert context.made[0].closed
    assert slot.unfinished == 0


def test_rows_name_the_slot_its_user_and_its_connection(clock: FakeClock) -> None:
    context = FakeContext(clock, "close")
    slot = Slot(context)
    slot.send(0)
    context.made[0].open()
    context.made[0].answer(BYE)
    assert slot.ended == [200]
    [exchange], [connection] = context.sink.exchanges, context.sink.connections
    assert (exchange["user"], exchange["connection"], exchange["request_index"]) == (5, 0, 0)
    assert (connection["slot"], connection["connection"]) == (3, 0)
    assert connection["ending"] == Ending.CLIENT_ANNOUNCED
    assert slot.connection is None
    assert slot.unfinished == 0


def test_a_stale_connection_is_tried_again_once(clock: FakeClock) -> None:
    context = FakeContext(clock, "persistent", retried=[ErrorKind.STALE_CONNECTION])
    slot = Slot(context)
    slot.send(0)
    context.made[0].open()
    context.made[0].answer()
    slot.send(0)
    context.made[0].end()
    assert (context.retried, len(context.made), slot.ended) == (1, 2, [200])
    context.made[1].open()
    context.made[1].end()
    assert slot.ended == [200, -ErrorKind.CLOSED_WITHOUT_RESPONSE]
    assert context.sink.column("outcome") == [
        200,
        -ErrorKind.STALE_CONNECTION,
        -ErrorKind.CLOSED_WITHOUT_RESPONSE,
    ]
