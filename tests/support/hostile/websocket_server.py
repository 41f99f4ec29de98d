"""The hostile server in WebSocket: shakes hands, reads and counts messages, sends a row's bytes. Knows no row."""

from __future__ import annotations

import base64
import hashlib
from typing import cast

from tests.support.hostile.behaviour import Peer, Row, Script, Step
from tests.support.hostile.channel import Channel
from tests.support.hostile.server import CONVERSATIONS, Conversation, ServedConnection

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_SHORT, _MAX_MIDDLE = 125, 65_535


def frame(
    opcode: int = TEXT, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, mask: bytes = b"", width: int = 0,
    says_bytes: int | None = None,
) -> bytes:  # fmt: skip
    """One frame (RFC 6455 §5.2).

    reserved: RSV1 to RSV3 as a number. mask: four bytes, empty for none. width: bytes of the extended length, 0 for the
    right one. says_bytes: the length that the head says, if that is not the payload's.
    """
    size = len(payload) if says_bytes is None else says_bytes
    if not width and size > _MAX_SHORT:
        width = 2 if size <= _MAX_MIDDLE else 8
    short = {0: size, 2: 126, 8: 127}[width]
    head = bytes((fin << 7 | reserved << 4 | opcode, bool(mask) << 7 | short))
    head += size.to_bytes(width, "big") if width else b""
    coded = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return head + mask + coded


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


ECHO = frame(TEXT, b"loadgen")
"""A good answer to a message."""


def accept(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _MAGIC).digest())


def switch(*more: str, **replaced: str | None) -> Step:
    """The response that upgrades; replaced: fields, or `status`, in other words, None for none. more: further lines."""

    def step(peer: Peer) -> None:
        conversation = cast(WebSocketConversation, peer)
        lines = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec_WebSocket_Accept": accept(conversation.key).decode(),
            **replaced,
        }
        status = lines.pop("status", "HTTP/1.1 101 Switching Protocols")
        fields = [f"{name.replace('_', '-')}: {value}" for name, value in lines.items() if value is not None]
        conversation.send("".join(f"{line}\r\n" for line in (str(status), *fields, *more, "")).encode("latin-1"))

    return step


def wrong_key(peer: Peer) -> None:
    """Upgrades with the accept of another key."""
    switch(Sec_WebSocket_Accept=accept(b"x" * 24).decode())(peer)


def blank_accept(peer: Peer) -> None:
    """The right one between blanks."""
    key = cast(WebSocketConversation, peer).key
    switch(Sec_WebSocket_Accept=f" \t{accept(key).decode()}\t ")(peer)


def no_answer_to_close(peer: Peer) -> None:
    """The client's Close frame is not answered."""
    cast(WebSocketConversation, peer).answers_close = False


class WebSocketConversation(Conversation):
    """One connection. `greeting` is the response to the upgrade, where the row has one."""

    good: Script = (ECHO,)
    last: Script = (ECHO, close())

    def __init__(self, row: Row, channel: Channel, served: ServedConnection, is_first: bool) -> None:
        super().__init__(row, channel, served, is_first)
        self.key = b""
        self.answers_close = True
        self._message_bytes = 0
        self._has_closed = False

    @property
    def bytes_received(self) -> int:
        """Of messages alone, as a client counts them."""
        return self._message_bytes

    def run(self) -> None:
        head = self._read_head()
        if head is None:
            return
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        self.key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
        self.play(self.row.greeting if self.row.greeting and not self.is_first else (switch(),))
        while self.read_request():
            if not self.is_finished:
                self.play(self._next_script())

    def read_request(self) -> bool:
        """Read frames until a message is complete; one frame is one message here."""
        while True:
            head = self._take(2)
            if head is None:
                return False
            size = head[1] & 0x7F
            width = {126: 2, 127: 8}.get(size, 0)
            extended, mask = self._take(width), self._take(4 if head[1] & 0x80 else 0)
            if extended is None or mask is None:
                return False
            coded = self._take(int.from_bytes(extended, "big") if width else size)
            if coded is None:
                return False
            if not mask:
                self.served.said.add("unmasked")
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(coded)) if mask else coded
            opcode = head[0] & 0x0F
            if opcode in (TEXT, BINARY):
                self._message_bytes += 2 + width + len(mask) + len(coded)
                self.served.requests += 1
                return True
            self._note(opcode, payload)

    # Inside

    def _note(self, opcode: int, payload: bytes) -> None:
        if opcode == PONG:
            self.served.said.add(f"pong:{payload.decode('latin-1')}")
        elif opcode == CLOSE:
            self.served.said.add(f"close:{int.from_bytes(payload[:2], 'big') if payload else 'bare'}")
            if self.answers_close and not self.is_finished and not self._has_closed:
                self._has_closed = True
                self.send(frame(CLOSE, payload))
                self.finish()

    def send(self, data: bytes) -> None:
        self._has_closed = self._has_closed or data[:1] == bytes((0x80 | CLOSE,))
        super().send(data)


CONVERSATIONS["websocket"] = WebSocketConversation
