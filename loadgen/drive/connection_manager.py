"""What all lines of a block share: makes their connections, records them, ends those that take too long.

Decides neither what is sent nor when.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import gevent

from loadgen.drive.slots.slot import CloseWait, SampleSink
from loadgen.drive.system.loop_lag import LoopLag
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, WEBSOCKET, ConnectionPolicy
from loadgen.model.trailers import TrailerCounts
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.messages import ResponseReader
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.h2c import H2cConnection
from loadgen.wire.route import Route
from loadgen.wire.websocket.connection import WebSocketConnection

# How long a server may take to close what it was asked to close: some times what the handshake and the last exchange
# took, for both tell how far and how busy it is, within these bounds. How many such connections are waited for.
_SHORTEST_GRACE_S, _LONGEST_GRACE_S = 0.02, 1.0
_GRACE_IN_EXCHANGES = 5
_TICK_S = _SHORTEST_GRACE_S / 4
_MOST_LINGERING = 512


_KINDS: dict[str, type[Connection]] = {
    HTTP1: Connection,
    WEBSOCKET: WebSocketConnection,
    H2: Http2Connection,
    H2_PRIOR: Http2Connection,
    H2C_UPGRADE: H2cConnection,
}


class ConnectionManager:
    """The crew of lines under one policy at a time.

    policy, retried, after_close_tried, after_close_answered, keep_alive: of the block under way. costs: None where
    nobody watches what the connections cost. trailers: what came since they were taken last. connections: the number of
    the first connection.
    """

    def __init__(self, plan: Plan, route: Route, sink: SampleSink, connections: int = 0) -> None:
        self.sink = sink
        self.errors = 0
        self.last_failure: tuple[ErrorKind, str] | None = None
        self.running = False
        self.observed: dict[str, Any] = {}
        self.retries_stale = plan.retry_stale
        # Where the plan itself gives a Cookie field, that is the only one (RFC 6265 §5.4).
        self.takes_cookies = plan.cookies and not any(name.lower() == "cookie" for name, _ in plan.headers)
        self.url = str(plan.target)
        self.retried = self.mismatched_echoes = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive: dict[str, int] = {}
        self.trailers = TrailerCounts()
        self.policy: ConnectionPolicy
        self.costs: SystemMonitor | None = None
        self.gap_s = 0.0
        self.think_s = plan.load.think_ns / NS_PER_S
        self._plan = plan
        self._route = route
        self._connections = connections
        self._loop = gevent.get_hub().loop
        self._timeout_ns = plan.load.timeout_ns
        # One timer looks over all requests: a timer for each would cost more than the request's own bookkeeping.
        tick_s = min(0.1, max(0.005, plan.load.timeout_ns / NS_PER_S / 50))
        self._sweep = self._loop.timer(tick_s, tick_s, ref=False)
        self._sweep.start(self._expire)
        self._lingering: dict[CloseWait, None] = {}
        self._grace = self._loop.timer(_TICK_S, _TICK_S, ref=False)
        self._grace.start(self._end_grace)
        self.lag_clock = LoopLag(self._loop)

    def use(self, policy: ConnectionPolicy) -> None:
        """Connections are treated as `policy` says from now on; what is counted for a block begins anew."""
        self.policy = policy
        self.gap_s = policy.gap_ns / NS_PER_S
        self.retried = self.mismatched_echoes = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive = {}

    def close(self) -> None:
        """The run is over: the loop is left as it was found."""
        for timer in (self._sweep, self._grace):
            timer.stop()
            timer.close()
        self.lag_clock.stop()

    @property
    def connections(self) -> int:
        """How many connections were begun; the next one gets this number."""
        return self._connections

    def new_connection(self, listener: Listener) -> Connection:
        number = self._connections
        self._connections = number + 1
        kind = Pipeline if self.policy.pipelines else _KINDS[self.policy.protocol]
        connection = kind(number, self._route, listener, self.lag_clock, self._new_reader())
        if not self.policy.honours_close:
            connection.ignores_close = True
        return connection

    def record_connection(self, slot: int, connection: Connection) -> None:
        handshake = connection.handshake or connection.handshake_ns()
        self.mismatched_echoes += connection.mismatched_echoes
        self.sink.connection(
            connection.number, slot, connection.opened_ns, *handshake, connection.flags, connection.ending
        )

    def closing(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""
        if self.running and self.costs is not None:
            self.costs.closing(connection)

    def linger(self, slot: int, connection: Connection) -> None:
        """Give a server that announced no close a moment to do it; the load goes on meanwhile."""
        lingering = self._lingering
        lingering[CloseWait(self, slot, connection, _grace_s(connection))] = None
        if len(lingering) > _MOST_LINGERING:
            oldest = next(iter(lingering))
            oldest.give_up(waited=oldest.due_s < time.monotonic())

    def lingered(self, slot: int, linger: CloseWait) -> None:
        """It is decided how the connection ended."""
        del self._lingering[linger]
        self.record_connection(slot, linger.connection)

    def rested(self) -> None:
        """An exchange ended while nothing is running."""

    def note_first(self, head: ResponseHead) -> None:
        """The head of a connection's first response: what its Keep-Alive field says."""
        timeout_s, maximum = head.keep_alive_timeout_s, head.keep_alive_max
        noted = self.keep_alive
        if timeout_s is not None:
            noted["timeout_s"] = min(timeout_s, noted.get("timeout_s", timeout_s))
        if maximum is not None:
            noted["max"] = max(maximum, noted.get("max", maximum))

    # For subclasses

    def _new_reader(self) -> ResponseReader:
        reader = ResponseReader(self._plan.max_body_bytes)
        reader.no_body = self._plan.method == "HEAD"
        return reader

    def _at_work(self) -> Iterable[Connection | None]:
        """The connections on which a request may be under way."""
        return ()

    def _await_closes(self) -> None:
        """Give those who were asked to close what is left of their moment."""
        while self._lingering:
            gevent.sleep(_TICK_S)

    # Inside

    def _end_grace(self) -> None:
        now_s = time.monotonic()
        for linger in [linger for linger in self._lingering if linger.due_s < now_s]:
            if linger.is_over:
                linger.give_up(waited=True)
            # What the loop was too late for itself, it is about to find now.
            linger.is_over = True

    def _expire(self) -> None:
        oldest_ns = time.monotonic_ns() - self._timeout_ns
        for connection in self._at_work():
            while connection is not None and connection.overdue(oldest_ns):
                connection.expire()


def _grace_s(connection: Connection) -> float:
    """How long the server of this connection may take to close it."""
    took_ns = time.monotonic_ns() - connection.begun_ns
    if connection.request_index and connection.handshake is not None:
        took_ns += sum(max(0, phase) for phase in connection.handshake)
    return min(_LONGEST_GRACE_S, max(_SHORTEST_GRACE_S, _GRACE_IN_EXCHANGES * took_ns / NS_PER_S))
