"""The slots of a pool: one request at a time, or with HTTP/2 several, each for another user. Knows no order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.concurrent_slot import ConcurrentSlot, Repeats
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.wire.connection import Connection
from loadgen.wire.lifecycle import CLOSED, SENDING

if TYPE_CHECKING:  # a library is loaded where a policy needs it
    from loadgen.wire.http2.connection import Http2Connection


class SlotOwner(Protocol):
    """The pool, as its slots see it."""

    def release(self, slot: PooledSlot) -> None: ...

    def connection_lost(self, slot: PooledSlot) -> None: ...


class PoolUser(Protocol):
    """A user whose requests a pool sends."""

    @property
    def user_state(self) -> UserState: ...

    def served(self, outcome: int) -> None: ...


class PooledSlot(ConnectionSlot):
    """One of a pool's slots. Arrivals have no user; they use the slot's own cookies and TLS session."""

    __slots__ = ("_is_serving", "_own_state", "_pool", "_user", "is_listed")

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(context, index, user_state)
        self._pool = pool
        self._own_state = user_state
        self._user: PoolUser | None = None
        self._is_serving = False
        self.is_listed = False
        """The pool has it among those that can take a request."""

    @property
    def has_room(self) -> bool:
        """It can send a request now."""
        return not self._is_serving

    def serve(self, user: PoolUser | None, due_ns: int, late_ns: int) -> None:
        """Send a request for `user` (None: for an arrival), due at `due_ns` (0 for now)."""
        self._is_serving = True
        self._assign(user, late_ns)
        self.send(due_ns)

    def _assign(self, user: PoolUser | None, late_ns: int) -> None:
        """The request that is being sent or recorded now is this user's."""
        self._user = user
        self.user_state = self._own_state if user is None else user.user_state
        self.late_ns = late_ns

    def done(self, outcome: int) -> None:
        self._is_serving = False
        user, self._user = self._user, None
        # The request that has waited longest comes before the next one of the user that was served just now.
        self._pool.release(self)
        if user is not None:
            user.served(outcome)
        elif not self._context.running:
            self._context.exchange_drained()

    def connection_lost(self, connection: Connection) -> None:
        ConnectionSlot.connection_lost(self, connection)  # by name: compiled, this method has no super()
        self._pool.connection_lost(self)

    def close_unused(self) -> None:
        ConnectionSlot.close_unused(self)
        self._pool.connection_lost(self)


class PooledConcurrentSlot(ConcurrentSlot, PooledSlot):
    """A slot whose connection carries several requests at a time, each for another user: the streams of HTTP/2."""

    __slots__ = ("_depth", "_repeats", "_users_by_index")

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(pool, context, index, user_state)
        self._depth = context.policy.depth
        self._repeats = Repeats()
        # Request's index on the connection -> its user, and how late the generator was.
        self._users_by_index: dict[int, tuple[PoolUser | None, int]] = {}

    @property
    def has_room(self) -> bool:
        connection = cast("Http2Connection | None", self.connection)
        if connection is None:
            return True
        if connection.state < SENDING:
            # It carries the request that it was opened for; how many more it may carry is not known yet.
            return False
        if not connection.in_flight:
            return connection.state != CLOSED  # one that may carry no more is replaced
        return connection.in_flight < self._depth and self._may_send(connection)

    @property
    def unfinished(self) -> int:
        connection = cast("Http2Connection | None", self.connection)
        present = 0 if connection is None else max(1, connection.in_flight)
        return present + len(self._repeats.waiting)

    def serve(self, user: PoolUser | None, due_ns: int, late_ns: int) -> None:
        self._assign(user, late_ns)
        connection = cast("Http2Connection | None", self._usable())
        if connection is None:
            self._users_by_index = {0: (user, late_ns)}
            self._repeats.sent.clear()
            self._open(due_ns)
        else:
            self._users_by_index[connection.submitted] = (user, late_ns)
            requests = self.user_state.requests
            is_last = connection.submitted + 1 >= self._limit
            connection.exchange(requests.last if is_last else requests.more, due_ns)

    def connection_ready(self, connection: Connection) -> None:
        self._send_repeats()
        self._pool.release(self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        found = self._users_by_index.pop(connection.request_index, None)
        if found is not None:  # else it is the run's first request, which no user of the pool has submitted
            self._assign(*found)
        super().exchange_done(connection, outcome, end_ns)

    def done(self, outcome: int) -> None:
        if self._repeats.waiting:  # these come before the next request of the user that was served just now
            served, late_ns = self._user, self.late_ns
            self._send_repeats()
            self._assign(served, late_ns)
        super().done(outcome)

    def _present_sender(self) -> tuple[PoolUser | None, int]:
        return self._user, self.late_ns

    def _repeat_for(self, sender: Any, request_index: int) -> None:
        self._assign(*sender)
        if request_index == 0:
            self._users_by_index = {}
        self._users_by_index[request_index] = sender


MakeSlot = Callable[[SlotOwner, SlotContext, int, UserState], PooledSlot]
SlotKinds = tuple[MakeSlot, MakeSlot]
"""For one request at a time, and for several."""
POOLED_SLOTS: SlotKinds = PooledSlot, PooledConcurrentSlot
