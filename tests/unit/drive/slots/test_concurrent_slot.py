"""A slot with several requests in flight: when one more may begin, and when its connection is over."""

from __future__ import annotations

from typing import Any

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.concurrent_slot import ConcurrentSlot
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.listener import NULL_LISTENER
from tests.support.fake_network import FakeClock, FakeContext, FakeRoute, requests

HEAD = ResponseHead(200, "1.1", 0, True, frozenset(), None, None, ())


class Link(Pipeline):
    """A connection as such a slot reads it."""

    in_flight = submitted = 0

    def __init__(self, clock: FakeClock, in_flight: int, submitted: int) -> None:
        super().__init__(0, FakeRoute(clock), NULL_LISTENER, clock, ResponseReader(1000))
        self.reader.set_head(HEAD)
        self.handshake = (0, 0, 0, 0, 0)
        self.opened_ns = clock.now_ns
        self.in_flight = in_flight
        self.submitted = submitted
        self.endings: list[Ending] = []

    def close(self, ending: Ending) -> None:
        self.endings.append(ending)
        self.ending = ending


class Slot(ConcurrentSlot):
    """One whose requests no user waits for."""

    def done(self, outcome: int) -> None:
        pass


class Rig(FakeContext):
    """A slot with a connection that has requests in flight."""

    def __init__(self, clock: FakeClock, policy: str, in_flight: int = 0, submitted: int = 1) -> None:
        super().__init__(clock, policy)
        self.slot: Any = Slot(self, 0, UserState(0, requests()))
        self.link = Link(clock, in_flight, submitted)
        self.slot.connection = self.link


def test_a_connection_within_its_limits_is_usable(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:4+lifetime:20ms")
    clock.pass_ms(19)
    assert rig.slot._usable() is rig.link


def test_an_idle_one_that_grew_too_old_is_ended(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:4+lifetime:20ms")
    clock.pass_ms(20)
    assert rig.slot._usable() is None
    assert rig.link.endings == [Ending.CLIENT_SILENT]
    assert rig.slot.connection is None


def test_one_with_requests_in_flight_is_never_ended_for_its_age(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:4+lifetime:20ms", in_flight=2)
    clock.pass_ms(50)
    assert rig.slot._usable() is rig.link
    assert rig.link.endings == []


def test_a_failure_beside_others_leaves_the_connection_to_the_last_of_them(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:4", in_flight=1)
    rig.slot._failed(rig.link, -ErrorKind.HTTP2_RESET)
    assert rig.errors == 1
    assert rig.link.endings == []
    assert rig.slot.connection is rig.link


def test_a_slot_without_a_connection_has_none_to_use(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:4")
    rig.slot.connection = None
    assert rig.slot._usable() is None
