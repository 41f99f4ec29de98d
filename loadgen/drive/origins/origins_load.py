"""A block's load over several origins: users with connections of their own to each, or pools. Marks no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from loadgen.drive.origins.origin_choice import OriginChoice
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.origins.origin_users import OriginSlot, OriginUser, PooledSender
from loadgen.drive.origins.pools_by_origin import PoolsByOrigin
from loadgen.drive.requests.origin_cookies import OriginUserState, states_of_user
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.drive.slots.workload import BlockLoad, LoadUser, OwnSlots, SharedLoad, pool_size
from loadgen.model.cell import Cell
from loadgen.model.request_choice import upper_edges


class OriginsLoad(BlockLoad, Protocol):
    """A block's load, whose very first requests go one to each origin."""

    def preflight_slot_of(self, place: int) -> ConnectionSlot:
        """The slot that the first request to the origin at this place goes on."""


def origins_load(
    context: SlotContext,
    origins: Sequence[OriginContext],
    cell: Cell,
    peak_connections: int,
    due_times: Callable[[], Iterator[int]],
) -> OriginsLoad:
    """The load of a block of this cell; see PooledLoad. context: of all origins."""
    edges = upper_edges([sum(one.weight for one in origin.plan.requests) for origin in origins])
    users = [OriginUser(context, OriginChoice(edges, index)) for index in range(0 if cell.rate_rps else cell.users)]
    mixes = [one.requests for one in origins]
    states = [states_of_user(index, mixes) for index in range(len(users))]
    if not (cell.rate_rps or cell.policy.pool):
        return OwnSlotsLoad(origins, users, states)
    pools = PoolsByOrigin(origins, pool_size(cell, peak_connections), OriginChoice(edges, 0))
    return OriginPoolsLoad(context, origins, pools, users, states, due_times)


class OwnSlotsLoad(OwnSlots):
    """Closed loop, each user with a slot of its own for each origin."""

    def __init__(
        self, origins: Sequence[OriginContext], users: Sequence[OriginUser], states: Sequence[Sequence[OriginUserState]]
    ) -> None:
        self._origins = origins
        self._users = users
        self._own = [
            [OriginSlot(origin, index, state, user) for origin, state in zip(origins, states[index], strict=True)]
            for index, user in enumerate(users)
        ]
        for user, own in zip(users, self._own, strict=True):
            user.senders = own
        self.users: list[LoadUser] = list(users)
        self.slots: list[ConnectionSlot] = [slot for own in self._own for slot in own]
        """By user, and of each by origin."""

    def begin(self) -> None:
        _set_running(self._origins, is_running=True)

    def stop(self) -> None:
        _set_running(self._origins, is_running=False)
        for user in self._users:
            user.stop()
        for slot in self.slots:
            slot.close_idle()

    def preopened(self, connections: int) -> list[ConnectionSlot]:
        return self.slots[: connections * len(self._origins)]

    def preflight_slot(self) -> ConnectionSlot:
        return self.preflight_slot_of(0)

    def preflight_slot_of(self, place: int) -> ConnectionSlot:
        return self._own[0][place]


class OriginPoolsLoad(SharedLoad):
    """A pool for each origin. states: of each user for each origin; there are no users in an open loop."""

    def __init__(
        self,
        context: SlotContext,
        origins: Sequence[OriginContext],
        pools: PoolsByOrigin,
        users: Sequence[OriginUser],
        states: Sequence[Sequence[OriginUserState]],
        due_times: Callable[[], Iterator[int]],
    ) -> None:
        super().__init__(context, pools, users, due_times)
        self._origins = origins
        self._pools = pools
        self._states = states
        for user, own in zip(users, states, strict=True):
            user.senders = [PooledSender(pool, state, user) for pool, state in zip(pools.each, own, strict=True)]

    def begin(self) -> None:
        _set_running(self._origins, is_running=True)
        super().begin()

    def stop(self) -> None:
        _set_running(self._origins, is_running=False)
        super().stop()

    def preopened(self, connections: int) -> list[ConnectionSlot]:
        self._pools.add_slots(connections)
        return [slot for pool in self._pools.each for slot in pool.slots[:connections]]

    def preflight_slot(self) -> ConnectionSlot:
        return self.preflight_slot_of(0)

    def preflight_slot_of(self, place: int) -> ConnectionSlot:
        slot = self._pools.each[place].preflight_slot()
        if self._states:  # the request is a user's, and so are its cookies
            slot.user_state = self._states[0][place]
        return slot


def _set_running(origins: Sequence[OriginContext], *, is_running: bool) -> None:
    """Slots look at their origin, and the engine's own mark is set just before this."""
    for one in origins:
        one.running = is_running
