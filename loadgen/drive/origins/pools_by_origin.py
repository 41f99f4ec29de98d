"""A pool of connections for each origin, as one: what arrivals and a block's load see. Opens nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from loadgen.drive.origins.origin_choice import OriginChoice
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.mixed_slots import MIXED_POOLED_SLOTS
from loadgen.drive.slots.pool import Pool, WaitingRequest
from loadgen.drive.slots.pooled_slot import MakeSlot, PooledSlot, SlotKinds, SlotOwner


class PoolsByOrigin:
    """size: connections of each pool. choice: of the arrivals' origins; users choose their own."""

    def __init__(self, origins: Sequence[OriginContext], size: int, choice: OriginChoice) -> None:
        self.each = [Pool(one, size, one.requests, _slots_at(one)) for one in origins]
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


def _slots_at(origin: OriginContext) -> SlotKinds:
    """Those of one origin's pool: a slot's number in it becomes one among the slots of all origins."""

    def numbered(make: MakeSlot) -> MakeSlot:
        def make_slot(pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> PooledSlot:
            return make(pool, context, index * origin.origins + origin.place, user_state)

        return make_slot

    of_one, of_several = MIXED_POOLED_SLOTS
    return numbered(of_one), numbered(of_several)
