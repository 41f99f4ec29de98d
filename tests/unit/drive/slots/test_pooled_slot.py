"""Slots whose connection carries several requests at a time, each for another user: the streams of HTTP/2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pool import Pool, PooledUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.lifecycle import CLOSED
from tests.support.fake_network import MS, FakeClock, FakeContext, requests
from tests.support.fake_streams import FakeStreams


class Rig(FakeContext):
    """A pool of such connections and its users."""

    def __init__(self, policy: str, users: int, clock: FakeClock, retried: Iterable[ErrorKind] = ()) -> None:
        super().__init__(clock, policy, retried=retried)
        self.links: list[FakeStreams] = []
        self.pool = Pool(self, self.policy.pool, requests())
        self.users = [PooledUser(self, self.pool, UserState(index, requests())) for index in range(users)]
        for user in self.users:
            user.begin()

    def new_connection(self, listener: Any) -> Any:
        self.links.append(FakeStreams(len(self.links), listener, self.clock))
        return self.links[-1]


def test_streams_are_shared_once_the_connection_is_open(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:3", 5, clock)
    (link,) = rig.links
    assert link.in_flight == 1  # how many it may carry is not known before it is open
    link.opened()
    assert link.in_flight == 3
    assert len(rig.pool.waiting) == 2


def test_each_response_goes_to_the_user_whose_request_it_answers(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:3", 4, clock)
    link = rig.links[0]
    link.opened()
    clock.pass_ms(2)
    for index in (2, 0, 1):
        link.end(index)
    assert rig.sink.column("user") == [2, 0, 1]
    # User 3 waited, and had the stream of the first response.
    link.end(3)
    assert rig.sink.exchanges[3]["user"] == 3
    assert rig.sink.exchanges[3]["scheduled"] == clock.now_ns - 2 * MS


def test_a_stream_that_failed_alone_leaves_the_others(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2", 2, clock)
    link = rig.links[0]
    link.opened()
    link.end(0, -ErrorKind.HTTP2_RESET)
    assert rig.errors == 1
    assert link.state != CLOSED
    link.end(1)
    assert rig.sink.column("outcome") == [-ErrorKind.HTTP2_RESET, 200]


def test_a_connection_that_has_carried_its_requests_is_replaced(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2+recycle:3", 2, clock)
    link = rig.links[0]
    link.opened()
    link.end(0)  # its user begins the third and last
    assert link.submitted == 3
    link.end(1)
    assert link.submitted == 3
    link.end(2)
    assert link.state == CLOSED
    assert rig.sink.endings == [Ending.CLIENT_ANNOUNCED]
    assert len(rig.links) == 2


def test_a_connection_that_grew_too_old_takes_no_more(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2+lifetime:20ms", 2, clock)
    link = rig.links[0]
    link.opened()
    clock.pass_ms(20)
    link.end(0)
    assert link.submitted == 2
    assert len(rig.pool.waiting) == 1
    link.end(1)
    assert link.state == CLOSED
    assert len(rig.links) == 2


def test_what_is_unfinished_at_the_end_of_a_block(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:3", 2, clock)
    (slot,) = rig.pool.slots
    assert slot.unfinished == 1
    rig.links[0].opened()
    assert slot.unfinished == 2


UNPROCESSED = [ErrorKind.HTTP2_GOAWAY, ErrorKind.HTTP2_REFUSED_STREAM]
GOAWAY, REFUSED = (-kind for kind in UNPROCESSED)


def test_a_refused_stream_is_sent_once_more_on_its_connection(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2", 2, clock, UNPROCESSED)
    link = rig.links[0]
    link.opened()
    due_ns = clock.now_ns
    clock.pass_ms(1)
    link.end(1, REFUSED)
    assert (rig.retried, rig.errors, link.in_flight, len(rig.links)) == (1, 1, 2, 1)
    link.end(2, REFUSED)  # it is not sent a third time
    assert (rig.retried, rig.errors) == (1, 2)
    assert rig.sink.column("user") == [1, 1]
    assert rig.sink.column("scheduled") == [due_ns] * 2
    clock.pass_ms(10)  # its user has rested, and begins the next one
    link.end(3)
    link.end(0)
    assert rig.sink.column("outcome") == [REFUSED, REFUSED, 200, 200]


def test_what_a_goaway_left_out_is_sent_on_the_next_connection(clock: FakeClock) -> None:
    """Once the streams that are still answered have ended; users whose requests were answered come behind it."""
    rig = Rig("h2-prior+pool:1+streams:3", 3, clock, UNPROCESSED)
    link, slot = rig.links[0], rig.pool.slots[0]
    link.opened()
    link.accepts = False
    link.end(1, GOAWAY)
    link.end(2, GOAWAY)
    assert (rig.retried, len(rig.links), slot.unfinished) == (0, 1, 3)
    assert not slot.has_room
    link.end(0)
    assert (rig.retried, len(rig.links), slot.unfinished) == (1, 2, 2)
    again = rig.links[1]
    again.opened()
    assert (rig.retried, again.in_flight) == (2, 3)
    for index in range(3):
        again.end(index)
    assert rig.sink.column("user") == [1, 2, 0, 1, 2, 0]
    assert rig.sink.column("outcome") == [GOAWAY, GOAWAY, 200, 200, 200, 200]


def test_without_the_option_nothing_is_sent_again(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2", 2, clock)
    link = rig.links[0]
    link.opened()
    link.end(1, REFUSED)
    assert (rig.retried, rig.errors, link.in_flight) == (0, 1, 1)


def test_what_is_sent_again_after_the_block_is_still_awaited(clock: FakeClock) -> None:
    rig = Rig("h2-prior+pool:1+streams:2", 2, clock, UNPROCESSED)
    link, slot = rig.links[0], rig.pool.slots[0]
    link.opened()
    rig.running = False
    link.accepts = False
    link.end(1, GOAWAY)
    assert (slot.unfinished, rig.drained) == (2, 0)
    link.end(0)
    assert slot.unfinished == 1
    rig.links[1].opened()
    rig.links[1].end(0)
    slot.close_idle()
    assert (slot.unfinished, rig.sink.column("outcome")) == (0, [GOAWAY, 200, 200])
