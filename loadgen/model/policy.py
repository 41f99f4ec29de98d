"""Connection policies: how a client treats connections. The thing under test, as a value.

A policy is written as parts joined by `+`, a part as a name and its parameters: `recycle:10+gap:2s`. What the parts
mean stands in one table; they combine where no two of them say the same thing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.units import NS_PER_MS, format_duration, parse_duration_ns

UNLIMITED = 1 << 62
LIFO, FIFO = "lifo", "fifo"
HTTP1, WEBSOCKET, H2C_UPGRADE, H2, H2_PRIOR = "http/1.1", "websocket", "h2c-upgrade", "h2", "h2-prior"
"""What a connection speaks: HTTP/1.x; WebSocket after an upgrade (RFC 6455); HTTP/2 after an upgrade in clear
(RFC 7540 §3.2), by ALPN over TLS (RFC 9113 §3.2) but in clear with prior knowledge (RFC 9113 §3.3), or only the latter.
"""
HTTP2 = (H2C_UPGRADE, H2, H2_PRIOR)
_MOST_POOLED = 100_000
_DEEPEST_PIPELINE = 1_000


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """One policy, as the sum of its parts.

    requests: how many requests a connection serves before the client ends it. lifetime_ns: no request begins on a
    connection older than that; 0 for no limit. gap_ns: how long a connection rests before it is used again.
    announces: the client sends `Connection: close` with a connection's last request (RFC 9112 §9.6), where it knows it.
    honours_close: the client stops using a connection when the server says or does close; else it tries again.
    http_version: what the request line says. keep_alive: an HTTP/1.0 request asks for keep-alive (RFC 9112 §C.2.2).
    resumes_tls: a new connection offers the user's last TLS session; otherwise each handshake is a full one.
    resolves: the name is looked up for each connection. pool: connections shared by all users, 0 for one a user;
    pool_order: which idle one is taken, the last used or the longest unused. depth: requests in flight on a connection,
    in a pipeline or, with HTTP/2, in streams. protocol: what the connection speaks once it is open.
    """

    name: str
    requests: int = UNLIMITED
    lifetime_ns: int = 0
    gap_ns: int = 0
    announces: bool = True
    honours_close: bool = True
    http_version: str = "1.1"
    keep_alive: bool = True
    resumes_tls: bool = False
    resolves: bool = False
    pool: int = 0
    pool_order: str = LIFO
    depth: int = 1
    protocol: str = HTTP1

    @property
    def reuses(self) -> bool:
        """A connection may serve more than one request."""
        return self.requests > 1

    @property
    def pipelines(self) -> bool:
        """Several HTTP/1.1 requests are in flight on a connection."""
        return self.depth > 1 and self.protocol == HTTP1

    @property
    def connection_option(self) -> str:
        """The Connection field of a request that more requests may follow; empty where none is sent."""
        return "keep-alive" if self.keep_alive else ""

    @property
    def last_option(self) -> str:
        """The Connection field of the last request on a connection."""
        return "close" if self.announces and self.keep_alive else self.connection_option

    @property
    def asks_for_close(self) -> bool:
        """The last request on a connection asks the server to close it; HTTP/1.0 does so by saying nothing."""
        if self.protocol != HTTP1:
            return False
        return self.last_option == "close" or (self.http_version == "1.0" and not self.keep_alive)


def _requests(text: str) -> dict[str, Any]:
    if text == "inf":
        return {"requests": UNLIMITED}
    return {"requests": _whole(text, UNLIMITED - 1)}


def _pool(text: str) -> dict[str, Any]:
    size, _, order = text.partition(":")
    if order not in ("", LIFO, FIFO):
        raise ValueError(f"{order!r} is neither {LIFO} nor {FIFO}")
    return {"pool": _whole(size, _MOST_POOLED), "pool_order": order or LIFO}


def _depth(text: str) -> dict[str, Any]:
    return {"depth": _whole(text, _DEEPEST_PIPELINE)}


def _duration(field: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        value_ns = parse_duration_ns(text)
        if value_ns < NS_PER_MS // 10:
            raise ValueError(f"{format_duration(value_ns)} is too short; at least 100 µs is needed")
        return {field: value_ns}

    return read


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise ValueError(f"{text!r} is no whole number from 1 on")
    if int(text) > most:
        raise ValueError(f"{text} is too much; {most:,} is the most")
    return int(text)


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a policy's text does.

    says: fields that it sets; no other part may say them too. assumes: fields that it sets unless another part says
    them. parameter: how its parameter is written, empty where it has none; reads: turns that into fields.
    needs: the protocols that it has a meaning in; empty for all.
    """

    meaning: str
    says: Mapping[str, Any]
    assumes: Mapping[str, Any]
    parameter: str = ""
    reads: Callable[[str], dict[str, Any]] | None = None
    needs: tuple[str, ...] = ()


