"""A connection policy as a value, and the one rule of reuse that the engine obeys. Knows no part and no socket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from loadgen.model.policy.protocols import HTTP1, WEBSOCKET
from loadgen.model.policy.socket_option import SocketOption

UNLIMITED = 1 << 62
LIFO, FIFO = "lifo", "fifo"


class ConnectionUse(Protocol):
    """What a policy looks at before another request begins on a connection."""

    @property
    def requests_begun(self) -> int:
        """Requests that were given to it so far."""

    @property
    def accepts(self) -> bool:
        """It can carry another request: the server has not announced its close."""

    @property
    def framed(self) -> bool:
        """Another request could be sent and its response told apart, whatever the server said about closing."""

    @property
    def opened_ns(self) -> int:
        """When it began to open."""

    @property
    def busy(self) -> bool:
        """A request is under way on it."""

    @property
    def idle_since_ns(self) -> int:
        """When its last response was complete."""

    @property
    def keep_alive_timeout_s(self) -> int | None:
        """For how long the server keeps it unused, by its last response (Keep-Alive: timeout); None: it did not say."""


@dataclass(frozen=True, slots=True)
class ReuseLimit:
    """A limit in time on the reuse of a connection, brought by one part of a policy."""

    noun: ClassVar[str]
    """What messages call it, as in "its 5 s lifetime"."""
    rank: ClassVar[int] = -1
    """How much reuse it leaves, for comparisons; a policy without any limit has 0."""
    is_of_idle_time: ClassVar[bool] = False
    """It is about the time for which a connection is unused: the client closes one that is over it, and does not wait
    for the next request to find out."""

    limit_ns: int

    def allows(self, connection: ConnectionUse, now_ns: int) -> bool:
        """Another request may begin on `connection` at `now_ns`."""
        raise NotImplementedError

    def longest_ns(self, _announced_s: int | None) -> int | None:
        """The limit (ns) where the server announces this idle timeout (None: no one); None where there is no limit."""
        return self.limit_ns


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """One policy, as the sum of its parts."""

    name: str
    """As it was written, with `#2` where it is the second of equal policies."""
    copy: int = 1
    """Which of the run's equal policies this is."""
    requests: int = UNLIMITED
    """Requests that a connection serves before the client ends it."""
    limits: tuple[ReuseLimit, ...] = ()
    """When a connection is too old, or unused for too long, for another request."""
    socket_options: tuple[SocketOption, ...] = ()
    """What is set of each connection's socket before it opens."""
    gap_ns: int = 0
    """How long a connection rests before it is used again."""
    announces: bool = True
    """The client sends `Connection: close` with a connection's last request (RFC 9112 §9.6), where it knows it."""
    honours_close: bool = True
    """The client stops using a connection when the server announces or does close; otherwise it tries again."""
    http_version: str = "1.1"
    """What the request line says."""
    keep_alive: bool = True
    """An HTTP/1.0 request asks for keep-alive (RFC 9112 §C.2.2)."""
    resumes_tls: bool = False
    """A new connection offers the user's last TLS session; otherwise each handshake is a full one."""
    early_data: bool = False
    """A new connection's first request goes as early data (0-RTT), where the session allows that."""
    resolves: bool = False
    """The name is looked up for each connection."""
    pool: int = 0
    """Connections shared by all users; 0 for one connection a user."""
    pool_order: str = LIFO
    """Which idle connection of a pool is taken: the one used last, or the one unused for longest."""
    coalesces: bool = False
    """The one connection of the pool is shared by all users of a process."""
    preopened: int = 0
    """Connections that are open, and have carried a request, before a block's load begins."""
    connects_per_s: int = 0
    """The most connections that all users together begin to open within a second; 0 for no such limit."""
    depth: int = 1
    """Requests in flight on a connection, in a pipeline or, with HTTP/2, in streams."""
    protocol: str = HTTP1
    """What the connection speaks once it is open."""

    def keeps(self, connection: ConnectionUse) -> bool:
        """Neither the policy's number of requests nor the server's close ends the connection here."""
        return connection.requests_begun < self.requests and (
            connection.accepts or (not self.honours_close and connection.framed)
        )

    def may_reuse(self, connection: ConnectionUse, now_ns: int) -> bool:
        """Another request may begin on `connection` at `now_ns`. Whatever owns connections asks this and nothing else.

        `gap_ns` has no part in it: a gap delays the next request and does not forbid it.
        """
        if not self.keeps(connection):
            return False
        for limit in self.limits:  # noqa: SIM110 # asked for each request of a pipeline: no generator
            if not limit.allows(connection, now_ns):
                return False
        return True

    @property
    def reuse_rank(self) -> tuple[int, int, int, bool]:
        """Orders policies by how much they reuse connections; of equal ones HTTP/1.1 comes first."""
        return self.requests, sum(limit.rank for limit in self.limits), -self.gap_ns, self.protocol == HTTP1

    @property
    def reuses(self) -> bool:
        """A connection may serve more than one request."""
        return self.requests > 1

    def is_limited_by(self, kind: type[ReuseLimit]) -> bool:
        """It has a limit of this kind."""
        return any(isinstance(limit, kind) for limit in self.limits)

    @property
    def closes_unused(self) -> tuple[ReuseLimit, ...]:
        """The limits by which the client closes connections that it does not use."""
        return tuple(limit for limit in self.limits if limit.is_of_idle_time)

    @property
    def limits_requests(self) -> bool:
        """A connection ends after a number of requests."""
        return self.requests != UNLIMITED

    @property
    def keeps_open(self) -> bool:
        """Nothing in the policy ends a connection while the load runs."""
        return not self.limits_requests and not self.limits

    def opened_per_s(self, requests_rps: float) -> float:
        """Connections that this many requests per second take at least."""
        return requests_rps / self.requests

    @property
    def pipelines(self) -> bool:
        """Several HTTP/1.1 requests are in flight on a connection."""
        return self.depth > 1 and self.protocol == HTTP1

    @property
    def fits_scenarios(self) -> bool:
        """A scenario's users can have it.

        Nothing is opened before: its users come and go. A WebSocket is opened where a scenario wants one, whatever the
        policy of its requests.
        """
        return self.protocol != WEBSOCKET and not self.preopened

    @property
    def in_clear(self) -> ConnectionPolicy:
        """What is left of it on a connection without TLS, where there are no sessions."""
        return replace(self, resumes_tls=False, early_data=False) if self.resumes_tls else self

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
        """The last request on a connection asks the server to close it; HTTP/1.0 does so by sending no field."""
        if self.protocol != HTTP1:
            return False
        return self.last_option == "close" or (self.http_version == "1.0" and not self.keep_alive)
