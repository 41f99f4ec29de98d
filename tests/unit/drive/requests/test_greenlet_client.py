"""Blocking clients for greenlets: calls wait for their responses, pauses come before requests, users come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loadgen.drive.requests import greenlet_client
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.clock import PhaseClock
from tests.support.client_rig import ClientRig, answered, begun
from tests.support.fake_network import BYE, HELLO, MS, FakeClock


@pytest.fixture
def make() -> Iterator[Callable[..., ClientRig]]:
    rigs: list[ClientRig] = []

    def rig(policy: str = "persistent", clock: PhaseClock | None = None, **values: Any) -> ClientRig:
        rigs.append(ClientRig(policy, clock, **values))
        return rigs[-1]

    yield rig
    for one in rigs:
        one.pool.close()


def test_a_call_returns_when_its_response_is_there(make: Callable[..., ClientRig]) -> None:
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


def test_a_call_that_waits_gives_others_a_turn(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    assert not client.take_turn()
    answered(rig, begun(client.call, "GET", "/"))
    assert client.take_turn()
    assert not client.take_turn()  # it was taken


def test_heads_that_differ_are_told_apart(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    for value in (b"1", b"2", b"1", b"2"):
        result = answered(rig, begun(client.call, "GET", "/"), HELLO.replace(b"200 OK", b"200 OK\r\nX-Id: " + value))
        assert result.head is not None
        assert dict(result.head.headers)[b"X-Id"] == value
        assert result.body == b"hello"


def test_a_head_has_no_body(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert answered(rig, begun(client.call, "HEAD", "/"), head).body == b""
    assert answered(rig, begun(client.call, "GET", "/")).body == b"hello"


def test_a_connection_that_fails_at_once_is_an_error_and_no_exception(make: Callable[..., ClientRig]) -> None:
    rig = make()
    call = begun(rig.pool.new_client().call, "GET", "/")
    rig.made[0].refuse()
    result = call.get(timeout=5)
    assert (result.error, result.status, result.head) == (ErrorKind.CONNECT_REFUSED, 0, None)
    assert result.failure == "Connection refused"


@pytest.mark.parametrize(("method", "tries"), [("GET", 2), ("POST", 1)])
def test_only_idempotent_requests_are_sent_once_more(make: Callable[..., ClientRig], method: str, tries: int) -> None:
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
    make: Callable[..., ClientRig], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(greenlet_client.gevent, "sleep", clock.sleep)
    rig = make("gap:30ms", clock)
    client = rig.pool.new_client()
    answered(rig, begun(client.call, "GET", "/"))
    clock.pass_ms(10)  # the user's own work
    answered(rig, begun(client.call, "GET", "/"))
    assert clock.slept == [0.02]
    first, second = rig.sink.column("scheduled")
    assert second - first == 30 * MS


def test_a_killed_call_abandons_its_exchange(make: Callable[..., ClientRig], monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("concurrency", [1, 10])  # of one the slot is that of a pool
@pytest.mark.parametrize("ended_by", ["kill", "close_idle"])
def test_what_a_user_ends_itself_needs_another_connection(
    make: Callable[..., ClientRig], ended_by: str, concurrency: int
) -> None:
    clock = FakeClock()
    rig = make(clock=clock)
    client = rig.pool.new_client(concurrency)
    answered(rig, begun(client.call, "GET", "/"))
    if ended_by == "kill":
        begun(client.call, "GET", "/").kill()
        clock.pass_ms(10)  # the pause after an error
    else:
        client.close_idle()
    answered(rig, begun(client.call, "GET", "/logout"))
    client.leave()
    assert len({row["slot"] for row in rig.sink.connections}) == len(rig.sink.connections) == 2


def test_a_connection_that_the_server_ends_leaves_its_slot(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    for _ in range(2):
        answered(rig, begun(client.call, "GET", "/"), BYE)
    assert [row["slot"] for row in rig.sink.connections] == [0, 0]


def test_a_full_disk_is_raised_in_the_call(make: Callable[..., ClientRig]) -> None:
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


def test_a_user_who_left_gives_its_number_to_the_next_and_no_slot(make: Callable[..., ClientRig]) -> None:
    rig = make()
    first, second = rig.pool.new_client(), rig.pool.new_client()
    assert (first.index, second.index) == (0, 1)
    answered(rig, begun(first.call, "GET", "/"))
    first.leave()
    first.leave()  # safe to call twice
    assert rig.made[0].closed
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    later = [rig.pool.new_client() for _ in range(2)]
    assert [one.user_state.index for one in later] == [0, 2]
    assert {one.index for one in later}.isdisjoint({0, 1})
    with pytest.raises(RuntimeError, match="has left"):
        first.call("GET", "/")


def test_a_policys_rules_hold_between_calls(make: Callable[..., ClientRig]) -> None:
    rig = make("recycle:2")
    client = rig.pool.new_client()
    for number in range(4):
        result = answered(rig, begun(client.call, "GET", "/"), HELLO if number % 2 == 0 else BYE)
        assert result.request_index == number % 2
    assert [b"Connection: close" in request for request in rig.made[0].requests] == [False, True]
    assert len(rig.made) == 2


def test_the_first_response_shows_what_kind_of_server_this_is(make: Callable[..., ClientRig]) -> None:
    rig = make()
    response = HELLO.replace(b"\r\n\r\n", b"\r\nServer: made-up\r\n\r\n", 1)
    answered(rig, begun(rig.pool.new_client().call, "GET", "/"), response)
    assert rig.pool.observed["server"] == "made-up"


def test_cookies_go_where_their_path_says(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    response = HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: s=1; Path=/in\r\n\r\n", 1)
    answered(rig, begun(client.call, "GET", "/in"), response)
    for path in ("/in/deep", "/out"):
        answered(rig, begun(client.call, "GET", path))
    assert [b"Cookie: s=1" in request for request in rig.made[0].requests] == [False, True, False]