_ONCE = {"requests": 1}
_HTTP1 = (HTTP1,)
PARTS: dict[str, Part] = {
    "persistent": Part("one connection per user, kept open", {"requests": UNLIMITED}, {}),
    "close": Part("a new connection for each request, full TLS handshake", _ONCE, {}),
    "close-resume": Part(
        "a new connection for each request, TLS session resumed", {**_ONCE, "resumes_tls": True}, {}
    ),
    "recycle": Part("K requests per connection, the last one announces close", {}, {}, "K|inf", _requests),
    "lifetime": Part("no request begins on a connection older than T", {}, {}, "T", _duration("lifetime_ns")),
    "gap": Part("a connection rests T before it is used again", {}, {}, "T", _duration("gap_ns")),
    "pool": Part("P connections shared by all users; waiting for one is `queue`", {}, {}, "P[:lifo|fifo]", _pool),
    "abandon": Part("the client closes without a word; by itself after each request", {"announces": False}, _ONCE),
    "http10": Part(
        "HTTP/1.0: a new connection for each request, no Connection field",
        {**_ONCE, "http_version": "1.0", "keep_alive": False}, {}, needs=_HTTP1,
    ),
    "http10-keepalive": Part("HTTP/1.0 with `Connection: keep-alive`", {"http_version": "1.0"}, {}, needs=_HTTP1),
    "pipeline": Part(
        "D requests in flight on one connection, waiting behind others is `queue`", {}, {}, "D", _depth, _HTTP1
    ),
    "websocket": Part(
        "WebSocket: one upgrade per connection, then a message and its echo for each request",
        {"protocol": WEBSOCKET}, {},
    ),
    "websocket-close": Part(
        "WebSocket with one upgrade and one close handshake for each message", {"protocol": WEBSOCKET, **_ONCE}, {}
    ),
    "h2c-upgrade": Part(
        "HTTP/2 by `Connection: Upgrade` in clear; HTTP/1.1 where that is declined", {"protocol": H2C_UPGRADE}, {}
    ),
    "h2": Part(
        "HTTP/2 by ALPN over TLS, HTTP/1.1 where that is declined; with prior knowledge in clear", {"protocol": H2}, {}
    ),
    "h2-prior": Part("HTTP/2 with prior knowledge, in clear", {"protocol": H2_PRIOR}, {}),
    "streams": Part(
        "with HTTP/2: S streams in flight on a connection; waiting for a free one is `queue`",
        {}, {}, "S", _depth, HTTP2,
    ),
    "ignore-close": Part(
        "uses a connection on, whatever the server said or did, until that fails",
        {"honours_close": False}, {}, needs=_HTTP1,
    ),
    "resume": Part("TLS sessions are resumed; a new connection each request by itself", {"resumes_tls": True}, _ONCE),
    "resolve": Part("DNS again for each connection; a new one each request by itself", {"resolves": True}, _ONCE),
}  # fmt: skip

