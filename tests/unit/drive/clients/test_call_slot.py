"""Slots with several calls: in a pipeline, in streams; each gets its own response, or is given up alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gevent
import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.target.behaviour import Behaviour
from tests.support.client_rig import ClientRig, answered, begun, call_all, clients_of_target
from tests.support.fake_network import HELLO, FakeClock
from tests.support.fake_swarm import until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def test_a_full_disk_is_raised_in_every_call_of_a_connection(make: Callable[..., ClientRig]) -> None:
    rig = make("pipeline:3")

    def full(*_row: int) -> None:
        raise OSError(28, "No space left on device")

    rig.sink.exchange = full  # type: ignore[method-assign] # as a recorder does
    user = rig.pool.new_client()
    calls = call_all(user, "/1")
    rig.made[0].open()
    calls += call_all(user, "/2", "/3")
    rig.made[0].answer(HELLO)
    for call in calls:
        with pytest.raises(OSError, match="No space"):
            call.get(timeout=5)
    assert rig.made[0].closed


def test_a_pipeline_has_calls_in_flight_and_gives_each_its_own_response(make: Callable[..., ClientRig]) -> None:
    clock = FakeClock()
    rig = make("pipeline:2", clock)
    user = rig.pool.new_client()
    calls = [begun(user.call, method, path) for method, path in (("GET", "/1"), ("HEAD", "/2"), ("GET", "/3"))]
    clock.pass_ms(5)
    rig.made[0].open()
    assert rig.paths == [["/1", "/2"]]  # the third has to wait
    clock.pass_ms(7)
    rig.made[0].answer(HELLO + HEAD)
    assert rig.paths == [["/1", "/2", "/3"]]
    rig.made[0].answer(HELLO.replace(b"hello", b"third"))
    results = [call.get(timeout=5) for call in calls]
    assert [result.body for result in results] == [b"hello", b"", b"third"]
    assert [result.phases["queue"] for result in results] == [None, 12_000_000, 12_000_000]
    assert all(result.latency_ns == sum(value or 0 for value in result.phases.values()) for result in results)


@pytest.mark.parametrize(("policy", "connections"), [("h2", 2), ("h2+coalesce", 1), ("h2c-upgrade", 2)])
def test_calls_go_as_streams_of_one_connection(policy: str, connections: int) -> None:
    with clients_of_target(Behaviour(delay_ns=20_000_000), policy) as (pool, sink, target):
        users = [pool.new_client() for _ in range(2)]
        calls = [gevent.spawn(user.call, "GET", f"/?size={size}") for user in users for size in (3, 40_000, 5)]
        results = [call.get(timeout=20) for call in calls]
        assert [len(result.body) for result in results] == [3, 40_000, 5] * 2
        assert len({result.connection for result in results}) == connections
        stats = target.stats()
        assert (stats["requests"], stats["accepted"]) == (6, connections)
        # The first request pays for the connection, and the others wait until it is open, then for the server alone.
        assert sum(result.phases["connect"] is not None for result in results) == connections
        assert sum(result.phases["queue"] is not None for result in results) == 6 - connections
        head = gevent.spawn(users[0].call, "HEAD", "/").get(timeout=20)
        assert (head.status, head.body) == (200, b"")
        post = gevent.spawn(users[0].call, "POST", "/", (("X-A", "b"),), b"x" * 100_000).get(timeout=20)
        assert (post.status, post.reused) == (200, True)
    assert len(sink.connections) == connections
    assert sink.column("late") == [ABSENT] * 8


def test_the_stream_of_a_stopped_call_is_given_up_alone() -> None:
    with clients_of_target(Behaviour(delay_ns=50_000_000), "h2") as (pool, sink, _target):
        user = pool.new_client()
        assert gevent.spawn(user.call, "GET", "/").get(timeout=20).status == 200
        stopped, kept = (gevent.spawn(user.call, "GET", path) for path in ("/1", "/2"))
        gevent.sleep(0)
        stopped.kill()
        assert kept.get(timeout=20).status == 200
        assert gevent.spawn(user.call, "GET", "/3").get(timeout=20).status == 200
        assert sorted(sink.column("outcome")) == [-ErrorKind.UNFINISHED, 200, 200, 200]
    assert len(sink.connections) == 1


def test_a_server_without_http2_answers_one_call_after_another() -> None:
    with clients_of_target(Behaviour(declines=frozenset({"h2c"})), "h2c-upgrade") as (pool, sink, target):
        user = pool.new_client()
        calls = [gevent.spawn(user.call, method, "/?size=7") for method in ("GET", "HEAD", "GET")]
        assert [len(call.get(timeout=20).body) for call in calls] == [7, 0, 7]
        assert target.stats()["accepted"] == 1
    assert sink.column("outcome") == [200] * 3


@pytest.mark.parametrize(("policy", "spoken"), [("h2", "h2"), ("pool:1", "http/1.1")])
def test_over_tls_the_server_agrees_to_what_the_policy_wants(tmp_path: Path, policy: str, spoken: str) -> None:
    with clients_of_target(policy=policy, ca_file=tmp_path / "ca.pem") as (pool, sink, target):
        user = pool.new_client()

        def scenario() -> str | bytes:
            assert [user.call("GET", "/").status for _ in range(2)] == [200, 200]
            websocket = user.websocket("/")
            websocket.send_message("over TLS")
            return websocket.receive_message().payload

        assert gevent.spawn(scenario).get(timeout=20) == "over TLS"
        assert target.stats()["protocols"] == {"http/1.1": 0, "h2": 0, "h2c": 0, "websocket": 1} | {spoken: 1}
    assert all(row["tls"] > 0 for row in sink.connections)


def test_a_call_whose_time_is_over_is_given_up_alone() -> None:
    with clients_of_target(Behaviour(delay_ns=200_000_000), "h2") as (pool, sink, _target):
        user = pool.new_client()
        assert gevent.spawn(user.call, "GET", "/").get(timeout=20).status == 200  # the connection is open
        calls = [gevent.spawn(user.call, "GET", path, (), b"", time) for path, time in (("/1", 0.05), ("/2", 5.0))]
        late, answered = (call.get(timeout=20) for call in calls)
    assert (late.error, answered.status) == (ErrorKind.RESPONSE_TIMEOUT, 200)
    assert late.failure == "no answer within the time allowed"
    assert len(sink.connections) == 1


def test_in_a_pipeline_it_takes_the_connection_with_it(make: Callable[..., ClientRig]) -> None:
    rig = make("pipeline:2")
    user = rig.pool.new_client()
    calls = [begun(user.call, "GET", "/", (), b"", 0.02), begun(user.call, "GET", "/")]
    rig.made[0].open()
    assert [call.get(timeout=5).error for call in calls] == [
        ErrorKind.RESPONSE_TIMEOUT,
        ErrorKind.PIPELINE_DROPPED,
    ]


def test_connections_of_a_pool_are_closed_when_they_were_unused_for_too_long(make: Callable[..., ClientRig]) -> None:
    rig = make("pool:2+max-idle:10ms")
    answered(rig, begun(rig.pool.new_client().call, "GET", "/"))
    until(lambda: rig.sink.connections)  # the pool looks for unused ones by itself
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    assert answered(rig, begun(rig.pool.new_client().call, "GET", "/")).request_index == 0


def test_a_call_that_waits_for_a_stream_is_given_up_before_it_is_sent() -> None:
    with clients_of_target(Behaviour(delay_ns=60_000_000, max_streams=1), "h2") as (pool, sink, target):
        user = pool.new_client()
        assert gevent.spawn(user.call, "GET", "/").get(timeout=20).status == 200  # the server has said how many
        answered, stopped = (gevent.spawn(user.call, "GET", path) for path in ("/1", "/2"))
        gevent.sleep(0)
        stopped.kill()
        assert answered.get(timeout=20).status == 200
        assert target.stats()["requests"] == 2
    assert sorted(sink.column("outcome")) == [-ErrorKind.UNFINISHED, 200, 200]


def test_a_server_without_http2_loses_the_connection_of_a_call_that_is_given_up() -> None:
    behaviour = Behaviour(delay_ns=60_000_000, declines=frozenset({"h2c"}))
    with clients_of_target(behaviour, "h2c-upgrade") as (pool, sink, _target):
        user = pool.new_client()
        assert gevent.spawn(user.call, "GET", "/").get(timeout=20).status == 200
        stopped = gevent.spawn(user.call, "GET", "/1")
        gevent.sleep(0)
        stopped.kill()
        assert gevent.spawn(user.call, "GET", "/2").get(timeout=20).connection == 1
    assert len(sink.connections) == 2
