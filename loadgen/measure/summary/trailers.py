"""Trailer sections of a policy's responses: what was asked for and what came. Reads block facts only."""

from __future__ import annotations

from loadgen.model.block_facts import BlockFacts
from loadgen.model.policy import WEBSOCKET, ConnectionPolicy
from loadgen.model.policy_summary import TrailersSummary
from loadgen.model.trailers import add_trailers


def trailers(blocks: list[BlockFacts], policy: ConnectionPolicy, asked: bool) -> TrailersSummary:
    """Warm-up included. asked: the plan says `TE: trailers`, which HTTP/1.0 and WebSocket messages can't."""
    can_ask = policy.http_version != "1.0" and policy.protocol != WEBSOCKET
    total = add_trailers(block.get("trailers") for block in blocks)
    return {"asked": asked and can_ask, "responses": total["responses"], "fields": total["fields"]}
