"""Calls over a pool: who gets a connection when, what a wait counts as, users that leave, several calls of one user."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.records import Ending
from tests.support.client_rig import ClientRig, answered, begun, call_all
from tests.support.fake_network import BYE, HELLO, FakeClock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def turn() -> None:
    """Greenlets whose call has ended go on."""
    gevent.idle()


def test_users_share_the_connections_of_a_pool_in_the_order_in_which_they_ask(make: Callable[..., ClientRig]) -> None:
    clock = FakeClock()
    rig = make("pool:2", clock)
    users = [rig.pool.new_client() for _ in range(4)]
    calls = [begun(user.call, "GET", f"/{number}") for number, user in enumerate(users)]
    for made in rig.made:
        made.open()
    assert rig.paths == [["/0"], ["/1"]]
    clock.pass_ms(3)
    rig.made[1].answer()
    rig.made[0].answer()
    assert rig.paths == [["/0", "/3"], ["/1", "/2"]]
    rig.made[0].answer()
    rig.made[1].answer()
    results = [call.get(timeout=5) for call in calls]
    assert [result.phases["queue"] for result in results] == [None, None, 3_000_000, 3_000_000]
    assert [result.reused for result in results] == [False, False, True, True]
    assert all(result.latency_ns == sum(value or 0 for value in result.phases.values()) for result in results)
    assert sorted(row["user"] for row in rig.sink.exchanges) == [0, 1, 2, 3]
    rig.pool.close()
    assert [row["slot"] for row in rig.sink.connections] == [0, 1]


def test_a_pool_goes_by_its_policys_other_parts(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:1+recycle:2")
    user = rig.pool.new_client()
    for response in (HELLO, BYE, HELLO):
        answered(rig, begun(user.call, "GET", "/"), response)
    assert [len(made.requests) for made in rig.made] == [2, 1]
    assert b"Connection: close" in rig.made[0].requests[1]


def test_a_user_that_is_stopped_while_it_waits_sends_nothing(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:1")
    first, second, third = (rig.pool.new_client() for _ in range(3))
    calls = [begun(user.call, "GET", path) for user, path in ((first, "/1"), (second, "/2"), (third, "/3"))]
    rig.made[0].open()
    calls[1].kill()
    second.leave()
    rig.made[0].answer()
    assert rig.paths == [["/1", "/3"]]
    rig.made[0].answer()
    assert [call.get(timeout=5).status for call in (calls[0], calls[2])] == [200, 200]
    assert rig.sink.column("outcome") == [200, 200]
    assert rig.pool.new_client().index == second.index


def test_a_user_that_is_stopped_within_a_call_makes_room_for_the_next(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:1")
    first, second = rig.pool.new_client(), rig.pool.new_client()
    stopped, waiting = call_all(first, "/1") + call_all(second, "/2")
    rig.made[0].open()
    stopped.kill()
    first.leave()
    assert rig.made[0].closed
    turn()
    assert answered(rig, waiting).status == 200
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED, 200]


def test_users_that_are_stopped_together_begin_nothing(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:1")
    calls = [begun(rig.pool.new_client().call, "GET", "/") for _ in range(3)]
    rig.made[0].open()
    gevent.killall(calls)
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED]
    assert len(rig.made) == 1


def test_a_user_that_leaves_ends_the_calls_of_its_other_greenlets(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:1")
    user = rig.pool.new_client()
    under_way, waiting = call_all(user, "/1", "/2")
    rig.made[0].open()
    user.leave()
    user.leave()  # safe to call twice
    assert under_way.get(timeout=5).error is ErrorKind.UNFINISHED
    with pytest.raises(RuntimeError, match="has left"):
        waiting.get(timeout=5)
    with pytest.raises(RuntimeError, match="has left"):
        user.call("GET", "/")


def test_further_calls_of_a_user_take_further_connections_of_its_own(make: Callable[..., ClientRig]) -> None:
    rig = make("persistent")
    user, other = rig.pool.new_client(concurrency=3), rig.pool.new_client()
    calls = call_all(user, "/1", "/2", "/3", "/4")
    assert len(rig.made) == 3
    for made in rig.made:
        made.open()
        made.answer()
    rig.made[1].answer()  # the fourth waited for this one
    assert [call.get(timeout=5).connection for call in calls] == [0, 1, 2, 1]
    answered(rig, begun(other.call, "GET", "/"))
    assert sorted(row["user"] for row in rig.sink.exchanges) == [0, 0, 0, 0, 1]
    user.leave()
    assert rig.sink.endings == [Ending.CLIENT_SILENT] * 3
    assert sorted(row["slot"] for row in rig.sink.connections) == [0, 2, 3]
    assert rig.pool.new_client().index not in {0, 1, 2, 3}


def test_one_connection_a_user_means_one_call_after_another(make: Callable[..., ClientRig]) -> None:
    rig = make("close")
    calls = call_all(rig.pool.new_client(concurrency=1), "/1", "/2")
    for number in range(2):
        rig.made[number].open()
        rig.made[number].answer(BYE)
    assert [call.get(timeout=5).status for call in calls] == [200, 200]
    assert rig.paths == [["/1"], ["/2"]]


def test_what_is_not_idempotent_goes_alone_in_a_pipeline(make: Callable[..., ClientRig]) -> None:
    rig = make("pipeline:2")
    user = rig.pool.new_client()
    post = begun(user.call, "POST", "/order")
    with pytest.raises(PlanError, match="GET / under way beside others"):
        user.call("GET", "/")
    assert answered(rig, post).status == 200


def test_an_error_lets_the_user_rest_before_its_next_call(
    make: Callable[..., ClientRig], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("loadgen.drive.clients.shared_client.gevent.sleep", clock.sleep)
    rig = make("pool:1", clock)
    user = rig.pool.new_client()
    (call,) = call_all(user, "/")
    rig.made[0].refuse()
    assert call.get(timeout=5).error is ErrorKind.CONNECT_REFUSED
    assert answered(rig, begun(user.call, "GET", "/")).status == 200
    assert clock.slept == [0.01]
    assert user.take_turn()
    assert not user.take_turn()