# Pairs of traits that have no meaning together, and why.
_TRAITS: dict[str, Callable[[ConnectionPolicy], bool]] = {
    "one request per connection": lambda one: not one.reuses,
    "a gap": lambda one: one.gap_ns > 0,
    "a lifetime": lambda one: one.lifetime_ns > 0,
    "ignoring close": lambda one: not one.honours_close,
    "pipelining": lambda one: one.pipelines,
    "several streams": lambda one: one.depth > 1 and not one.pipelines,
    "a pool": lambda one: one.pool > 0,
    "HTTP/1.0": lambda one: one.http_version == "1.0",
}
_CLASHES = (
    ("one request per connection", "a gap", "nothing is reused after the gap"),
    ("one request per connection", "a lifetime", "no connection lives that long"),
    ("one request per connection", "ignoring close", "nothing is tried again"),
    ("one request per connection", "pipelining", "a second request would have no connection"),
    ("a pool", "a gap", "whoever waits for a connection decides its gap; use --think"),
    ("a pool", "pipelining", "a pooled connection serves one user at a time"),
    ("pipelining", "a gap", "a connection with requests in flight is never idle"),
    ("pipelining", "ignoring close", "what follows a close in the pipeline fails anyway"),
    ("pipelining", "HTTP/1.0", "it came with HTTP/1.1 (RFC 9112 §9.3.2)"),
    ("one request per connection", "several streams", "a second request would have no connection"),
    ("several streams", "a gap", "a connection with requests in flight is never idle"),
)


def parse_policy(text: str) -> ConnectionPolicy:
    """Read one policy. Raises PlanError with one line for people, naming the nearest known part."""
    name = "".join(text.split())
    said: dict[str, str] = {}
    needed: dict[str, tuple[str, ...]] = {}
    fields: dict[str, Any] = {}
    assumed: dict[str, Any] = {}
    for words in name.split("+"):
        word, _, parameter = words.partition(":")
        part = PARTS.get(word)
        if part is None:
            raise PlanError(f"the policy {name!r} is unknown; {_hint(word)}")
        for field, value in {**part.says, **_read(name, word, part, parameter)}.items():
            if field in said:
                raise PlanError(f"the policy {name!r} makes no sense: {said[field]} and {word} exclude each other")
            said[field] = word
            fields[field] = value
        assumed |= part.assumes
        if part.needs:
            needed[word] = part.needs
    policy = ConnectionPolicy(name, **{**assumed, **fields})
    for word, protocols in needed.items():
        if policy.protocol not in protocols:
            raise PlanError(f"the policy {name!r} makes no sense: {word} is for {', '.join(protocols)} alone")
    for one, other, why in _CLASHES:
        if _TRAITS[one](policy) and _TRAITS[other](policy):
            raise PlanError(f"the policy {name!r} makes no sense: {one} and {other}: {why}")
    return policy


def parse_policies(text: str) -> tuple[ConnectionPolicy, ...]:
    """Read a comma-separated list of policies. Raises PlanError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise PlanError(f"no policy is named; choose from {', '.join(PARTS)}")
    policies = tuple(parse_policy(name) for name in names)
    seen = set()
    for policy in policies:
        if identity(policy) in seen:
            raise PlanError(f"the policy {policy.name!r} is named twice")
        seen.add(identity(policy))
    return policies


def identity(policy: ConnectionPolicy) -> tuple[frozenset[str], ConnectionPolicy]:
    """Equal for policies of the same parts, however they are written; `close` and `recycle:1` are not of the same."""
    words = frozenset(part.partition(":")[0] for part in policy.name.split("+"))
    return words, replace(policy, name="")


def _read(name: str, word: str, part: Part, parameter: str) -> dict[str, Any]:
    if part.reads is None:
        if parameter:
            raise PlanError(f"the policy {name!r} is unknown: {word} takes no parameter")
        return {}
    if not parameter:
        raise PlanError(f"the policy {name!r} lacks a parameter; write {word}:{part.parameter}")
    try:
        return part.reads(parameter)
    except ValueError as error:
        raise PlanError(f"the policy {name!r}: {error}; write {word}:{part.parameter}") from None


RENAMED = {"idle": "gap", "stubborn": "ignore-close"}
"""Words of earlier versions, which are refused, and what they are called now."""


def _hint(word: str) -> str:
    if word in RENAMED:
        return f"{word} is now called {RENAMED[word]!r}"
    near = difflib.get_close_matches(word, PARTS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(PARTS)}"
