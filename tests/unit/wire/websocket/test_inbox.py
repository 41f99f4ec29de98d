"""Messages that are kept: text and bytes, whole or in pieces, with control frames between them."""

from __future__ import annotations

from loadgen.wire.websocket.inbox import InboxProtocol
from loadgen.wire.websocket.message import Message
from tests.support.upgrade_servers import BINARY, PING, TEXT, switching, ws_frame

REQUEST = Message(b"", True, "/", (("Host", "h"),))


def test_messages_come_out_as_they_were_sent() -> None:
    core = InboxProtocol(REQUEST, 1000)
    assert core.upgrade(switching(core.handshake(REQUEST)))
    core.feed(ws_frame(TEXT, "grüße".encode()) + ws_frame(BINARY, b"\xff\x00"))
    core.feed(ws_frame(TEXT, b"in ", fin=False) + ws_frame(PING, b"p"))
    core.feed(ws_frame(0, b"three ", fin=False) + ws_frame(0, b"pieces"))
    assert list(core.inbox) == ["grüße", b"\xff\x00", "in three pieces"]
    assert [type(one) for one in core.inbox] == [str, bytes, str]
    assert core.take()  # the pong
