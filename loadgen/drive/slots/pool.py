"""Connections shared by all of a block's users or arrivals. Whoever finds none free waits its turn: the phase queue."""

from __future__ import annotations

from collections import deque
from time import monotonic_ns
from typing import cast

from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.concurrent_slot import ConcurrentSlot
from loadgen.drive.slots.pause import OneShotTimer
from loadgen.drive.slots.slot import ConnectionSlot, SlotContext, rest_after
from loadgen.model.policy import FIFO
from loadgen.model.records import ABSENT
from loadgen.wire.connection import Connection
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.lifecycle import CLOSED, SENDING


class Pool:
    """At most `size` connections. A slot's connection is opened when it is first needed, and anew when it is gone.

    waiting: who waits, in order: the user (None for an arrival), when its request was due, and how late the generator
    was (ns). It is not bounded: arrivals don't hold back because others wait. serves: those who wait still get their
    turn.
    """

    def __init__(self, context: SlotContext, size: int, requests: EncodedRequest) -> None:
        self._context = context
        self._size = size
        self._requests = requests
        self._fifo = context.policy.pool_order == FIFO
        self._idle: deque[PooledSlot] = deque()
        self._serving = False
        self.slots: list[PooledSlot] = []
        self.serves = True
        self.waiting: deque[tuple[PooledUser | None, int, int]] = deque()

    def opened(self, slot: PooledSlot) -> None:
        """A slot's connection is open, and takes more than it has."""
        self.free(slot)

    def ask(self, user: PooledUser | None, due_ns: int, late_ns: int) -> None:
        """Send a request for `user`, or for an arrival that was due at `due_ns`, as soon as a connection is free."""
        slot = self._take()
        if slot is None:
            if len(self.slots) >= self._size:
                self.waiting.append((user, due_ns or monotonic_ns(), late_ns))
                return
            slot = self._add()
        slot.serve(user, due_ns, late_ns)
        self._put(slot)

    def first(self) -> PooledSlot:
        """A slot for the run's first request, which comes before all others, or for its next try."""
        return self._take() or self._add()

    def free(self, slot: PooledSlot) -> None:
        """A slot's exchange is over: who waits gets it, or it becomes idle."""
        self._put(slot)
        if self._serving:
            return  # a request failed at once; the loop below goes on with the next
        self._serving = True
        try:
            while self.waiting and self.serves and (found := self._take()) is not None:
                found.serve(*self.waiting.popleft())
                self._put(found)
        finally:
            self._serving = False

    def lost(self, slot: PooledSlot) -> None:
        """An idle slot's connection is gone."""
        if slot.listed:
            self._idle.remove(slot)
            slot.listed = False
        self._put(slot)

    def _take(self) -> PooledSlot | None:
        """A slot that can serve somebody; None where there is none among those that are listed."""
        while self._idle:
            slot = self._idle.popleft() if self._fifo else self._idle.pop()
            slot.listed = False
            if slot.has_room:  # its server may have said meanwhile that it takes no more
                return slot
        return None

    def _put(self, slot: PooledSlot) -> None:
        """List a slot that can serve somebody now."""
        if slot.listed or not slot.has_room:
            return
        slot.listed = True
        # A slot without a connection is the last one to be taken, whatever the order.
        if self._fifo or slot.connection is not None:
            self._idle.append(slot)
        else:
            self._idle.appendleft(slot)

    def _add(self) -> PooledSlot:
        make = PooledSlot if self._context.policy.depth == 1 else PooledConcurrentSlot
        slot = make(self, self._context, len(self.slots), UserState(len(self.slots), self._requests))
        self.slots.append(slot)
        return slot


