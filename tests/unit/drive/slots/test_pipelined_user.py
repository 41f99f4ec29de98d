"""A user with several requests in flight: how deep, until when, and what is left when the connection ends."""

from __future__ import annotations

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from tests.support.fake_network import BYE, HELLO, LAST, MORE, FakeClock, FakeContext, requests


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
