"""The numbers of a run's connections."""

from __future__ import annotations

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.connection_numbers import ConnectionNumbers
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.wire.listener import NULL_LISTENER
from tests.support.fake_network import FakeClock, FakeRoute, FakeSink


def test_two_managers_of_a_run_give_no_number_twice() -> None:
    clock = FakeClock()
    plan = Plan(parse_target("http://h:81/"), parse_policies("close"))
    managers = [ConnectionManager(plan, FakeRoute(clock), FakeSink(), 7, clock) for _ in range(2)]
    for one in managers:
        one.use(plan.policies[0])
        one.numbers = managers[0].numbers
    given = [managers[place].new_connection(NULL_LISTENER).number for place in (0, 1, 1, 0)]
    assert given == [7, 8, 9, 10]
    assert [one.connections for one in managers] == [11, 11]
    for one in managers:
        one.close()


def test_numbers_begin_at_0() -> None:
    assert ConnectionNumbers().next == 0


def test_what_is_taken_is_gone() -> None:
    numbers = ConnectionNumbers(7)
    assert [numbers.take(), numbers.take(), numbers.next] == [7, 8, 9]
