"""A pool: which connection is taken, who waits for how long, and how users and arrivals share it."""

from __future__ import annotations

import pytest

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pool import Pool, PooledUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from tests.support.fake_network import BYE, HELLO, MS, FakeClock, FakeContext, requests


class Rig(FakeContext):
    """A pool with its users, not begun."""

    def __init__(
        self, clock: FakeClock, policy: str, users: int = 0, think_s: float = 0.0, takes_cookies: bool = False
    ) -> None:
        super().__init__(clock, policy, think_s, takes_cookies=takes_cookies)
        self.pool = Pool(self, self.policy.pool, requests())
        self.users = [PooledUser(self, self.pool, UserState(index, requests())) for index in range(users)]

    def begin(self) -> None:
        for user in self.users:
            user.begin()

    def answer(self, number: int, response: bytes = HELLO) -> None:
        """Answer the request on a connection, by the order in which they were made."""
        transport = self.made[number]
        if not transport.requests:
            transport.open()
        transport.answer(response)

    def arrive(self, late_ns: int = 0) -> None:
        self.pool.submit(None, 5 * MS, late_ns)


def test_no_more_connections_than_the_pool_has(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:2", users=4)
    rig.begin()
    assert len(rig.made) == 2
    assert len(rig.pool.waiting) == 2
    for _ in range(10):
        rig.answer(0)
        rig.answer(1)
    assert len(rig.made) == 2
    assert {row["user"] for row in rig.sink.exchanges} == {0, 1, 2, 3}


def test_waiting_is_queue_and_goes_in_turn(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", users=3)
    rig.begin()
    for _ in range(6):
        clock.pass_ms(2)
        rig.answer(0)
    # The request that has waited longest comes before the next one of the user that was served just now.
    assert rig.sink.column("user") == [0, 1, 2, 0, 1, 2]
    assert rig.sink.column("queue") == [ABSENT, 2 * MS, 4 * MS, 4 * MS, 4 * MS, 4 * MS]


def test_requests_that_wait_are_among_those_that_were_asked_for(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", users=3)
    rig.ask(2)
    rig.begin()
    assert (len(rig.pool.waiting), rig.left) == (1, 0)
    for _ in range(2):
        rig.answer(0)
    assert rig.sink.column("user") == [0, 1]
    assert rig.ends == 1


def idle_pool(clock: FakeClock, order: str) -> Rig:
    """Three idle connections: 0 was used first, then 1, then 2."""
    rig = Rig(clock, f"pool:3:{order}", users=3, think_s=1.0)
    rig.begin()
    for number in range(3):
        rig.answer(number)
    return rig


@pytest.mark.parametrize(("order", "taken"), [("lifo", 2), ("fifo", 0)])
def test_the_order_of_a_pool_decides_which_connection_is_used(clock: FakeClock, order: str, taken: int) -> None:
    rig = idle_pool(clock, order)
    rig.arrive()
    assert [len(transport.requests) for transport in rig.made] == [1 + (number == taken) for number in range(3)]


@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_a_slot_that_lost_its_connection_is_taken_last(clock: FakeClock, order: str) -> None:
    rig = idle_pool(clock, order)
    for transport in rig.made[:2]:
        transport.end()
    rig.arrive()
    assert len(rig.made[2].requests) == 2
    assert len(rig.made) == 3
    rig.arrive()
    assert len(rig.made) == 4


def test_pool_connections_may_be_new_each_time(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:2+close", users=4)
    rig.begin()
    for number in range(6):
        rig.answer(number, BYE)
    assert rig.sink.column("request_index") == [0] * 6
    assert rig.sink.endings == [Ending.CLIENT_ANNOUNCED] * 6
    assert sum(not transport.closed for transport in rig.made) == 2


def test_a_pooled_connection_grows_too_old_while_idle(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1+lifetime:30ms", users=1, think_s=0.031)
    rig.begin()
    rig.answer(0)
    clock.pass_ms(31)
    assert len(rig.made) == 2
    assert rig.sink.endings == [Ending.CLIENT_SILENT]


def test_an_arrival_borrows_the_slots_own_state_and_counts_from_when_it_was_due(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", takes_cookies=True)
    rig.arrive(late_ns=7)
    rig.answer(0, HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: id=1\r\n\r\n", 1))
    rig.arrive()
    assert rig.sink.column("scheduled") == [5 * MS]
    assert rig.sink.column("late") == [7]
    assert b"Cookie: id=1" in rig.made[0].requests[1]


def test_cookies_belong_to_the_user_and_not_to_the_connection(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", users=2, takes_cookies=True)
    rig.begin()
    rig.answer(0, HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: id=first\r\n\r\n", 1))
    rig.answer(0)
    first, second, again = rig.made[0].requests
    assert b"Cookie" not in first + second
    assert b"Cookie: id=first" in again


def test_a_request_that_fails_at_once_does_not_end_the_queue(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1")
    for _ in range(3):
        rig.arrive()
    rig.made[0].refuse()
    rig.made[1].refuse()
    rig.made[2].open()
    rig.made[2].answer()
    assert rig.sink.column("outcome") == [-ErrorKind.CONNECT_REFUSED] * 2 + [200]


def test_after_the_block_the_waiting_get_no_connection(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", users=3)
    rig.begin()
    rig.running = False
    rig.pool.serves_waiting = False
    rig.answer(0)
    assert rig.drained == 1
    assert len(rig.pool.waiting) == 2
    assert len(rig.made[0].requests) == 1


def test_a_user_pauses_after_an_error_and_not_after_a_stale_connection(clock: FakeClock) -> None:
    rig = Rig(clock, "pool:1", users=1)
    rig.begin()
    rig.made[0].refuse()
    assert clock.waiting == 1
    clock.pass_ms(10)
    rig.answer(1)
    rig.made[1].end()
    assert rig.sink.column("outcome")[-1] == -ErrorKind.STALE_CONNECTION
    assert clock.waiting == 0
    assert len(rig.made) == 3
