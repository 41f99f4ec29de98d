"""`websocket`, `websocket-close`: each request is a message and its echo (RFC 6455)."""

from __future__ import annotations

from loadgen.model.policy.part import Part
from loadgen.model.policy.parts.requests import ONCE, SINGLE_USE
from loadgen.model.policy.protocols import WEBSOCKET

PARTS = {
    "websocket": Part(
        "WebSocket: one upgrade per connection, then a message and its echo for each request", {"protocol": WEBSOCKET}
    ),
    "websocket-close": Part(
        "WebSocket with one upgrade and one close handshake for each message",
        {"protocol": WEBSOCKET, **ONCE}, trait=SINGLE_USE,
    ),
}  # fmt: skip
