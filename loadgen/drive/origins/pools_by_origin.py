"""A pool of connections for each origin, as one: what arrivals and a block's load see. Opens nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import cast

from loadgen.drive.origins.origin_choice import OriginChoice
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.mixed_slots import MixedPooledConcurrentSlot, MixedPooledSlot
from loadgen.drive.slots.pool import Pool, WaitingRequest
from loadgen.drive.slots.pooled_slot import PooledSlot, SlotOwner


def _slot_index(origin: OriginContext, index: int) -> int:
    """A slot's number among those of all origins, from its number in the pool of one."""
    return index * origin.origins + origin.place


class OriginPooledSlot(MixedPooledSlot):
    """A slot of one origin's pool."""

    __slots__ = ()

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(pool, context, _slot_index(cast(OriginContext, context), index), user_state)


class OriginPooledConcurrentSlot(MixedPooledConcurrentSlot):
    """The same with several requests at a time."""

    __slots__ = ()

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(pool, context, _slot_index(cast(OriginContext, context), index), user_state)


class PoolsByOrigin:
    """size: connections of each pool. choice: of the arrivals' origins; users choose their own."""

    def __init__(self, origins: Sequence[OriginContext], size: int, choice: OriginChoice) -> None:
        kinds = OriginPooledSlot, OriginPooledConcurrentSlot
        self.each = [Pool(one, size, one.requests, kinds) for one in origins]
        """By origin."""
        self._choice = choice

    def submit(self, user: None, due_ns: int, late_ns: int) -> None:
        """Send the request of an arrival as soon as a connection to its origin is free."""
        self.each[self._choice.next()].submit(None, due_ns, late_ns)

    @property
    def slots(self) -> list[PooledSlot]:
        return list(chain.from_iterable(pool.slots for pool in self.each))

    @property
    def waiting(self) -> list[WaitingRequest]:
        return list(chain.from_iterable(pool.waiting for pool in self.each))

    @property
    def serves_waiting(self) -> bool:
        return self.each[0].serves_waiting

    @serves_waiting.setter
    def serves_waiting(self, serves: bool) -> None:
        for pool in self.each:
            pool.serves_waiting = serves

    def add_slots(self, slots: int) -> None:
        """Have this many in each pool, as far as its size permits."""
        for pool in self.each:
            pool.add_slots(slots)
