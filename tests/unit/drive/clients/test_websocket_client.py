"""WebSockets for greenlets: messages both ways, what ends them, and the rows that they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from loadgen.drive.clients.websocket_client import WebSocketFailure
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.records import ABSENT, Ending
from loadgen.target.behaviour import Behaviour
from tests.support.client_rig import ClientRig, begun, clients_of_target, opened_websocket
from tests.support.upgrade_servers import CLOSE, PING, TEXT, ws_frame

Make = Callable[..., ClientRig]


def hear(rig: ClientRig, payload: bytes, opcode: int = TEXT) -> None:
    rig.made[-1].answer(ws_frame(opcode, payload))


def failure_of(function: Callable[[], Any]) -> ErrorKind:
    with pytest.raises(WebSocketFailure) as caught:
        function()
    return caught.value.kind


def test_messages_go_both_ways_and_are_exchanges_of_one_connection(make: Make) -> None:
    rig = make("close", headers=(("X-Plan", "1"),))  # what the policy says of requests is not said of messages
    websocket = opened_websocket(rig, headers=(("X-Own", "2"),))
    head = rig.made[0].requests[0]
    assert head.startswith(b"GET /chat?room=1 HTTP/1.1\r\nHost: h:81\r\n")
    assert all(line in head for line in (b"\r\nX-Plan: 1\r\n", b"\r\nX-Own: 2\r\n", b"\r\nUpgrade: websocket\r\n"))
    for number in range(2):
        assert websocket.send_message(f"message {number}") >= 0
        receiving = begun(websocket.receive_message)
        assert not receiving.ready()
        hear(rig, b"answer")
        assert receiving.get(timeout=5).payload == "answer"
    websocket.close()
    websocket.close()  # safe to call twice
    hear(rig, b"\x03\xe8", CLOSE)
    assert rig.sink.column("outcome") == [101, 101]
    assert rig.sink.column("request_index") == [0, 1]
    assert [row["slot"] for row in rig.sink.connections] == [1]  # 0 is that of the user's requests
    assert rig.sink.endings == [Ending.CLIENT_ANNOUNCED]
    assert failure_of(lambda: websocket.send_message("late")) is ErrorKind.WEBSOCKET_CLOSED


def test_what_came_before_the_end_is_still_received(make: Make) -> None:
    rig = make()
    websocket = opened_websocket(rig)
    hear(rig, b"news")
    hear(rig, b"ping", PING)
    hear(rig, b"\x03\xe8", CLOSE)
    assert websocket.receive_message().payload == "news"
    assert failure_of(websocket.receive_message) is ErrorKind.WEBSOCKET_CLOSED
    assert rig.sink.endings == [Ending.SERVER_ANNOUNCED]


def test_a_server_that_closes_wakes_the_receiver(make: Make) -> None:
    rig = make()
    websocket = opened_websocket(rig)
    websocket.send_message(b"\x01")
    receiving = begun(lambda: failure_of(websocket.receive_message))
    hear(rig, b"\x03\xe8", CLOSE)
    assert receiving.get(timeout=5) is ErrorKind.WEBSOCKET_CLOSED
    assert rig.sink.column("outcome") == [-ErrorKind.WEBSOCKET_CLOSED]


@pytest.mark.parametrize(("sends", "outcomes"), [(True, [-ErrorKind.RESPONSE_TIMEOUT]), (False, [])])
def test_a_message_that_does_not_come_in_time_ends_it(make: Make, sends: bool, outcomes: list[int]) -> None:
    rig = make()
    websocket = opened_websocket(rig)
    if sends:
        websocket.send_message("hello?")
    assert failure_of(lambda: websocket.receive_message(0.01)) is ErrorKind.RESPONSE_TIMEOUT
    assert rig.sink.column("outcome") == outcomes
    websocket.close()


def test_messages_without_a_receive_count_as_sent(make: Make) -> None:
    rig = make()
    websocket = opened_websocket(rig)
    for _ in range(3):
        websocket.send_message("event")
    websocket.close()
    assert rig.sink.column("outcome") == [101] * 3
    assert rig.sink.column("wait") == [ABSENT] * 3


def test_an_upgrade_that_is_refused_is_recorded_and_raised(make: Make) -> None:
    rig = make("pool:1")
    user = rig.pool.new_client()
    opening = begun(lambda: failure_of(lambda: user.websocket("/")))
    rig.made[0].open()
    rig.made[0].answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    assert opening.get(timeout=5) is ErrorKind.UPGRADE_REFUSED
    assert rig.sink.column("outcome") == [-ErrorKind.UPGRADE_REFUSED]
    assert len(rig.sink.connections) == 1


def test_a_user_that_is_stopped_while_it_opens_one_leaves_nothing_behind(make: Make) -> None:
    rig = make()
    opening = begun(rig.pool.new_client().websocket, "/")
    rig.made[0].open()
    opening.kill()
    assert rig.made[0].closed
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED]


def test_a_user_that_leaves_closes_its_websockets(make: Make) -> None:
    rig = make()
    user, other = rig.pool.new_client(), rig.pool.new_client()
    mine, theirs = opened_websocket(rig, user), opened_websocket(rig, other)
    user.leave()
    assert failure_of(mine.receive_message) is ErrorKind.WEBSOCKET_CLOSED
    theirs.send_message("still here")
    with pytest.raises(RuntimeError, match="has left"):
        user.websocket("/")


def test_cookies_go_with_the_handshake_and_come_with_it(make: Make) -> None:
    rig = make(cookies=True)
    user = rig.pool.new_client()
    opened_websocket(rig, user, more=b"Set-Cookie: s=1\r\nSet-Cookie: t=2; Path=/chat\r\n")
    opened_websocket(rig, user)
    assert [b"\r\nCookie: t=2; s=1\r\n" in made.requests[0] for made in rig.made] == [False, True]


def test_a_full_disk_is_raised(make: Make) -> None:
    rig = make()
    websocket = opened_websocket(rig)

    def full(*_row: int) -> None:
        raise OSError(28, "No space left on device")

    rig.sink.exchange = full  # type: ignore[method-assign] # as a recorder does
    websocket.send_message("hello")
    hear(rig, b"hello")
    assert websocket.receive_message().payload == "hello"
    with pytest.raises(OSError, match="No space"):
        websocket.send_message("again")
    websocket.close()


def test_a_field_that_the_handshake_sets_is_refused(make: Make) -> None:
    with pytest.raises(PlanError, match="Upgrade"):
        make().pool.new_client().websocket("/", (("Upgrade", "h2c"),))


def test_the_targets_account_agrees() -> None:
    with clients_of_target(Behaviour(), "h2") as (pool, sink, target):
        user = pool.new_client()

        def converse() -> list[str | bytes]:
            assert user.call("GET", "/").status == 200
            websocket = user.websocket("/", (("Sec-WebSocket-Protocol", "chat"),))
            assert websocket.subprotocol == "chat"
            got = []
            for message in ("text", b"\xff" * 70_000, "text"):
                websocket.send_message(message)
                got.append(websocket.receive_message().payload)
            websocket.close()
            return got

        assert gevent.spawn(converse).get(timeout=20) == ["text", b"\xff" * 70_000, "text"]
        stats = target.stats()
    assert sorted(sink.column("outcome")) == [101, 101, 101, 200]
    assert (stats["requests"], stats["accepted"]) == (4, 2)
    assert (stats["protocols"]["websocket"], stats["protocols"]["h2"]) == (1, 1)
