"""Trailer sections of a policy's responses: what was asked for, what came, what must not. Reads block facts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loadgen.model.policy import WEBSOCKET, ConnectionPolicy
from loadgen.model.trailers import FORBIDDEN, add_trailers

_MOST_NAMED = 5


def trailers(blocks: list[dict[str, Any]], policy: ConnectionPolicy, asked: bool) -> dict[str, Any]:
    """A policy's `trailers` in the summary, warm-up included.

    asked: its requests said `TE: trailers`, which HTTP/1.0 and WebSocket messages can't. responses: how many ended with
    a trailer section that was not empty. fields: how often each field came, by lower-case name.
    """
    can_ask = policy.http_version != "1.0" and policy.protocol != WEBSOCKET
    return {"asked": asked and can_ask, **add_trailers(block.get("trailers") for block in blocks)}


def trailer_warnings(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields that no sender may put into a trailer section, as (code, message). found: what `trailers` gave."""
    bad = {name: count for name, count in found["fields"].items() if name in FORBIDDEN}
    if bad:
        listed = ", ".join(f"{name} ({count:,})" for name, count in list(bad.items())[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        yield (
            "forbidden_trailers",
            f"trailer sections held fields that are needed before the content and mean nothing behind it: {listed}"
            f"{more} (RFC 9110 §6.5.1)",
        )
