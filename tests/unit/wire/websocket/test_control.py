"""A WebSocket that sends pings of its own: what it sends, and what it keeps of the answers."""

from __future__ import annotations

from loadgen.wire.websocket.control import ControlProtocol
from loadgen.wire.websocket.message import Message
from tests.support.cuts import Cut, either_way
from tests.support.upgrade_servers import CLOSE, PING, PONG, TEXT, switching, ws_frame

MESSAGE = Message(b"hello", True, "/", (("Host", "h"),))


def opened() -> ControlProtocol:
    core = ControlProtocol(MESSAGE, 1 << 20)
    assert core.upgrade(switching(core.handshake(MESSAGE)))
    return core


def test_a_ping_is_a_masked_frame() -> None:
    ping = opened().ping(b"abc")
    assert (ping[0], ping[1], len(ping)) == (0x80 | PING, 0x80 | 3, 2 + 4 + 3)


@either_way
def test_pongs_are_kept_and_pings_answered(cut: Cut) -> None:
    core = opened()
    for piece in cut(ws_frame(PONG, b"one") + ws_frame(PING, b"two") + ws_frame(PONG, b"three")):
        assert not core.feed(piece)
    assert (core.pongs, core.pings) == ([b"one", b"three"], 1)
    assert core.take()[0] == 0x80 | PONG
    assert core.feed(ws_frame(TEXT, b"hello")), "messages are told as before"


def test_after_a_close_there_is_no_ping() -> None:
    core = opened()
    core.feed(ws_frame(CLOSE, b"\x03\xe8"))
    assert core.take()[0] == 0x80 | CLOSE
    assert core.ping(b"abc") == b""
    assert core.closed is not None