class PooledSlot(ConnectionSlot):
    """One of a pool's places. An arrival is nobody before, so it borrows the slot's own client.

    listed: it is among the pool's idle ones.
    """

    __slots__ = ("_own", "_pool", "_serving", "_user", "listed")

    def __init__(self, pool: Pool, context: SlotContext, index: int, client: UserState) -> None:
        super().__init__(context, index, client)
        self._pool = pool
        self._own = client
        self._user: PooledUser | None = None
        self._serving = self.listed = False

    @property
    def has_room(self) -> bool:
        """It can send a request now."""
        return not self._serving

    def serve(self, user: PooledUser | None, due_ns: int, late_ns: int) -> None:
        """Send a request for `user`, due at `due_ns` (0 for now)."""
        self._serving = True
        self._seat(user, late_ns)
        self.send(due_ns)

    def _seat(self, user: PooledUser | None, late_ns: int) -> None:
        """The request that is sent, or told of, now is this user's."""
        self._user = user
        self.client = self._own if user is None else user.client
        self.late_ns = late_ns

    def done(self, outcome: int) -> None:
        self._serving = False
        user, self._user = self._user, None
        # Who has waited longest comes before who has just been served.
        self._pool.free(self)
        if user is not None:
            user.served(outcome)
        elif not self._context.running:
            self._context.rested()

    def connection_lost(self, connection: Connection) -> None:
        super().connection_lost(connection)
        self._pool.lost(self)


class PooledConcurrentSlot(ConcurrentSlot, PooledSlot):
    """A place whose connection carries several requests at a time, each somebody else's: the streams of HTTP/2."""

    __slots__ = ("_depth", "_riders")

    def __init__(self, pool: Pool, context: SlotContext, index: int, client: UserState) -> None:
        super().__init__(pool, context, index, client)
        self._depth = context.policy.depth
        self._riders: dict[int, tuple[PooledUser | None, int]] = {}

    @property
    def has_room(self) -> bool:
        link = cast(Http2Connection | None, self.connection)
        if link is None:
            return True
        if link.state < SENDING:
            # It carries the request that it was opened for, and nobody knows yet what else.
            return False
        if not link.in_flight:
            return link.state is not CLOSED  # one that may carry no more is replaced
        return link.in_flight < self._depth and self._may_send(link)

    @property
    def under_way(self) -> int:
        link = cast(Http2Connection | None, self.connection)
        return 0 if link is None else max(1, link.in_flight)

    def serve(self, user: PooledUser | None, due_ns: int, late_ns: int) -> None:
        self._seat(user, late_ns)
        link = self._link()
        if link is None:
            self._riders = {0: (user, late_ns)}
            self._open(due_ns)
        else:
            self._riders[link.submitted] = (user, late_ns)
            requests = self.client.requests
            is_last = link.submitted + 1 >= self._limit
            link.exchange(requests.last if is_last else requests.more, due_ns)

    def connection_ready(self, connection: Connection) -> None:
        self._pool.opened(self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        rider = self._riders.pop(connection.request_index, None)
        if rider is not None:  # else it is the run's first request, which nobody of the pool has asked for
            self._seat(*rider)
        super().exchange_done(connection, outcome, end_ns)


class PooledUser:
    """A closed-loop client without a connection of its own."""

    __slots__ = ("_context", "_pause", "_pool", "client")

    def __init__(self, context: SlotContext, pool: Pool, client: UserState) -> None:
        self._context = context
        self._pool = pool
        self._pause = OneShotTimer(self.begin)
        self.client = client

    def begin(self) -> None:
        """Want the next request answered."""
        self._pool.ask(self, 0, ABSENT)

    def served(self, outcome: int) -> None:
        """Its request ended."""
        context = self._context
        if not context.running:
            context.rested()
            return
        rest_s = rest_after(outcome, context.think_s)
        if rest_s:
            self.rest(rest_s)
        else:
            self.begin()

    def rest(self, seconds: float) -> None:
        """Want the next request after `seconds`."""
        self._pause.begin(seconds)

    def leave(self) -> None:
        """The block is over: think no more."""
        self._pause.cancel()
