"""Calls with a time limit of their own, and calls whose body is read as it comes."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.model.errors import ErrorKind
from loadgen.model.load import Load
from loadgen.model.records import Ending
from tests.support.client_rig import ClientRig, answered, begun, clients_of_target
from tests.support.fake_network import HELLO

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Own: 1\r\n\r\n"


def await_connections(rig: ClientRig, count: int) -> None:
    """Wait out the pause after an error."""
    with gevent.Timeout(5):
        while len(rig.made) < count:
            gevent.sleep(0.001)


@pytest.mark.parametrize("policy", ["persistent", "pool:1"])
def test_a_call_ends_when_its_own_time_is_over(make: Callable[..., ClientRig], policy: str) -> None:
    rig = make(policy)
    client = rig.pool.new_client()
    call = begun(client.call, "GET", "/", (), b"", 0.1)
    rig.made[0].open()
    assert rig.pool.timed
    assert call.get(timeout=5).error is ErrorKind.RESPONSE_TIMEOUT
    assert not rig.pool.timed
    assert rig.made[0].closed
    again = begun(lambda: client.call("GET", "/", timeout_s=5.0))
    await_connections(rig, 2)
    assert answered(rig, again).status == 200
    assert not rig.pool.timed


@pytest.mark.parametrize("policy", ["persistent", "pool:1"])
def test_a_longer_time_takes_the_place_of_the_run_s(make: Callable[..., ClientRig], policy: str) -> None:
    rig = make(policy, load=Load(timeout_ns=20_000_000))
    client = rig.pool.new_client()
    call = begun(lambda: client.call("GET", "/", timeout_s=30.0))
    rig.made[0].open()
    gevent.sleep(0.06)
    assert not call.ready()
    rig.made[0].answer()
    assert call.get(timeout=5).status == 200


def test_a_body_is_read_as_it_comes_and_recorded_when_it_has_ended(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    stream = BodyStream()
    call = begun(lambda: client.call("GET", "/", stream=stream))
    rig.made[0].open()
    rig.made[0].answer(HEAD[:20])
    gevent.idle()
    assert not call.ready()
    rig.made[0].answer(HEAD[20:] + b"12")
    so_far = call.get(timeout=5)
    assert (so_far.status, so_far.body, dict(so_far.head.headers)[b"X-Own"]) == (200, b"", b"1")
    assert (so_far.phases["receive"], so_far.reused) == (None, False)
    assert so_far.latency_ns == sum(value for value in so_far.phases.values() if value is not None)
    assert rig.sink.exchanges == []
    assert stream.read(100) == b"12"
    rig.made[0].answer(b"345")
    assert stream.read(2) == b"34"
    rig.made[0].answer(b"67890")
    assert stream.read() == b"567890"
    assert stream.result is not None
    assert stream.result.phases["receive"] is not None
    assert rig.sink.column("outcome") == [200]
    # The next call is a usual one, on the same connection.
    assert answered(rig, begun(client.call, "GET", "/")).body == b"hello"
    assert (len(rig.made), len(stream.read())) == (1, 0)


def test_a_call_beside_a_body_that_is_on_its_way_has_another_connection(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    stream = BodyStream()
    begun(lambda: client.call("GET", "/", stream=stream))
    rig.made[0].open()
    rig.made[0].answer(HEAD)
    gevent.idle()
    assert answered(rig, begun(client.call, "GET", "/")).body == b"hello"
    assert len(rig.made) == 2
    rig.made[0].answer(b"1234567890")
    assert stream.read() == b"1234567890"


def test_a_short_response_is_whole_at_once(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    for policy_stream in (BodyStream(), BodyStream()):  # the second head is known from the first
        result = answered(rig, begun(lambda stream=policy_stream: client.call("GET", "/", stream=stream)))
        assert (result.status, policy_stream.ended, policy_stream.read()) == (200, True, b"hello")


def test_a_body_that_is_cut_or_not_wanted_ends_its_connection(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    streams = [BodyStream(), BodyStream()]
    ends = [lambda: rig.made[0].end(), streams[1].close]
    for number, (stream, end) in enumerate(zip(streams, ends, strict=True)):
        begun(lambda stream=stream: client.call("GET", "/", stream=stream))
        await_connections(rig, number + 1)
        rig.made[number].open()
        rig.made[number].answer(HEAD + b"1")
        gevent.idle()
        end()
        assert stream.ended
    assert rig.sink.column("outcome") == [-ErrorKind.TRUNCATED, -ErrorKind.UNFINISHED]
    assert all(transport.closed for transport in rig.made)
    assert rig.sink.endings[-1] == Ending.CLIENT_GAVE_UP


def test_a_user_who_is_stopped_while_it_waits_for_a_head_abandons_the_exchange(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    call = begun(lambda: client.call("GET", "/", stream=BodyStream(), timeout_s=9.0))
    rig.made[0].open()
    call.kill()
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED]
    assert not rig.pool.timed
    client.leave()


@pytest.mark.parametrize("policy", ["persistent", "close", "pool:2", "h2-prior"])
def test_a_streamed_body_is_that_of_the_target(policy: str) -> None:
    with clients_of_target(policy=policy) as (pool, sink, _):
        client = pool.new_client()
        for size in (5, 300_000):
            stream = BodyStream()
            assert client.call("GET", f"/?size={size}", stream=stream).status == 200
            assert len(stream.read()) == size
        client.leave()
        assert sink.column("outcome") == [200, 200]


def test_a_full_disk_reaches_the_reader_of_a_stream(make: Callable[..., ClientRig]) -> None:
    rig = make()
    client = rig.pool.new_client()
    stream = BodyStream()
    call = begun(lambda: client.call("GET", "/", stream=stream))
    rig.made[0].open()

    def full(*_row: int) -> None:
        raise OSError(28, "No space left on device")

    rig.sink.exchange = full  # type: ignore[method-assign] # as a recorder does
    rig.made[0].answer(HELLO)
    with pytest.raises(OSError, match="No space"):
        call.get(timeout=5)
    assert rig.made[0].closed
