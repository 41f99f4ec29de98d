"""What all slots of a block share: makes their connections, records them, ends those that take too long.

Decides neither what is sent nor when.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import gevent

from loadgen.drive.slots.pending_close import PendingClose
from loadgen.drive.system.loop_lag import LoopLag
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, WEBSOCKET, ConnectionPolicy
from loadgen.model.records import ABSENT
from loadgen.model.sample_sink import SampleSink
from loadgen.model.trailers import TrailerCounts
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.h2c import H2cConnection
from loadgen.wire.route import Route
from loadgen.wire.websocket.connection import WebSocketConnection

# How long a server may take to close a connection that it was asked to close: a multiple of what the handshake and the
# last exchange took, which show how far away and how busy it is, within these bounds.
_MIN_GRACE_S, _MAX_GRACE_S = 0.02, 1.0
_GRACE_IN_EXCHANGES = 5
_TICK_S = _MIN_GRACE_S / 4
# With more of these connections than that the oldest is closed before its grace is over.
_MAX_PENDING_CLOSES = 512


_KINDS: dict[str, type[Connection]] = {
    HTTP1: Connection,
    WEBSOCKET: WebSocketConnection,
    H2: Http2Connection,
    H2_PRIOR: Http2Connection,
    H2C_UPGRADE: H2cConnection,
}


class ConnectionManager:
    """The connections of all slots, under one policy at a time. It is the slots' SlotContext.

    connections: the number of the first connection.
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
        # Counted for the present block.
        self.retried = self.mismatched_echoes = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive: dict[str, int] = {}
        # Counted since they were taken last.
        self.trailers = TrailerCounts()
        self.policy: ConnectionPolicy
        self.monitor: SystemMonitor | None = None
        """None where the connections' cost to kernel and server is not read."""
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
        self._pending_closes: dict[PendingClose, None] = {}  # in the order in which they began
        self._grace = self._loop.timer(_TICK_S, _TICK_S, ref=False)
        self._grace.start(self._end_grace)
        self.lag_clock = LoopLag(self._loop)

    def use(self, policy: ConnectionPolicy) -> None:
        """Treat connections as `policy` says from now on; a block's counts begin anew."""
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
            connection.number, slot, connection.opened_ns, *handshake, ABSENT, connection.flags, connection.ending
        )

    def about_to_close(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""
        if self.running and self.monitor is not None:
            self.monitor.about_to_close(connection)

    def await_close(self, slot: int, connection: Connection) -> None:
        """Give a server that announced no close a moment to do it; the load goes on meanwhile."""
        pending = self._pending_closes
        pending[PendingClose(connection, slot, _grace_s(connection), self._close_done)] = None
        if len(pending) > _MAX_PENDING_CLOSES:
            oldest = next(iter(pending))
            oldest.give_up(waited=oldest.due_s < time.monotonic())

    def exchange_drained(self) -> None:
        """An exchange ended while no block is running."""

    def note_first_response(self, head: ResponseHead) -> None:
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
        """The connections on which an exchange may be under way."""
        return ()

    def _await_closes(self) -> None:
        """Wait until every server that was asked to close has done so, or its grace is over."""
        while self._pending_closes:
            gevent.sleep(_TICK_S)

    # Inside

    def _end_grace(self) -> None:
        now_s = time.monotonic()
        for pending in [pending for pending in self._pending_closes if pending.due_s < now_s]:
            if pending.is_over:
                pending.give_up(waited=True)
            # A close that came in time, and that the loop was too late to see, is found before the next tick.
            pending.is_over = True

    def _close_done(self, pending: PendingClose) -> None:
        """How the connection ended is known."""
        del self._pending_closes[pending]
        self.record_connection(pending.slot, pending.connection)

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
    return min(_MAX_GRACE_S, max(_MIN_GRACE_S, _GRACE_IN_EXCHANGES * took_ns / NS_PER_S))
