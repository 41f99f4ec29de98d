"""`websocket`, `websocket-close`: each request is a message and its echo (RFC 6455)."""

from __future__ import annotations

from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts.requests import ONCE, SINGLE_USE
from loadgen.model.policy.protocols import WEBSOCKET


def _objects(conditions: RunConditions) -> str | None:
    if conditions.retries_stale:
        return "excludes --retry-stale: a message is not an idempotent request"
    return None


MESSAGES = Trait("WebSocket", lambda policy: policy.protocol == WEBSOCKET, objects=_objects)
PARTS = {
    "websocket": Part(
        "WebSocket: one upgrade per connection, then a message and its echo for each request", {"protocol": WEBSOCKET},
        trait=MESSAGES, synonyms=("ws", "wss", "websockets"),
    ),
    "websocket-close": Part(
        "WebSocket with one upgrade and one close handshake for each message",
        {"protocol": WEBSOCKET, **ONCE}, trait=SINGLE_USE,
    ),
}  # fmt: skip
