"""A client's side of one WebSocket that keeps the messages it receives. Sans I/O."""

from __future__ import annotations

from collections import deque
from typing import Any

from loadgen.wire.websocket.message import Message
from loadgen.wire.websocket.protocol import WebSocketProtocol


class InboxProtocol(WebSocketProtocol):
    """`feed` adds each complete message to `inbox`: text as str, other messages as bytes."""

    __slots__ = ("inbox",)

    def __init__(self, message: Message, max_bytes: int) -> None:
        super().__init__(message, max_bytes)
        self.inbox: deque[str | bytes] = deque()

    def _collect(self, frame: Any) -> bytes | bytearray | None:
        payload = super()._collect(frame)
        if payload is not None:
            self.inbox.append(payload.decode() if self._text else bytes(payload))
        return payload
