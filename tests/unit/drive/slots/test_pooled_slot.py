"""Slots whose connection carries several requests at a time, each for another user: the streams of HTTP/2."""

from __future__ import annotations

from typing import Any

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pool import Pool, PooledUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, CONNECTING, IDLE, RECEIVING, SENDING
from tests.support.fake_network import MS, FakeClock, FakeContext, FakeRoute, requests

HEAD = ResponseHead(200, "2", 0, True, frozenset(), None, None, ())


class FakeStreams(Connection):
    """An HTTP/2 connection without its protocol: a test ends each exchange by its index."""

    accepts = True
    awaits_close = False

    def __init__(self, number: int, slot: Any, clock: FakeClock) -> None:
        super().__init__(number, FakeRoute(clock), slot, clock, ResponseReader(1000))
        self.reader.set_head(HEAD)
        self.handshake = (ABSENT, MS, ABSENT, ABSENT, ABSENT)
        self.submitted = 0
        self._now = clock.monotonic_ns
        self._running: dict[int, int] = {}

    @property
    def in_flight(self) -> int:
        return len(self._running)

    @property
    def requests_begun(self) -> int:
        return self.submitted

    def is_reusable(self) -> bool:
        return self.accepts

    def open(self, request: Any, scheduled_ns: int = 0, session: Any = None, look_up: bool = False) -> None:
        self.opened_ns = self._now()
        self.enter(CONNECTING, self.opened_ns)
        self._begin(scheduled_ns)

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        self._begin(scheduled_ns)

    def _begin(self, scheduled_ns: int) -> None:
        self._running[self.submitted] = scheduled_ns or self._now()
        self.submitted += 1
        if self.state == IDLE:
            self.enter(SENDING, self._now())

    def opened(self) -> None:
        self.enter(SENDING, self._now())
        self.listener.connection_ready(self)

    def end(self, index: int, outcome: int = 200) -> None:
        self.request_index, self.scheduled_ns = index, self._running.pop(index)
        if not self._running:
            self.enter(RECEIVING, self._now())
            self.enter(IDLE, self._now())
        self.listener.exchange_done(self, outcome, self._now())

    def phase_ns(self, state: int) -> int:
        return 1 + state - SENDING

    def announce_close(self) -> bool:
        return True

    def peer_has_closed(self) -> bool:
        return False

    def close(self, ending: Ending) -> None:
        self.enter(CLOSED, self._now())
        self.ending = ending


class Rig(FakeContext):
    """A pool of such connections and its users."""

    def __init__(self, policy: str, users: int, clock: FakeClock) -> None:
        super().__init__(clock, policy)
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
