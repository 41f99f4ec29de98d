"""A client's side of one WebSocket that keeps the messages it receives. Sans I/O."""

from __future__ import annotations

from collections import deque
from typing import Any

from loadgen.wire.websocket.protocol import BINARY_FRAME, CONTINUATION_FRAME, TEXT_FRAME, Message, WebSocketProtocol

_DATA_FRAMES = (TEXT_FRAME, BINARY_FRAME, CONTINUATION_FRAME)


class InboxProtocol(WebSocketProtocol):
    """`feed` adds each complete message to `inbox`: text as str, other messages as bytes."""

    __slots__ = ("inbox",)

    def __init__(self, message: Message, max_bytes: int) -> None:
        super().__init__(message, max_bytes)
        self.inbox: deque[str | bytes] = deque()

    def _collect(self, frame: Any) -> bool:
        pieces = (*self._parts, frame.data) if frame.fin and frame.opcode in _DATA_FRAMES else ()
        complete = super()._collect(frame)
        if complete:
            payload = b"".join(pieces)
            self.inbox.append(payload.decode() if self._text else payload)
        return complete
