"""Clients for greenlets: a call sends one request and returns when its response is there. Knows no Locust.

Where each user has a connection of its own, its client is the slot of that: it treats the connection as the policy
says, and watches it between calls. Further calls at the same time, and policies that share connections or have several
requests in flight on one, take the slots of a pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import gevent
from gevent import getcurrent

from loadgen.drive.clients.call_slot import ConcurrentCallSlot, SequentialCallSlot
from loadgen.drive.clients.reusable_numbers import ReusableNumbers
from loadgen.drive.clients.scenario_policy import calls_at_once, scenario_policy
from loadgen.drive.clients.shared_client import SharedClient
from loadgen.drive.clients.websocket_client import WebSocketClient
from loadgen.drive.clients.websockets import WebSockets
from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.preflight import ServerObserver
from loadgen.drive.requests.builder import FieldPairs, RequestBuilder
from loadgen.drive.requests.call_result import BodyReader, CallResult, CallRow
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.pool import Pool
from loadgen.drive.slots.pooled_slot import PooledSlot, SlotOwner
from loadgen.drive.slots.slot import ConnectionSlot, pause_after
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1, ConnectionPolicy
from loadgen.model.records import Ending
from loadgen.model.request_method import IDEMPOTENT
from loadgen.model.sample_sink import SampleSink
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route

MAX_CONCURRENCY = 10
"""Connections of one user at a time, as Locust's FastHttpUser has them by default."""
# A pool's slots have no request of their own: each call brings one.
_NO_REQUEST = EncodedRequest(lambda _is_last, _cookies: b"")


