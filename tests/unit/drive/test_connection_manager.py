"""What slots share: connections of the policy's kind, their rows, deadlines, and closes that are waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies, parse_policy
from loadgen.model.records import ConnectionFlag, Ending
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.h2c import H2cConnection
from loadgen.wire.listener import NULL_LISTENER
from loadgen.wire.websocket.connection import WebSocketConnection
from tests.support.fake_network import HELLO, FakeClock, FakeRoute, FakeSink, requests

ANSWER = HELLO.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5, max=100\r\n\r\n", 1)


class Manager(ConnectionManager):
    """With one user, whose requests have deadlines; it closes its timers at the end of a test."""

    def __init__(self, clock: FakeClock, policy: str, timeout_ns: int = 100 * NS_PER_MS, **values: Any) -> None:
        target = parse_target("http://h:81/")
        load = Load(timeout_ns=timeout_ns)
        plan = Plan(target, parse_policies(policy), load, **values)
        self.fake_route = FakeRoute(clock)
        self.rows = FakeSink()
        super().__init__(plan, self.fake_route, self.rows, connections=7, clock=clock)
        self.use(parse_policy(policy))
        self.user = ClosedLoopUser(self, 0, UserState(0, requests()))

    def _at_work(self) -> Iterable[Connection | None]:
        return [self.user.connection]

    def _slots(self) -> Iterable[ClosedLoopUser]:
        return [self.user]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def manage(clock: FakeClock) -> Iterator[Any]:
    made: list[Manager] = []

    def make(policy: str, **values: Any) -> Manager:
        made.append(Manager(clock, policy, **values))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ("persistent", Connection),
        ("pipeline:2", Pipeline),
        ("websocket", WebSocketConnection),
        ("h2", Http2Connection),
        ("h2-prior+streams:3", Http2Connection),
        ("h2c-upgrade", H2cConnection),
    ],
)
def test_a_policy_has_its_kind_of_connection(manage: Any, policy: str, kind: type[Connection]) -> None:
    manager = manage(policy)
    numbers = []
    for _ in range(2):
        connection = manager.new_connection(manager.user)
        assert type(connection) is kind
        assert not connection.ignores_close
        numbers.append(connection.number)
    assert numbers == [7, 8]
    assert manager.connections == 9


def test_ignoring_a_close_is_the_policys(manage: Any) -> None:
    assert manage("ignore-close").new_connection(NULL_LISTENER).ignores_close


def test_a_new_policy_begins_its_counts_anew(manage: Any) -> None:
    manager = manage("persistent")
    manager.retried = manager.after_close_tried = 3
    manager.keep_alive = {"max": 5}
    manager.use(parse_policy("gap:20ms"))
    assert (manager.gap_s, manager.retried, manager.after_close_tried, manager.keep_alive) == (0.02, 0, 0, {})


def test_responses_that_end_idle_connections_are_counted_by_status(manage: Any, clock: FakeClock) -> None:
    manager = manage("persistent")
    for status in (408, 503, 408, 0):
        connection = manager.new_connection(NULL_LISTENER)
        connection.ending, connection.idle_status = Ending.SERVER_IDLE_RESPONSE, status
        manager.record_connection(0, connection)
    assert manager.idle_statuses == {"408": 2, "503": 1, "0": 1}
    manager.use(parse_policy("close"))
    assert manager.idle_statuses == {}


def test_what_servers_announce_is_the_least_time_and_the_most_requests(manage: Any, clock: FakeClock) -> None:
    manager = manage("close")
    manager.running = True
    manager.user.begin()
    for timeout_s, most in ((5, 100), (3, 99), (9, 101)):
        transport = manager.fake_route.made[-1]
        transport.open()
        transport.answer(
            ANSWER.replace(b"timeout=5, max=100", f"timeout={timeout_s}, max={most}".encode()),
        )
    assert manager.keep_alive == {"timeout_s": 3, "max": 101}


def test_a_request_that_takes_too_long_is_ended(manage: Any, clock: FakeClock) -> None:
    manager = manage("persistent")
    manager.running = True
    manager.user.begin()
    manager.fake_route.made[0].open()
    clock.pass_ms(99)
    manager._expire()
    assert manager.rows.exchanges == []
    clock.pass_ms(2)
    manager._expire()
    assert manager.rows.column("outcome") == [-ErrorKind.RESPONSE_TIMEOUT]
    assert manager.rows.endings == [Ending.CLIENT_GAVE_UP]


@pytest.mark.parametrize(("policy", "longest_ms"), [("max-idle:50ms", 50), ("honour:4950ms", 50), ("persistent", None)])
def test_a_connection_that_is_unused_for_too_long_is_closed(
    manage: Any, clock: FakeClock, policy: str, longest_ms: int | None
) -> None:
    manager = manage(policy)
    manager.user.begin()
    manager.fake_route.made[0].open()
    clock.pass_ms(60)
    manager._close_unused()  # the request is under way
    manager.fake_route.made[0].answer(ANSWER)
    clock.pass_ms(49.9)
    manager._close_unused()
    assert manager.rows.endings == []
    clock.pass_ms(0.1)
    manager._close_unused()
    assert manager.rows.endings == ([Ending.CLIENT_SILENT] if longest_ms else [])
    assert manager.fake_route.made[0].closed is bool(longest_ms)
    assert (manager._look is not None) is bool(longest_ms)
    manager.use(parse_policy("persistent"))
    assert manager._look is None


def under_way(manage: Any) -> Any:
    """A manager with a request that waits for its response; it has looked once for those that are overdue."""
    manager = manage("persistent")
    manager.running = True
    manager.user.begin()
    manager.fake_route.made[0].open()
    manager._expire()
    return manager


def test_a_process_that_did_not_run_reads_what_has_come_before_it_ends_a_request(manage: Any, clock: FakeClock) -> None:
    manager = under_way(manage)
    clock.pass_ms(400)  # stopped: the sweeps are 5 ms apart
    manager._expire()
    assert manager.rows.exchanges == []
    assert manager.stalled_ns == 395 * NS_PER_MS
    manager._expire()  # the timer is due again at once
    assert manager.rows.exchanges == []
    clock.pass_ms(5)
    manager._expire()
    assert manager.rows.column("outcome") == [-ErrorKind.RESPONSE_TIMEOUT]
    clock.pass_ms(250)  # late, as on a busy machine
    manager._expire()
    assert manager.stalled_ns == 395 * NS_PER_MS
    manager.use(manager.policy)
    clock.pass_ms(1_000)  # between two blocks
    manager._expire()
    assert manager.stalled_ns == 0


def test_a_process_that_hardly_ran_between_two_stops_reads_what_has_come_too(manage: Any, clock: FakeClock) -> None:
    manager = under_way(manage)
    for stopped_ms in (400, 100):  # the second one is over before the loop has come to read
        clock.pass_ms(stopped_ms)
        manager._expire()
        assert manager.rows.exchanges == []
    clock.pass_ms(5)
    manager._expire()
    assert manager.rows.column("outcome") == [-ErrorKind.RESPONSE_TIMEOUT]


def test_limits_may_be_as_long_as_a_plan_allows(manage: Any, clock: FakeClock) -> None:
    manager = manage("persistent", timeout_ns=86_400 * NS_PER_S, max_body_bytes=1 << 40)
    manager.user.begin()
    [transport] = manager.fake_route.made
    transport.open()
    clock.pass_ms(1000)
    manager._expire()
    transport.answer()
    assert manager.rows.column("outcome") == [200]


@pytest.mark.parametrize(
    ("headers", "cookies", "takes"), [((), True, True), ((("Cookie", "a=1"),), True, False), ((), False, False)]
)
def test_a_cookie_field_of_the_plan_is_the_only_one(
    manage: Any, headers: tuple[tuple[str, str], ...], cookies: bool, takes: bool
) -> None:
    assert manage("persistent", headers=headers, cookies=cookies).takes_cookies is takes


# Closes that the server was asked for


def asked_to_close(manage: Any) -> Manager:
    manager: Manager = manage("close")
    manager.user.begin()
    manager.fake_route.made[0].open()
    manager.fake_route.made[0].answer()  # it says nothing of closing
    assert manager.rows.connections == []
    return manager


def test_a_server_that_closes_in_time_did_what_it_was_asked_for(manage: Any, clock: FakeClock) -> None:
    manager = asked_to_close(manage)
    clock.pass_ms(15)
    manager._end_grace()
    manager.fake_route.made[0].end()
    assert manager.rows.endings == [Ending.CLIENT_ANNOUNCED]
    assert not manager.rows.connections[0]["flags"] & ConnectionFlag.IGNORED_CLOSE
    manager._await_closes()  # returns: nothing is left to wait for


def test_a_server_that_does_not_close_ignored_it(manage: Any, clock: FakeClock) -> None:
    manager = asked_to_close(manage)
    clock.pass_ms(21)
    manager._end_grace()
    assert manager.rows.connections == []  # the loop may have been too late to see a close that came in time
    manager._end_grace()
    assert manager.rows.endings == [Ending.CLIENT_ANNOUNCED]
    assert manager.rows.connections[0]["flags"] & ConnectionFlag.IGNORED_CLOSE
    assert manager.fake_route.made[0].closed


@pytest.mark.parametrize("closes", [True, False])
def test_a_close_that_was_waited_for_leaves_no_reference_circle(manage: Any, closes: bool) -> None:
    manager = asked_to_close(manage)
    [pending] = manager._pending_closes
    if closes:
        manager.fake_route.made[0].end()
    else:
        pending.give_up(waited=True)
    assert len(manager.rows.connections) == 1
    assert pending.connection.listener is NULL_LISTENER


def test_a_slow_server_gets_more_time(manage: Any, clock: FakeClock) -> None:
    manager: Manager = manage("close")
    manager.user.begin()
    manager.fake_route.made[0].open()
    clock.pass_ms(40)
    manager.fake_route.made[0].answer()
    clock.pass_ms(199)  # five times what the exchange took
    for _ in range(2):
        manager._end_grace()
    assert manager.rows.connections == []
    clock.pass_ms(2)
    for _ in range(2):
        manager._end_grace()
    assert len(manager.rows.connections) == 1


def test_only_so_many_closes_are_waited_for(manage: Any) -> None:
    manager: Manager = manage("close")
    manager._max_pending_closes = 2
    manager.running = True
    manager.user.begin()
    for number in range(4):
        manager.fake_route.made[number].open()
        manager.fake_route.made[number].answer()
    # The first two had to make room, before their time was over: nothing is known of what the server would have done.
    assert [row["connection"] for row in manager.rows.connections] == [7, 8]
    assert not any(row["flags"] & ConnectionFlag.IGNORED_CLOSE for row in manager.rows.connections)


def test_one_in_so_many_closing_connections_is_monitored(manage: Any) -> None:
    manager = manage("close")
    noted: list[int] = []
    manager.monitor = SimpleNamespace(about_to_close=lambda connection: noted.append(connection.number))
    for running in (False, True):
        manager.running = running
        for number in range(130):
            manager.about_to_close(SimpleNamespace(number=number))
    assert noted == [0, 64, 128]
