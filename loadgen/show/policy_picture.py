"""A policy's connections as a picture of text: time goes to the right, a line is a connection. Prints nothing.

The picture is drawn from the policy's own rules, so that any combination of parts has one. Knows no part by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, islice

from loadgen.model.policy import H2C_UPGRADE, HTTP1, WEBSOCKET, ConnectionPolicy

LEGEND = {
    "?": "its name is looked up",
    "=": "a connection opens (`==`; `=` with a resumed TLS session)",
    "^": "it is upgraded",
    "a": "a request of user a and its response",
    "[": "requests in flight at the same time",
    ".": "the connection is not in use",
    "~": "and so on",
    "x": "the server says that it closes",
    "|": "the client closes, as it has announced",
    "!": "the client closes without having announced it",
    ">": "the connection stays open",
}
"""What each sign means."""

_REQUESTS = 6
_MAX_SHOWN = 4  # requests of a connection that has a limit
_IN_TIME = 3  # requests before a limit in time ends a connection
_USERS = "abc"


def picture(policy: ConnectionPolicy) -> list[str]:
    """One line for each connection of a user, or of three users who share a pool."""
    if not policy.pool:
        return _connections(policy, "a")
    size = min(policy.pool, len(_USERS) - 1)
    return [line for place in range(size) for line in _connections(policy, _turns(place, size))]


def legend(lines: Sequence[str]) -> list[str]:
    """A line for each sign that a picture has."""
    drawn = set("".join(lines))
    return [f"{sign} {meaning}" for sign, meaning in LEGEND.items() if sign in drawn]


def _turns(place: int, size: int) -> str:
    """Which users the connection at this place of a pool serves, until that repeats."""
    return "".join(_USERS[(place + turn * size) % len(_USERS)] for turn in range(len(_USERS)))


def _connections(policy: ConnectionPolicy, users: Iterable[str]) -> list[str]:
    """The connections that carry requests of these users, one after another."""
    lines: list[str] = []
    turns = cycle(users)
    column = 0
    for _ in range(_shown_connections(policy)):
        served = list(islice(turns, _shown_requests(policy)))
        line = _opening(policy, is_first=not lines) + _served(policy, served) + _end(policy)
        lines.append(" " * column + line)
        column += len(line)
    return lines


def _shown_connections(policy: ConnectionPolicy) -> int:
    if policy.keeps_open:
        return 1
    return 2 if policy.reuses else 3


def _shown_requests(policy: ConnectionPolicy) -> int:
    if policy.limits:
        return min(_IN_TIME, policy.requests)
    return min(policy.requests, _MAX_SHOWN) if policy.limits_requests else _REQUESTS


def _opening(policy: ConnectionPolicy, *, is_first: bool) -> str:
    handshake = "=" if policy.resumes_tls and not is_first else "=="
    upgrade = "^" if policy.protocol in (WEBSOCKET, H2C_UPGRADE) else ""
    return ("?" if policy.resolves else "") + handshake + upgrade


def _served(policy: ConnectionPolicy, users: Sequence[str]) -> str:
    """The requests of a connection, with what lies between them."""
    if policy.depth > 1:
        size = min(policy.depth, len(_USERS))
        return "".join(f"[{''.join(users[start : start + size])}]" for start in range(0, len(users), size))
    rest = "....." if policy.gap_ns else "."
    shown = list(users)
    if not policy.limits and policy.limits_requests and policy.requests > _MAX_SHOWN:
        shown[-2] = "~"
    if not policy.honours_close:
        shown[-2] += "x"
    return rest.join(shown)


def _end(policy: ConnectionPolicy) -> str:
    if policy.keeps_open:
        return ">"
    if policy.closes_unused:
        return ".....!"
    # A limit in time ends a connection after a response, when no request is left to announce it with.
    announces = policy.asks_for_close if policy.protocol == HTTP1 else policy.announces
    return "|" if announces and not policy.limits else "!"
