"""How numbers, cells of a sweep, protocols, endings and counts by kind are written for people. Measures nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, HTTP2, WEBSOCKET
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Ending
from loadgen.model.units import count, plain_number

# How a cell's value of an axis is written.
_WRITTEN: dict[str, Callable[[Any], str]] = {
    "base": str,
    "users": lambda users: count(users, "user"),
    "rate": lambda rate: f"{plain_number(rate)}/s",
    "recycle": lambda text: f"recycle:{text}",
    "gap": lambda text: f"gap:{text}",
    "size": lambda size: f"{size:,} B",
    "tls_version": lambda version: f"TLS {version}",
    "groups": str,
}
CELL_KEYS = tuple(_WRITTEN)
"""What cells of a sweep differ in: the policy that they are made of, and their value on each axis."""

ENDING_WORDS = {
    Ending.CLIENT_ANNOUNCED: "the last request on it said `Connection: close`",
    Ending.CLIENT_SILENT: "the client closed it between two requests: abandoned, too old, or the block ended",
    Ending.CLIENT_GAVE_UP: "the client closed it after an error: a deadline, bad bytes, a limit, an interruption",
    Ending.NOT_OPENED: "it never came to its first request",
    Ending.SERVER_ANNOUNCED: "a response said that the server would close",
    Ending.SERVER_IDLE_FIN: "the server closed it between two requests, unannounced",
    Ending.SERVER_IDLE_RST: "the server reset it between two requests",
    Ending.SERVER_STALE: "found closed when a request had been sent on it, without a byte of a response",
    Ending.SERVER_UNANSWERED: "the server closed it in its handshake, or before a final response began",
    Ending.SERVER_MID_RESPONSE_FIN: "the server closed it in the middle of a response",
    Ending.SERVER_MID_RESPONSE_RST: "the server reset it in the middle of a response",
    Ending.SERVER_IDLE_RESPONSE: "the server sent a response, such as a 408, between two requests",
}
"""What each ending means, for the report and docs/errors.md."""


def labels(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each of several cells of a sweep, or groups of them, by the axes in which they differ.

    By all axes that they have where they differ in none.
    """
    keys = [key for key in _WRITTEN if any(cell.get(key) is not None for cell in cells)]
    differing = [key for key in keys if len({cell.get(key) for cell in cells}) > 1] or keys
    return [
        " · ".join(_WRITTEN[key](cell[key]) for key in differing if cell.get(key) is not None) or "all"
        for cell in cells
    ]


def own_name(name: str, policy: PolicySummary) -> str:
    """A policy's name without that of its target, which stands behind it where several take turns."""
    return name.removesuffix(f" · {policy['target']}") if "target" in policy else name


def listed(counts: Mapping[str, int]) -> str:
    """Counts by kind, as in `3 connect_refused, 1 dns_failed`."""
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items())


def protocol_words(protocol: str, is_tls: bool) -> str:
    """How a table names what a policy's connections speak. `h2` is negotiated over TLS alone (RFC 9113 §3.2)."""
    return {
        HTTP1: "HTTP/1.1",
        WEBSOCKET: "WebSocket",
        H2C_UPGRADE: "HTTP/2 by upgrade (h2c)",
        H2: "HTTP/2 by ALPN" if is_tls else "HTTP/2, prior knowledge (in clear)",
        H2_PRIOR: "HTTP/2, prior knowledge",
    }[protocol]


def exchange_word(protocol: str) -> str:
    """What a connection of this protocol carries: requests, messages, or streams."""
    return "message" if protocol == WEBSOCKET else "stream" if protocol in HTTP2 else "request"


def declined_words(policy: PolicySummary) -> str:
    """What must stand beside the name of a policy whose upgrades were declined; empty where none was."""
    connections = policy["connections"]
    if not connections["upgrade_declined"]:
        return ""
    return "declined in part" if connections["upgraded"] else "declined: HTTP/1.1"
