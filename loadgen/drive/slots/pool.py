"""A pool: connections shared by all users or arrivals of a block. A request that finds none free waits: phase queue."""

from __future__ import annotations

from collections import deque

from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.pooled_slot import POOLED_SLOTS, PooledSlot, PoolUser, SlotKinds
from loadgen.drive.slots.thinking_user import ThinkingUser
from loadgen.model.policy import FIFO
from loadgen.model.records import ABSENT

WaitingRequest = tuple[PoolUser | None, int, int]
"""Its user (None for an arrival), when it was due (ns), and how late the generator was with it (ns)."""


class Pool:
    """At most `size` slots. A slot opens a connection when it first needs one, and anew when its connection is gone.

    kinds: of slots, for one request at a time and for several.
    """

    def __init__(
        self, context: SlotContext, size: int, requests: EncodedRequest | RequestMix, kinds: SlotKinds = POOLED_SLOTS
    ) -> None:
        self._context = context
        self._size = size
        self._requests = requests
        self._make = kinds[context.policy.depth > 1]
        self._fifo = context.policy.pool_order == FIFO
        self._listed: deque[PooledSlot] = deque()
        self._is_serving = False
        self.slots: list[PooledSlot] = []
        self.serves_waiting = True
        """Waiting requests still get a connection."""
        self.waiting: deque[WaitingRequest] = deque()
        """In order. There is no bound: arrivals don't hold back because others wait."""

    def submit(self, user: PoolUser | None, due_ns: int, late_ns: int) -> None:
        """Send a request for `user`, or for an arrival that was due at `due_ns`, as soon as a connection is free."""
        slot = self._take()
        if slot is None:
            if len(self.slots) >= self._size:
                self.waiting.append((user, due_ns or self._context.clock.monotonic_ns(), late_ns))
                return
            slot = self._add()
        slot.serve(user, due_ns, late_ns)
        self._list(slot)

    def add_slots(self, slots: int) -> None:
        """Have this many, as far as the pool's size permits; new ones are free once they have carried a request."""
        while len(self.slots) < min(slots, self._size):
            self._add()

    def preflight_slot(self) -> PooledSlot:
        """A slot for the run's first request, which comes before all others, or for its next try."""
        return self._take() or self._add()

    def release(self, slot: PooledSlot) -> None:
        """A slot can take another request: the longest waiting one gets it, or the slot becomes idle."""
        self._list(slot)
        if self._is_serving:
            return  # a request failed at once; the loop below goes on with the next
        self._is_serving = True
        try:
            while self.waiting and self.serves_waiting and (found := self._take()) is not None:
                user, due_ns, late_ns = self.waiting.popleft()
                found.serve(user, due_ns, late_ns)
                self._list(found)
        finally:
            self._is_serving = False

    def connection_lost(self, slot: PooledSlot) -> None:
        """An idle slot's connection is gone: the slot moves behind those that have one."""
        if slot.is_listed:
            self._listed.remove(slot)
            slot.is_listed = False
        self._list(slot)

    def _take(self) -> PooledSlot | None:
        """A listed slot that can send a request now; None where there is none."""
        while self._listed:
            slot = self._listed.popleft() if self._fifo else self._listed.pop()
            slot.is_listed = False
            if slot.has_room:  # its server may have said meanwhile that it takes no more
                return slot
        return None

    def _list(self, slot: PooledSlot) -> None:
        """List a slot that can send a request now."""
        if slot.is_listed or not slot.has_room:
            return
        slot.is_listed = True
        # A slot without a connection is the last one to be taken, whatever the order.
        if self._fifo or slot.connection is not None:
            self._listed.append(slot)
        else:
            self._listed.appendleft(slot)

    def _add(self) -> PooledSlot:
        index = len(self.slots)
        slot = self._make(self, self._context, index, self._requests.user_state(index))
        self.slots.append(slot)
        return slot


class PooledUser(ThinkingUser):
    """A closed-loop client without a connection of its own."""

    __slots__ = ("_pool", "user_state")

    def __init__(self, context: SlotContext, pool: Pool, user_state: UserState) -> None:
        super().__init__(context)
        self._pool = pool
        self.user_state = user_state

    def begin(self) -> None:
        """Have the next request sent, if one may still begin."""
        context = self._context
        if context.left > 0:
            context.left -= 1
            self._pool.submit(self, 0, ABSENT)
