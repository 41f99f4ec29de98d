"""Where a block's requests come from: users with slots of their own, users of a pool, or arrivals. Marks no time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import takewhile
from typing import Protocol

from loadgen.drive.open_loop.dispatcher import ArrivalDispatcher
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.mixed_slots import MIXED_POOLED_SLOTS, MIXED_USERS
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.pool import Pool, PooledUser, WaitingRequest
from loadgen.drive.slots.pooled_slot import POOLED_SLOTS, PooledSlot
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.model.cell import Cell

_USERS: tuple[type[ClosedLoopUser], type[ClosedLoopUser]] = ClosedLoopUser, PipelinedUser
"""For one request at a time, and for several."""


class LoadUser(Protocol):
    """A closed-loop client, whatever its requests go on."""

    def begin(self) -> None: ...

    def begin_after(self, seconds: float) -> None: ...


class StoppedUser(LoadUser, Protocol):
    """One that is stopped apart from its slots."""

    def stop(self) -> None: ...


class BlockLoad(Protocol):
    """A block's load, as the engine sees it."""

    users: list[LoadUser]
    """The users to be started; none in an open loop."""

    @property
    def slots(self) -> list[ConnectionSlot]:
        """Every slot so far."""

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""

    def begin(self) -> None:
        """Start the arrivals of an open loop; of a closed loop the engine starts the users."""

    def stop(self) -> None:
        """The block is over: nothing begins any more, idle connections are closed. Safe to call twice."""

    def drop_waiting(self) -> int:
        """Requests that wait now get no connection any more; gives how many."""

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        """`unstarted`: requests of that time that never got a connection; `due`: arrivals. Call it after `stop`."""

    def preopened(self, connections: int) -> list[ConnectionSlot]:
        """The slots of this many connections that are to be open before the load; fewer, where it has fewer."""

    def preflight_slot(self) -> ConnectionSlot:
        """The slot that the run's very first request goes on, alone."""


class OwnSlots:
    """A load of users with slots of their own: no request waits for a connection."""

    @property
    def waiting(self) -> int:
        return 0

    def drop_waiting(self) -> int:
        return 0

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        return {"unstarted": 0}


class PerUserLoad(OwnSlots):
    """Closed loop, each user with a slot of its own."""

    def __init__(self, context: SlotContext, cell: Cell, requests: EncodedRequest | RequestMix) -> None:
        kinds = MIXED_USERS if isinstance(requests, RequestMix) else _USERS
        make = kinds[cell.policy.depth > 1]
        self._own = [make(context, index, requests.user_state(index)) for index in range(cell.users)]
        self.users: list[LoadUser] = list(self._own)
        self.slots: list[ConnectionSlot] = list(self._own)

    def begin(self) -> None:
        pass

    def stop(self) -> None:
        for user in self._own:
            user.stop()

    def preopened(self, connections: int) -> list[ConnectionSlot]:
        return self.slots[:connections]

    def preflight_slot(self) -> ConnectionSlot:
        return self._own[0]


class SharedSlots(Protocol):
    """A pool, or several, as a block's load sees them."""

    serves_waiting: bool

    def submit(self, user: None, due_ns: int, late_ns: int) -> None: ...

    @property
    def slots(self) -> Sequence[PooledSlot]: ...

    @property
    def waiting(self) -> Collection[WaitingRequest]: ...


class SharedLoad:
    """Slots that users share, in a closed loop, or arrivals, where there are no users."""

    def __init__(
        self,
        context: SlotContext,
        shared: SharedSlots,
        users: Sequence[StoppedUser],
        due_times: Callable[[], Iterator[int]],
    ) -> None:
        self._context = context
        self._shared = shared
        self._stopped_users = users
        self._due_times = due_times
        self._arrivals: ArrivalDispatcher | None = None
        self.users: list[LoadUser] = list(users)

    @property
    def slots(self) -> list[ConnectionSlot]:
        return list(self._shared.slots)

    def begin(self) -> None:
        if not self.users:
            begun_ns = self._context.clock.monotonic_ns()
            self._arrivals = ArrivalDispatcher(self._shared, self._due_times(), begun_ns, self._context)

    @property
    def waiting(self) -> int:
        return len(self._shared.waiting)

    def drop_waiting(self) -> int:
        if not self._shared.serves_waiting:
            return 0
        self._shared.serves_waiting = False
        return self.waiting

    def stop(self) -> None:
        if self._arrivals is not None:
            self._arrivals.stop()
        for user in self._stopped_users:
            user.stop()
        for slot in self._shared.slots:
            slot.close_idle()

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        unstarted = sum(begun_ns <= due_ns < ended_ns for _, due_ns, _ in self._shared.waiting)
        if self._arrivals is None:
            return {"unstarted": unstarted}
        overdue = sum(due_ns >= begun_ns for due_ns in self._arrivals.overdue(ended_ns))
        unstarted += min(overdue, self._context.left)
        first_ns = self._arrivals.begun_ns
        due_times = takewhile(lambda due_ns: first_ns + due_ns < ended_ns, self._due_times())
        due = sum(first_ns + due_ns >= begun_ns for due_ns in due_times)
        return {"unstarted": unstarted, "due": min(due, self._context.asked)}


class PooledLoad(SharedLoad):
    """A pool and the source of its requests: users in a closed loop, or arrivals."""

    def __init__(
        self,
        context: SlotContext,
        cell: Cell,
        requests: EncodedRequest | RequestMix,
        peak_connections: int,
        due_times: Callable[[], Iterator[int]],
    ) -> None:
        kinds = MIXED_POOLED_SLOTS if isinstance(requests, RequestMix) else POOLED_SLOTS
        pool = self._pool = Pool(context, pool_size(cell, peak_connections), requests, kinds)
        users = 0 if cell.rate_rps else cell.users
        self._pooled = [PooledUser(context, pool, requests.user_state(index)) for index in range(users)]
        super().__init__(context, pool, self._pooled, due_times)

    def preopened(self, connections: int) -> list[ConnectionSlot]:
        self._pool.add_slots(connections)
        return self.slots[:connections]

    def preflight_slot(self) -> ConnectionSlot:
        slot = self._pool.preflight_slot()
        if self._pooled:  # the request is a user's, and so are its cookies
            slot.user_state = self._pooled[0].user_state
        return slot


def pool_size(cell: Cell, peak_connections: int) -> int:
    """How many connections a pool of this cell has. peak_connections: the most that arrivals may have."""
    policy = cell.policy
    return min(policy.pool or peak_connections, peak_connections) if cell.rate_rps else policy.pool
