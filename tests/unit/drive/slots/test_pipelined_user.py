"""A user with several requests in flight: how deep, until when, and what is left when the connection ends."""

from __future__ import annotations

from typing import Any

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from tests.support.fake_network import BYE, HELLO, LAST, MORE, FakeClock, FakeContext, requests
from tests.support.fake_streams import FakeStreams


class Rig(FakeContext):
    """One pipelined user, begun, its first connection open."""

    def __init__(self, clock: FakeClock, policy: str, think_s: float = 0.0) -> None:
        super().__init__(clock, policy, think_s)
        self.user = PipelinedUser(self, 0, UserState(0, requests()))
        self.user.begin()
        self.made[0].open()

    def sent(self, number: int) -> bytes:
        """Everything that was sent on a connection."""
        return b"".join(self.made[number].requests)


def test_a_pipeline_is_filled_to_its_depth_and_kept_there(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:3")
    assert rig.sent(0) == MORE * 3
    for answered in range(1, 5):
        rig.made[0].answer()
        assert rig.sent(0) == MORE * (3 + answered)
    assert rig.sink.column("request_index") == [0, 1, 2, 3]


def test_a_pipeline_takes_no_more_than_was_asked_for(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:3")
    clock.pass_ms(1)
    rig.ask(4)
    for _ in range(7):
        rig.made[0].answer()
    assert rig.sent(0) == MORE * 7  # three were in flight when the window began
    assert (rig.left, rig.ends) == (0, 1)


def test_a_pipeline_that_lost_its_connection_opens_no_other_for_nothing(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:3")
    clock.pass_ms(1)
    rig.ask(1)
    rig.made[0].answer()
    rig.made[0].reset()  # two of before, and the one that was asked for
    clock.pass_ms(100)
    assert (len(rig.made), rig.ends) == (1, 1)


def test_waiting_behind_others_is_queue(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:2")
    for _ in range(4):
        clock.pass_ms(5)
        rig.made[0].answer()
    # Each response takes 5 ms; from the second on a request was sent 5 ms before its turn came.
    assert rig.sink.column("queue")[1:] == [5_000_000] * 3
    assert rig.sink.column("wait") == [5_000_000] * 4


def test_a_recycled_pipeline_sends_no_more_than_its_requests(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:3+recycle:5")
    for _ in range(5):
        rig.made[0].answer()
    assert rig.sent(0) == MORE * 4 + LAST
    assert len(rig.pending) == 1
    assert len(rig.made) == 2


def test_what_is_behind_an_announced_close_is_stale(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:3")
    rig.made[0].answer(BYE)
    assert rig.sink.column("outcome") == [200] + [-ErrorKind.STALE_CONNECTION] * 2
    assert rig.sink.endings == [Ending.SERVER_ANNOUNCED]
    assert rig.errors == 2
    assert len(rig.made) == 2


def test_a_pipeline_that_grew_too_old_is_drained_and_replaced(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:2+lifetime:20ms")
    clock.pass_ms(20)
    rig.made[0].answer()
    assert rig.sent(0) == MORE * 2  # nothing is added any more
    assert len(rig.made) == 1
    rig.made[0].answer()
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    assert len(rig.made) == 2


def test_a_pipeline_that_grew_too_old_while_its_user_thought(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:2+lifetime:20ms", think_s=0.03)
    rig.made[0].answer(HELLO + HELLO)
    assert not rig.made[0].closed
    clock.pass_ms(30)
    assert rig.made[0].closed
    assert len(rig.made) == 2


def test_a_user_who_thinks_waits_for_the_whole_pipeline(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:2", think_s=0.01)
    rig.made[0].answer()
    assert rig.sent(0) == MORE * 2
    rig.made[0].answer()
    clock.pass_ms(10)
    assert rig.sent(0) == MORE * 4


def test_after_the_block_nothing_is_added(clock: FakeClock) -> None:
    rig = Rig(clock, "pipeline:2")
    rig.running = False
    rig.user.stop()
    rig.made[0].answer(HELLO + HELLO)
    assert rig.sent(0) == MORE * 2
    assert rig.drained == 1
    rig.user.stop()
    assert rig.made[0].closed


# Streams that the server did not process


GOAWAY, REFUSED = -ErrorKind.HTTP2_GOAWAY, -ErrorKind.HTTP2_REFUSED_STREAM


class StreamsRig(FakeContext):
    """One user of HTTP/2 streams, begun, its first connection open."""

    def __init__(self, clock: FakeClock, policy: str = "h2-prior+streams:3") -> None:
        super().__init__(clock, policy, retried=[ErrorKind.HTTP2_GOAWAY, ErrorKind.HTTP2_REFUSED_STREAM])
        self.links: list[FakeStreams] = []
        self.user = PipelinedUser(self, 0, UserState(0, requests()))
        self.user.begin()
        self.links[0].opened()

    def new_connection(self, listener: Any) -> Any:
        self.links.append(FakeStreams(len(self.links), listener, self.clock))
        return self.links[-1]


def test_a_refused_stream_is_sent_once_more(clock: FakeClock) -> None:
    rig = StreamsRig(clock)
    (link,) = rig.links
    link.end(1, REFUSED)
    assert (rig.retried, link.submitted, link.in_flight) == (1, 4, 3)
    link.end(3, REFUSED)
    assert (rig.retried, link.in_flight) == (1, 2)
    link.end(0)  # and the user goes on
    assert (link.submitted, link.in_flight) == (6, 3)


def test_a_refused_stream_is_sent_once_more_only_if_that_was_asked_for(clock: FakeClock) -> None:
    rig = StreamsRig(clock)
    (link,) = rig.links
    clock.pass_ms(1)
    rig.ask(2)
    link.end(0)
    link.end(3, REFUSED)  # the first of the two; the second is its next try
    assert (rig.retried, rig.left, rig.to_end) == (1, 0, 1)
    link.end(1)
    link.end(4, REFUSED)
    assert (rig.retried, rig.ends, link.submitted) == (1, 1, 5)


def test_streams_behind_a_goaway_are_sent_on_the_next_connection(clock: FakeClock) -> None:
    rig = StreamsRig(clock)
    link = rig.links[0]
    link.accepts = False
    link.end(1, GOAWAY)
    link.end(2, GOAWAY)
    assert (rig.retried, len(rig.links)) == (0, 1)
    link.end(0)
    rig.links[1].opened()
    assert (rig.retried, rig.links[1].in_flight, rig.errors) == (2, 3, 2)


def test_a_connection_of_which_all_streams_were_left_out(clock: FakeClock) -> None:
    rig = StreamsRig(clock)
    link = rig.links[0]
    link.accepts = False
    for index in range(3):
        link.end(index, GOAWAY)
    assert (rig.retried, len(rig.links)) == (1, 2)
    rig.links[1].opened()
    assert (rig.retried, rig.links[1].in_flight) == (3, 3)
    rig.links[1].accepts = False
    for index in range(3):
        rig.links[1].end(index, GOAWAY)
    assert (rig.retried, len(rig.links), clock.waiting) == (3, 2, 1)  # it rests like after any other error


def test_after_the_block_what_was_left_out_is_sent_and_nothing_else(clock: FakeClock) -> None:
    rig = StreamsRig(clock)
    rig.running = False
    rig.user.stop()
    link = rig.links[0]
    link.accepts = False
    link.end(2, GOAWAY)
    link.end(0)
    link.end(1)
    assert (len(rig.links), rig.drained) == (2, 0)
    rig.links[1].opened()
    rig.links[1].end(0)
    assert (rig.links[1].submitted, rig.drained) == (1, 1)
