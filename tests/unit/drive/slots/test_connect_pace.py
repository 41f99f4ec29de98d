"""Connections that wait for their turn to open: in order, no faster than the rate, and given up at the end."""

from __future__ import annotations

import numpy as np

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.connect_pace import ConnectPace
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from tests.support.fake_network import MS, FakeClock, FakeContext, requests


class Rig(FakeContext):
    """Users who begin at the same moment; connections may open every 100 ms."""

    def __init__(self, clock: FakeClock, users: int, policy: str = "close") -> None:
        super().__init__(clock, policy)
        self.pace: ConnectPace = ConnectPace(clock, 10)
        self.users = [ClosedLoopUser(self, index, UserState(index, requests())) for index in range(users)]
        for user in self.users:
            user.begin()


def opened_ms(rig: Rig, clock: FakeClock, until_ms: int) -> list[float]:
    """When each connection opened; each is answered at once."""
    begun_ns, found = clock.now_ns, []
    for _ in range(until_ms):
        while len(found) < len(rig.made):
            found.append((clock.now_ns - begun_ns) / MS)
            rig.made[len(found) - 1].open()
            rig.made[len(found) - 1].answer()
        clock.pass_ms(1)
    return found


def test_connections_open_one_after_another(clock: FakeClock) -> None:
    rig = Rig(clock, users=3)
    at = opened_ms(rig, clock, 1000)
    assert len(at) == 10
    assert np.allclose(np.diff(at), 100, atol=2)
    assert rig.sink.column("user")[:6] == [0, 1, 2, 0, 1, 2]
    waited_ns = rig.sink.column("queue")
    assert waited_ns[0] == -1
    assert np.allclose(np.array(waited_ns[1:3]) / MS, [100, 200], atol=2)


def test_a_connection_that_is_reused_waits_for_nothing(clock: FakeClock) -> None:
    rig = Rig(clock, users=1, policy="persistent")
    rig.made[0].open()
    for _ in range(20):
        rig.made[0].answer()
    assert rig.sink.column("queue") == [-1] * 20


def test_what_is_unused_is_not_saved_up(clock: FakeClock) -> None:
    rig = Rig(clock, users=0)
    clock.pass_ms(1000)
    for index in range(2):
        ClosedLoopUser(rig, index, UserState(index, requests())).begin()
    assert len(rig.made) == 1


def test_requests_that_still_wait_are_given_up(clock: FakeClock) -> None:
    rig = Rig(clock, users=3)
    rig.running = False
    assert [user.unfinished for user in rig.users] == [1, 1, 1]
    assert not any(user.connection is None or user.connection.overdue(clock.now_ns + 1) for user in rig.users[1:])
    rig.users[1].connection.abandon()  # type: ignore[union-attr] # it has one
    rig.pace.give_up()
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED] * 2
    assert rig.sink.endings == [Ending.NOT_OPENED] * 2
    assert rig.drained == 2
    clock.pass_ms(1000)
    assert len(rig.made) == 1
