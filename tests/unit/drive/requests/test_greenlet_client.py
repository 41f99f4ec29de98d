"""Blocking clients for greenlets: calls wait for their responses, pauses come before requests, users come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from loadgen.drive.requests import greenlet_client
from loadgen.drive.requests.call_result import CallResult
from loadgen.drive.requests.greenlet_client import GreenletClientPool, scenario_policy
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import Ending
from loadgen.model.target import parse_target
from loadgen.wire import poller
from loadgen.wire.clock import PhaseClock
from tests.support.fake_network import BYE, HELLO, MS, FakeClock, FakeRoute, FakeSink, FakeTransport


class Rig:
    """A pool of clients over a network without a kernel."""

    def __init__(self, policy: str = "persistent", clock: PhaseClock | None = None, **values: Any) -> None:
        plan = Plan(parse_target("http://h:81/"), parse_policies("persistent"), **values)
        self.route = FakeRoute(clock or poller.of_hub())
        self.sink = FakeSink()
        self.pool = GreenletClientPool(plan, self.route, self.sink, policy)
        if clock is not None:
            self.pool.clock = clock

    @property
    def made(self) -> list[FakeTransport]:
        return self.route.made


@pytest.fixture
def make() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def rig(policy: str = "persistent", clock: PhaseClock | None = None, **values: Any) -> Rig:
        rigs.append(Rig(policy, clock, **values))
        return rigs[-1]

    yield rig
    for one in rigs:
        one.pool.close()


def begun(function: Callable[..., Any], *arguments: Any) -> Any:
    """A greenlet that has run as far as it can."""
    greenlet = gevent.spawn(function, *arguments)
    gevent.idle()
    return greenlet


def answered(rig: Rig, greenlet: Any, response: bytes = HELLO) -> CallResult:
    """The result of a call once its response has come."""
    transport = rig.made[-1]
    if not transport.requests:
        transport.open()
    transport.answer(response)
    result: CallResult = greenlet.get(timeout=5)
    return result


@pytest.mark.parametrize("policy", ["pool:2", "pipeline:3", "websocket", "h2"])
def test_policies_that_share_or_do_not_wait_are_not_for_scenarios(policy: str) -> None:
    with pytest.raises(PlanError, match="not for scenarios"):
        scenario_policy(policy)


def test_a_call_returns_when_its_response_is_there(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    call = begun(client.call, "GET", "/a?b=1")
    assert not call.ready()
    result = answered(rig, call)
    assert rig.made[0].requests[0].startswith(b"GET /a?b=1 HTTP/1.1\r\nHost: h:81\r\n")
    assert (result.status, result.body, result.error, result.reused) == (200, b"hello", None, False)
    assert result.latency_ns == sum(value for value in result.phases.values() if value is not None)
    again = answered(rig, begun(client.call, "GET", "/"))
    assert (again.reused, again.connection, len(rig.made)) == (True, result.connection, 1)
    assert rig.sink.column("outcome") == [200, 200]


def test_a_call_that_waits_gives_others_a_turn(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    assert not client.take_turn()
    answered(rig, begun(client.call, "GET", "/"))
    assert client.take_turn()
    assert not client.take_turn()  # it was taken


def test_heads_that_differ_are_told_apart(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    for value in (b"1", b"2", b"1", b"2"):
        result = answered(rig, begun(client.call, "GET", "/"), HELLO.replace(b"200 OK", b"200 OK\r\nX-Id: " + value))
        assert result.head is not None
        assert dict(result.head.headers)[b"X-Id"] == value
        assert result.body == b"hello"


def test_a_head_has_no_body(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert answered(rig, begun(client.call, "HEAD", "/"), head).body == b""
    assert answered(rig, begun(client.call, "GET", "/")).body == b"hello"


def test_a_connection_that_fails_at_once_is_an_error_and_no_exception(make: Callable[..., Rig]) -> None:
    rig = make()
    call = begun(rig.pool.new_client().call, "GET", "/")
    rig.made[0].refuse()
    result = call.get(timeout=5)
    assert (result.error, result.status, result.head) == (ErrorKind.CONNECT_REFUSED, 0, None)
    assert result.failure == "Connection refused"


@pytest.mark.parametrize(("method", "tries"), [("GET", 2), ("POST", 1)])
def test_only_idempotent_requests_are_sent_once_more(make: Callable[..., Rig], method: str, tries: int) -> None:
    rig = make(retry_stale=True)
    client = rig.pool.new_client()
    answered(rig, begun(client.call, "GET", "/"))
    call = begun(client.call, method, "/")
    rig.made[0].end()
    assert len(rig.made) == tries
    result = answered(rig, call) if tries == 2 else call.get(timeout=5)
    assert result.outcome == (200 if tries == 2 else -ErrorKind.STALE_CONNECTION)
    assert rig.pool.retried == tries - 1


def test_a_pause_comes_before_the_next_request_and_is_no_part_of_its_time(
    make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.pass_ms(seconds * 1e3)

    monkeypatch.setattr(greenlet_client.gevent, "sleep", sleep)
    rig = make("gap:30ms", clock)
    client = rig.pool.new_client()
    answered(rig, begun(client.call, "GET", "/"))
    clock.pass_ms(10)  # the user's own work
    answered(rig, begun(client.call, "GET", "/"))
    assert slept == [0.02]
    first, second = rig.sink.column("scheduled")
    assert second - first == 30 * MS


def test_two_calls_of_one_user_at_a_time_are_a_mistake(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    call = begun(client.call, "GET", "/")
    with pytest.raises(RuntimeError, match="one at a time"):
        client.call("GET", "/")
    answered(rig, call)


def test_a_killed_call_abandons_its_exchange(make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    rig = make(clock=clock)
    client = rig.pool.new_client()
    call = begun(client.call, "GET", "/")
    rig.made[0].open()
    call.kill()
    clock.pass_ms(10)  # the pause after an error
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED]
    assert rig.made[0].closed
    assert answered(rig, begun(client.call, "GET", "/")).status == 200


def test_a_full_disk_is_raised_in_the_call(make: Callable[..., Rig]) -> None:
    rig = make()

    def full(*_row: int) -> None:
        raise OSError(28, "No space left on device")

    rig.sink.exchange = full  # type: ignore[method-assign] # as a recorder does
    client = rig.pool.new_client()
    call = begun(client.call, "GET", "/")
    rig.made[0].open()
    rig.made[0].answer()
    with pytest.raises(OSError, match="No space"):
        call.get(timeout=5)
    assert rig.made[0].closed


def test_the_number_of_a_user_who_left_goes_to_the_next(make: Callable[..., Rig]) -> None:
    rig = make()
    first, second = rig.pool.new_client(), rig.pool.new_client()
    assert (first.index, second.index) == (0, 1)
    answered(rig, begun(first.call, "GET", "/"))
    first.leave()
    first.leave()  # safe to call twice
    assert rig.made[0].closed
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    assert [rig.pool.new_client().index for _ in range(2)] == [0, 2]
    with pytest.raises(RuntimeError, match="has left"):
        first.call("GET", "/")


def test_a_policys_rules_hold_between_calls(make: Callable[..., Rig]) -> None:
    rig = make("recycle:2")
    client = rig.pool.new_client()
    for number in range(4):
        result = answered(rig, begun(client.call, "GET", "/"), HELLO if number % 2 == 0 else BYE)
        assert result.request_index == number % 2
    assert [b"Connection: close" in request for request in rig.made[0].requests] == [False, True]
    assert len(rig.made) == 2


def test_the_first_response_shows_what_kind_of_server_this_is(make: Callable[..., Rig]) -> None:
    rig = make()
    response = HELLO.replace(b"\r\n\r\n", b"\r\nServer: made-up\r\n\r\n", 1)
    answered(rig, begun(rig.pool.new_client().call, "GET", "/"), response)
    assert rig.pool.observed["server"] == "made-up"


def test_cookies_go_where_their_path_says(make: Callable[..., Rig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    response = HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: s=1; Path=/in\r\n\r\n", 1)
    answered(rig, begun(client.call, "GET", "/in"), response)
    for path in ("/in/deep", "/out"):
        answered(rig, begun(client.call, "GET", path))
    assert [b"Cookie: s=1" in request for request in rig.made[0].requests] == [False, True, False]
