"""A client's side of one WebSocket that sends pings of its own, and keeps what answered them (RFC 6455 §5.5)."""

from __future__ import annotations

from typing import Any

from loadgen.wire.websocket.message import Message
from loadgen.wire.websocket.protocol import WebSocketProtocol

_PING, _PONG = 9, 10


class ControlProtocol(WebSocketProtocol):
    """`ping` gives the bytes of a Ping; `feed` notes the server's control frames."""

    __slots__ = ("pings", "pongs")

    def __init__(self, message: Message, max_bytes: int) -> None:
        super().__init__(message, max_bytes)
        # Data of the Pongs that came; and how many Pings the server sent, each of which is answered.
        self.pongs: list[bytes] = []
        self.pings = 0

    def ping(self, data: bytes) -> bytes:
        """data: at most 125 bytes. Empty where either side has begun to close."""
        if self.open:
            self._protocol.send_ping(data)
        return self.take()

    def _collect(self, frame: Any) -> bytes | bytearray | None:
        if frame.opcode == _PONG:
            self.pongs.append(bytes(frame.data))
        elif frame.opcode == _PING:
            self.pings += 1
        return super()._collect(frame)
