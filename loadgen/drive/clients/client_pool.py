"""The clients of a scenario's users in this process, and the connections that they have. Knows no Locust.

Policies that share connections, or have several requests in flight on one, give all users' calls the slots of a pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import gevent

from loadgen.drive.clients.call_slot import ConcurrentCallSlot, SequentialCallSlot
from loadgen.drive.clients.reusable_numbers import ReusableNumbers
from loadgen.drive.clients.scenario_policy import calls_at_once, scenario_policy
from loadgen.drive.clients.shared_client import SharedClient
from loadgen.drive.clients.websockets import WebSockets
from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.preflight import ServerObserver
from loadgen.drive.requests.builder import RequestBuilder
from loadgen.drive.requests.call_result import BodyReader
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.greenlet_client import MAX_CONCURRENCY, GreenletClient
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.pool import Pool
from loadgen.drive.slots.pooled_slot import PooledSlot, SlotOwner
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1, ConnectionPolicy
from loadgen.model.request_method import SAFE
from loadgen.model.sample_sink import SampleSink
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route

# A pool's slots have no request of their own: each call brings one.
_NO_REQUEST = EncodedRequest(lambda _is_last, _cookies: b"")
# Whether others may repeat a scenario's PUT, only its author knows (RFC 8470 §4).
_EARLY_METHODS = frozenset(method.encode() for method in SAFE)


class GreenletClientPool(ConnectionManager):
    """The clients of a scenario's users in this process, under one policy.

    A user's number is the next user's when that one has left; a slot's is used once. connections: the number of the
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
        route.use_tls(plan.tls, parsed.early_data)
        route.early_methods = _EARLY_METHODS
        self.use(replace(parsed, depth=calls_at_once(parsed)))
        # A scenario may read all fields of a head, so none may stand for another.
        self._heads = HeadMemory(exact=True)
        self.builder = RequestBuilder(plan, parsed)
        self.hub: Any = gevent.get_hub()
        self._origin = plan.target.origin
        self._present: dict[int, GreenletClient] = {}
        self._sharing: dict[SharedClient, None] = {}
        self._users: ReusableNumbers | None = ReusableNumbers()
        self._slot_numbers: Iterator[int] = count()
        self.websockets = WebSockets(self, self.builder, self._slot_numbers, plan, route)
        self._pools: list[Pool] = []
        self._shared: Any = self._new_pool(parsed.pool) if parsed.pool else None
        self._closed = False
        self.timed: set[Any] = set()
        """Slots whose present call has a time limit of its own."""

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
            client = self._present[state.index] = GreenletClient(self, self.new_slot(), state, concurrency)
            return client
        # One connection takes all that is in flight, unless each request has its own.
        return self._share(self._new_pool(1 if policy.reuses else concurrency), state)

    def new_slot(self) -> int:
        """A number for a slot. None is given twice: slots with other numbers need other connections.

        So a user that comes when another one has left has slots of its own, and so has one that closed its connections.
        """
        return next(self._slot_numbers)

    def further_client(self, state: PathCookieState, connections: int) -> SharedClient:
        """For calls beside one that is under way, of the user with this state."""
        return self._share(self._new_pool(connections), state)

    def release(self, client: GreenletClient) -> None:
        """A client will not call any more."""
        user = client.user_state.index
        self.websockets.close_of(user)
        del self._present[user]
        self._free_user(user)

    def client_left(self, client: SharedClient) -> None:
        """It will not call any more."""
        self.websockets.close_of(client.index)
        del self._sharing[client]
        if client.pool is not self._shared:
            self._pools.remove(client.pool)
            for slot in client.pool.slots:
                slot.close_idle()
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
        return kind(pool, context, self.new_slot(), state)

    def _new_reader(self) -> BodyReader:
        return BodyReader(self._max_body_bytes, self._heads)

    def _at_work(self) -> Iterable[Connection | None]:
        untimed = [slot for slot in self._slots() if slot not in self.timed]
        return [slot.connection for slot in (*untimed, *self.websockets.opened)]

    def _slots(self) -> list[ConnectionSlot]:
        # A copy: an exchange that ends here wakes users, and they come and go.
        return [*self._present.values(), *(slot for pool in self._pools for slot in pool.slots)]