class GreenletClient(ConnectionSlot):
    """One blocking client, which is the slot of its own connection."""

    __slots__ = (
        "_calling", "_concurrency", "_ended", "_error", "_further", "_gave_turn", "_is_head", "_left",
        "_pause_until_ns", "_pool", "_rows", "_state", "_used", "_waiting",
    )  # fmt: skip

    def __init__(
        self, pool: GreenletClientPool, index: int, user_state: PathCookieState, concurrency: int = MAX_CONCURRENCY
    ) -> None:
        ConnectionSlot.__init__(self, pool, index, user_state)
        self._sink = self._rows = CallRow(pool.sink)
        self._pool = pool
        self._state = user_state
        self._calling = self._ended = self._is_head = self._left = self._gave_turn = False
        self._error: OSError | None = None
        self._pause_until_ns = 0
        self._used: Connection
        self._waiting: Any = None
        self._further: Any = None
        self._concurrency = concurrency

    def call(self, method: str, path: str, headers: FieldPairs = (), body: bytes = b"") -> CallResult:
        """Send a request and wait for its response; other greenlets run meanwhile.

        Beside a call that is under way it goes on a further connection of the user's, as far as there may be one more.
        The call waits first until the connection has rested, and until a short pause after an error is over, which
        keeps a target that is down from being hammered; neither counts as a part of the request's time.
        Raises PlanError where the request can't be sent as it is, OSError where the sink's disk is full. An exception
        that is thrown into the greenlet meanwhile abandons the exchange.
        """
        if self._calling:
            return self._call_beside(method, path, headers, body)
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

    def websocket(self, path: str, headers: FieldPairs = ()) -> WebSocketClient:
        """Open a WebSocket on a connection of its own; see `WebSockets.open`."""
        if self._left:
            raise RuntimeError("this user has left")
        websocket: WebSocketClient = self._pool.websockets.open(self._state, path, headers)
        return websocket

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
            if self._further is not None:
                self._further.leave()
            self._pool.release(self)

    def close_idle(self) -> None:
        ConnectionSlot.close_idle(self)
        if self._further is not None:
            self._further.close_idle()

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

    def _call_beside(self, method: str, path: str, headers: FieldPairs, body: bytes) -> CallResult:
        if self._left:
            raise RuntimeError("this user has left")
        if self._further is None:
            self._further = self._pool.further_client(self._state, self._concurrency - 1)
        result: CallResult = self._further.call(method, path, headers, body)
        return result

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
    first connection. policy: as written, or one that was read so. Raises PlanError where it is none for scenarios.
    """

    def __init__(
        self, plan: Plan, route: Route, sink: SampleSink, policy: str | ConnectionPolicy, connections: int = 0
    ) -> None:
        parsed = scenario_policy(policy) if isinstance(policy, str) else policy
        ConnectionManager.__init__(self, plan, route, sink, connections)
        self.scenario_policy = parsed
        """As it was read; of `policy`, with which the slots work, the depth is that of the protocol."""
        route.tunnels = plan.tunnels(parsed)
        self.use(replace(parsed, depth=calls_at_once(parsed)))
        # A scenario may read all fields of a head, so none may stand for another.
        self._heads = HeadMemory(exact=True)
        self.builder = RequestBuilder(plan, parsed)
        self.hub: Any = gevent.get_hub()
        self._origin = plan.target.origin
        self._present: dict[int, GreenletClient] = {}
        self._sharing: dict[SharedClient, None] = {}
        self._users: ReusableNumbers | None = ReusableNumbers()
        self._slot_numbers = ReusableNumbers()
        self.websockets = WebSockets(self, self.builder, self._slot_numbers, plan, route)
        self._pools: list[Pool] = []
        self._shared: Any = self._new_pool(parsed.pool) if parsed.pool else None
        self._closed = False

    @property
    def origin(self) -> str:
        """Scheme and authority of the target's URLs."""
        return self._origin

    def join(self, first: GreenletClientPool) -> None:
        """Be one more pool of the users of another one: number and count what both have together."""
        self.numbers = first.numbers
        self._users, self._slot_numbers = None, first._slot_numbers
        self.websockets.slots = first._slot_numbers
        self.trailers, self.leniencies, self.unasked = first.trailers, first.leniencies, first.unasked

    def new_client(self, concurrency: int = MAX_CONCURRENCY, user: int = -1) -> GreenletClient | SharedClient:
        """A client without connection and cookies. Its `leave` must be called at the end.

        concurrency: the most connections of the user at a time, where users have their own. user: the user's number, in
        a pool that has joined another; that one gives it.
        """
        state = PathCookieState(user if self._users is None else self._users.take(), self._origin)
        policy = self.policy
        if self._shared is not None:
            return self._share(self._shared, state)
        if policy.protocol == HTTP1 and policy.depth == 1 and concurrency > 1:
            client = self._present[state.index] = GreenletClient(self, self._slot_numbers.take(), state, concurrency)
            return client
        # One connection takes all that is in flight, unless each request has its own.
        return self._share(self._new_pool(1 if policy.reuses else concurrency), state)

    def further_client(self, state: PathCookieState, connections: int) -> SharedClient:
        """For calls beside one that is under way, of the user with this state."""
        return self._share(self._new_pool(connections), state)

    def release(self, client: GreenletClient) -> None:
        """A client will not call any more."""
        user = client.user_state.index
        self.websockets.close_of(user)
        del self._present[user]
        self._free_user(user)
        self._slot_numbers.give_back(client.index)

    def client_left(self, client: SharedClient) -> None:
        """It will not call any more."""
        self.websockets.close_of(client.index)
        del self._sharing[client]
        if client.pool is not self._shared:
            self._pools.remove(client.pool)
            for slot in client.pool.slots:
                slot.close_idle()
                self._slot_numbers.give_back(slot.index)
        if client.index not in self._present:
            self._free_user(client.index)

    def own_slots(self, client: SharedClient) -> list[PooledSlot]:
        """The slots whose connections this client shares with no other user."""
        return [] if client.pool is self._shared else client.pool.slots

    def close(self) -> None:
        """All clients leave, and the loop is left as it was found; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for own in list(self._present.values()):
            own.leave()
        for sharing in list(self._sharing):
            sharing.leave()
        for slot in self._shared.slots if self._shared is not None else ():
            slot.close_idle()
        self._await_closes()
        ConnectionManager.close(self)

    def new_connection(self, listener: Listener) -> Connection:
        # The first response shows what kind of server this is.
        return ConnectionManager.new_connection(self, listener if self.observed else ServerObserver(self, listener))

    # Inside

    def _free_user(self, user: int) -> None:
        if self._users is not None:
            self._users.give_back(user)

    def _share(self, pool: Pool, state: PathCookieState) -> SharedClient:
        client = SharedClient(self, pool, state)
        self._sharing[client] = None
        return client

    def _new_pool(self, size: int) -> Pool:
        pool = Pool(self, size, _NO_REQUEST, (self._new_slot, self._new_slot))
        self._pools.append(pool)
        return pool

    def _new_slot(self, pool: SlotOwner, context: SlotContext, _index: int, state: UserState) -> PooledSlot:
        kind = ConcurrentCallSlot if self.policy.depth > 1 else SequentialCallSlot
        return kind(pool, context, self._slot_numbers.take(), state)

    def _new_reader(self) -> BodyReader:
        return BodyReader(self._max_body_bytes, self._heads)

    def _at_work(self) -> Iterable[Connection | None]:
        return [slot.connection for slot in (*self._slots(), *self.websockets.opened)]

    def _slots(self) -> list[ConnectionSlot]:
        # A copy: an exchange that ends here wakes users, and they come and go.
        return [*self._present.values(), *(slot for pool in self._pools for slot in pool.slots)]
