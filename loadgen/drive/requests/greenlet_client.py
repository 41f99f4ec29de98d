"""Clients for greenlets: a call sends one request and returns when its response is there. Knows no Locust.

They are slots like those of closed-loop users and treat connections as the policy says; between calls the connection
stays open and is watched.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

import gevent
from gevent import getcurrent

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.preflight import ServerObserver
from loadgen.drive.requests.builder import FieldPairs, RequestBuilder
from loadgen.drive.requests.call_result import BodyReader, CallResult, CallRow
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.slots.slot import ConnectionSlot, pause_after
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy, parse_policy
from loadgen.model.records import Ending
from loadgen.model.request_method import IDEMPOTENT
from loadgen.model.sample_sink import SampleSink
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route


def scenario_policy(text: str) -> ConnectionPolicy:
    """Read the policy of a scenario's users. Raises PlanError, also where it needs users that share or don't wait."""
    policy = parse_policy(text)
    if not policy.fits_scenarios:
        raise PlanError(
            f"the policy {policy.name!r} is not for scenarios, whose users send one HTTP/1.1 request at a time "
            "over a connection of their own; a SwarmUser can have it"
        )
    return policy


class GreenletClient(ConnectionSlot):
    """One blocking client, which is the slot of its own connection."""

    __slots__ = (
        "_calling",
        "_ended",
        "_error",
        "_gave_turn",
        "_is_head",
        "_left",
        "_pause_until_ns",
        "_pool",
        "_rows",
        "_state",
        "_used",
        "_waiting",
    )  # fmt: skip

    def __init__(self, pool: GreenletClientPool, index: int, user_state: PathCookieState) -> None:
        ConnectionSlot.__init__(self, pool, index, user_state)
        self._sink = self._rows = CallRow(pool.sink)
        self._pool = pool
        self._state = user_state
        self._calling = self._ended = self._is_head = self._left = self._gave_turn = False
        self._error: OSError | None = None
        self._pause_until_ns = 0
        self._used: Connection
        self._waiting: Any = None

    def call(self, method: str, path: str, headers: FieldPairs = (), body: bytes = b"") -> CallResult:
        """Send a request and wait for its response; other greenlets run meanwhile.

        The call waits first until the connection has rested, and until a short pause after an error is over, which
        keeps a target that is down from being hammered; neither counts as a part of the request's time.
        Raises PlanError where the request can't be sent as it is, OSError where the sink's disk is full. An exception
        that is thrown into the greenlet meanwhile abandons the exchange.
        """
        if self._calling:
            raise RuntimeError("this user's requests go one at a time, and one is under way")
        state = self._state
        state.path = path
        cookies = state.cookies() if self._pool.takes_cookies else ""
        state.requests = self._pool.builder.requests(method, path, headers, body, cookies)
        self._calling = True
        try:
            if self._pause_until_ns:
                self._sleep_out_pause()
            self._begin(method)
            self._wait()
        except BaseException:
            self._waiting = None
            self._abandon()
            raise
        finally:
            self._calling = False
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._rows.result(self._used)

    def take_turn(self) -> bool:
        """Others could run during a call since this was asked last."""
        gave, self._gave_turn = self._gave_turn, False
        return gave

    def leave(self) -> None:
        """Abandon the exchange under way, close the connection, free the slot; safe to call twice."""
        if not self._left:
            self._left = True
            self._abandon()
            self.close_idle()
            self._pool.release(self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self._used = connection
        try:
            ConnectionSlot.exchange_done(self, connection, outcome, end_ns)
        except OSError as error:  # the sink's disk is full: raised in the greenlet, which would wait for ever
            self._error = error
            self.connection = None
            if connection.state != CLOSED:
                connection.close(Ending.CLIENT_SILENT)
            self._end_call()

    def done(self, outcome: int) -> None:
        pause_s = pause_after(outcome, 0.0)
        if self.connection is not None and self._context.gap_s > pause_s:
            pause_s = self._context.gap_s
        self._pause_until_ns = self._context.clock.monotonic_ns() + int(pause_s * NS_PER_S) if pause_s else 0
        self._end_call()

    # Inside

    def _begin(self, method: str) -> None:
        if self._left:
            raise RuntimeError("this user has left")
        self._ended = False
        self._is_head = method == "HEAD"
        # Non-idempotent requests are never retried: treat them as already retried (RFC 9110 §9.2.2).
        self._retrying = method not in IDEMPOTENT
        if self.connection is not None:
            self.connection.reader.no_body = self._is_head
        self.send(0)

    def _open(self, scheduled_ns: int) -> None:
        ConnectionSlot._open(self, scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = self._is_head

    def _abandon(self) -> None:
        if self.connection is not None and self.connection.busy:
            self.connection.abandon()

    def _sleep_out_pause(self) -> None:
        while (left_ns := self._pause_until_ns - self._context.clock.monotonic_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)

    def _wait(self) -> None:
        """Let others run until the response is there; it may be there already, where a connection failed at once."""
        if not self._ended:
            self._waiting = getcurrent()
            self._gave_turn = True
            while not self._ended:
                self._pool.hub.switch()

    def _end_call(self) -> None:
        self._ended = True
        if self._waiting is not None:
            hub = self._pool.hub
            if getcurrent() is hub:
                self._wake()
            else:
                hub.loop.run_callback(self._wake)

    def _wake(self) -> None:
        # Between run_callback and here the greenlet may have been killed, or may have begun to wait for something else.
        waiting = self._waiting
        if waiting is not None and self._ended:
            self._waiting = None
            waiting.switch()


class GreenletClientPool(ConnectionManager):
    """The clients of a scenario's users in this process, under one policy.

    A client's index is its user's number; the next user gets it when that one has left. connections: the number of the
    first connection. policy: as written. Raises PlanError where it is no policy, or not one for scenarios.
    """

    def __init__(self, plan: Plan, route: Route, sink: SampleSink, policy: str, connections: int = 0) -> None:
        parsed = scenario_policy(policy)
        ConnectionManager.__init__(self, plan, route, sink, connections)
        self.use(parsed)
        # A scenario may read all fields of a head, so none may stand for another.
        self._heads = HeadMemory(exact=True)
        self.builder = RequestBuilder(plan, parsed)
        self.hub: Any = gevent.get_hub()
        self._origin = plan.target.origin
        self._present: dict[int, GreenletClient] = {}
        self._free: list[int] = []
        self._closed = False

    @property
    def origin(self) -> str:
        """Scheme and authority of the target's URLs."""
        return self._origin

    def new_client(self) -> GreenletClient:
        """A client without connection and cookies. Its `leave` must be called at the end."""
        index = heappop(self._free) if self._free else len(self._present)
        client = self._present[index] = GreenletClient(self, index, PathCookieState(index, self._origin))
        return client

    def release(self, client: GreenletClient) -> None:
        """A client will not call any more."""
        del self._present[client.index]
        heappush(self._free, client.index)

    def close(self) -> None:
        """All clients leave, and the loop is left as it was found; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for client in list(self._present.values()):
            client.leave()
        self._await_closes()
        ConnectionManager.close(self)

    def new_connection(self, listener: Listener) -> Connection:
        # The first response shows what kind of server this is.
        return ConnectionManager.new_connection(self, listener if self.observed else ServerObserver(self, listener))

    def _new_reader(self) -> BodyReader:
        return BodyReader(self._max_body_bytes, self._heads)

    def _at_work(self) -> Iterable[Connection | None]:
        # A copy: an exchange that ends here wakes users, and they come and go.
        return [client.connection for client in self._present.values()]

    def _slots(self) -> list[GreenletClient]:
        return list(self._present.values())
