"""Where a block's requests come from: users with connections of their own, users of a pool, arrivals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadgen.drive.slots import workload
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.workload import PerUserLoad, PooledLoad
from tests.support.fake_network import MS, FakeClock, FakeContext, cell, requests


class FakeDispatcher:
    """Arrivals that a test begins. One is due each millisecond from 1 ms on; `begun` of them have begun."""

    def __init__(self, pool: object, _due_times: Iterator[int], begun_ns: int, _context: FakeContext) -> None:
        self.pool = pool
        self.begun_ns = begun_ns
        self.begun = 0
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True

    def overdue(self, until_ns: int) -> Iterator[int]:
        for due_ns in each_ms():
            due_ns += self.begun_ns + self.begun * MS
            if due_ns >= until_ns:
                return
            yield due_ns


def each_ms() -> Iterator[int]:
    due_ns = 0
    while True:
        due_ns += MS
        yield due_ns


def open_loop(context: FakeContext, monkeypatch: pytest.MonkeyPatch, clock: FakeClock, peak: int = 2) -> PooledLoad:
    monkeypatch.setattr(workload, "ArrivalDispatcher", FakeDispatcher)
    one = cell(context.policy.name, rate_rps=1000.0)
    return PooledLoad(context, one, requests(), peak, each_ms)


@pytest.mark.parametrize(("policy", "kind"), [("persistent", ClosedLoopUser), ("pipeline:4", PipelinedUser)])
def test_each_user_has_a_slot_of_its_own(clock: FakeClock, policy: str, kind: type[ClosedLoopUser]) -> None:
    load = PerUserLoad(FakeContext(clock, policy), cell(policy, users=3), requests())
    assert [type(user) for user in load.users] == [kind] * 3
    assert load.slots == load.users
    assert load.preflight_slot() is load.slots[0]
    assert (load.waiting, load.drop_waiting(), load.account(0, 1)) == (0, 0, {"unstarted": 0})


def test_stopping_ends_what_is_idle_and_nothing_else(clock: FakeClock) -> None:
    context = FakeContext(clock, think_s=1.0)
    load = PerUserLoad(context, cell(users=2), requests())
    for user in load.users:
        user.begin()
    for transport in context.made:
        transport.open()
    context.made[0].answer()
    context.running = False
    load.stop()
    assert [transport.closed for transport in context.made] == [True, False]
    assert [slot.unfinished for slot in load.slots] == [0, 1]


def test_users_of_a_pool_wait_and_are_counted(clock: FakeClock) -> None:
    context = FakeContext(clock, "pool:1")
    load = PooledLoad(context, cell("pool:1", users=4), requests(), 100, each_ms)
    load.begin()
    for user in load.users:
        user.begin()
        clock.pass_ms(1)
    assert load.waiting == 3
    begun_ns = clock.now_ns - 2 * MS
    load.stop()
    # Of the three that wait two wanted their request within the last 2 ms.
    assert load.account(begun_ns, clock.now_ns) == {"unstarted": 2}
    assert load.drop_waiting() == 3
    assert load.drop_waiting() == 0  # counted once


def test_the_first_request_of_a_pool_is_its_first_users(clock: FakeClock) -> None:
    context = FakeContext(clock, "pool:2")
    load = PooledLoad(context, cell("pool:2", users=3), requests(), 100, each_ms)
    slot = load.preflight_slot()
    assert slot.user_state.index == 0
    assert slot.user_state.session is None
    assert load.slots == [slot]


def test_an_open_loop_has_no_users_and_a_bound_of_connections(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = FakeContext(clock, "persistent")
    load = open_loop(context, monkeypatch, clock)
    load.begin()
    assert load.users == []
    pool = load._arrivals.pool  # type: ignore[union-attr] # the fake's
    for _ in range(3):
        pool.submit(None, clock.now_ns, 0)
    assert len(context.made) == 2
    assert load.waiting == 1


@pytest.mark.parametrize(("policy", "peak", "size"), [("pool:5", 3, 3), ("pool:2", 3, 2), ("persistent", 3, 3)])
def test_a_pool_is_no_larger_than_the_plan_allows(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, policy: str, peak: int, size: int
) -> None:
    context = FakeContext(clock, policy)
    load = open_loop(context, monkeypatch, clock, peak)
    load.begin()
    for _ in range(10):
        load._arrivals.pool.submit(None, clock.now_ns, 0)  # type: ignore[union-attr] # the fake's
    assert len(context.made) == size


def test_arrivals_that_never_began_are_unstarted(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    context = FakeContext(clock, "persistent")
    load = open_loop(context, monkeypatch, clock, peak=1)
    load.begin()
    begun_ns = clock.now_ns
    dispatcher = load._arrivals
    assert isinstance(dispatcher, FakeDispatcher)
    dispatcher.begun = 6
    dispatcher.pool.submit(None, begun_ns + 5 * MS, 0)  # type: ignore[attr-defined] # the pool
    dispatcher.pool.submit(None, begun_ns + 6 * MS, 0)  # type: ignore[attr-defined] # the pool
    load.stop()
    assert dispatcher.stopped
    # Due at 1, 2, … ms: in a window from 5 to 10 ms five. One of them waits, the three from 7 ms on never began.
    assert load.account(begun_ns + 5 * MS, begun_ns + 10 * MS) == {"due": 5, "unstarted": 4}
