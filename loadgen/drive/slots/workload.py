"""The three ways in which a block's requests come about, behind one interface. Decides no order and marks no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Protocol

from loadgen.drive.open_loop.dispatcher import ArrivalDispatcher
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.pool import Pool, PooledUser
from loadgen.drive.slots.slot import ClosedLoopUser, ConnectionSlot, SlotContext
from loadgen.model.cell import Cell


class Starter(Protocol):
    """A closed-loop client, whatever it sends on."""

    def begin(self) -> None: ...

    def rest(self, seconds: float) -> None: ...


class BlockLoad(Protocol):
    """What the worker asks of a block's load. starters: the users to be started; none in an open loop."""

    @property
    def starters(self) -> list[Starter]: ...

    @property
    def lines(self) -> list[ConnectionSlot]:
        """Every place for a connection so far."""

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""

    def begin(self) -> None:
        """What has to begin besides the users."""

    def leave(self) -> None:
        """The block is over: nothing begins any more, idle connections are closed."""

    def drop_waiting(self) -> int:
        """Requests that wait now get no connection any more; gives how many."""

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        """`unstarted`: requests of that time that never got a connection; `due`: arrivals. Ask after `leave`."""

    def first(self) -> ConnectionSlot:
        """The line that the run's very first request goes on, alone."""


class PerUserLoad:
    """Closed loop, each user with a line of its own."""

    def __init__(self, context: SlotContext, cell: Cell, requests: EncodedRequest) -> None:
        make: Callable[[SlotContext, int, UserState], ClosedLoopUser] = (
            PipelinedUser if cell.policy.depth > 1 else ClosedLoopUser
        )
        self._users = [make(context, index, UserState(index, requests)) for index in range(cell.users)]
        self.starters: list[Starter] = list(self._users)
        self.lines: list[ConnectionSlot] = list(self._users)

    def begin(self) -> None:
        pass

    def leave(self) -> None:
        for user in self._users:
            user.leave()

    @property
    def waiting(self) -> int:
        return 0

    def drop_waiting(self) -> int:
        return 0

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        return {"unstarted": 0}

    def first(self) -> ConnectionSlot:
        return self._users[0]


class PooledLoad:
    """A pool, and what asks of it: users in a closed loop, or arrivals."""

    def __init__(
        self,
        context: SlotContext,
        cell: Cell,
        requests: EncodedRequest,
        peak_connections: int,
        dues: Callable[[], Iterator[int]],
        clock: Callable[[], int],
    ) -> None:
        policy = cell.policy
        size = min(policy.pool or peak_connections, peak_connections) if cell.rate_rps else policy.pool
        self._pool = Pool(context, size, requests)
        self._dues = dues
        self._clock = clock
        self._arrivals: ArrivalDispatcher | None = None
        users = 0 if cell.rate_rps else cell.users
        self._users = [PooledUser(context, self._pool, UserState(index, requests)) for index in range(users)]
        self.starters: list[Starter] = list(self._users)

    @property
    def lines(self) -> list[ConnectionSlot]:
        return list(self._pool.slots)

    def begin(self) -> None:
        if not self._users:
            self._arrivals = ArrivalDispatcher(self._pool, self._dues(), self._clock())

    @property
    def waiting(self) -> int:
        return len(self._pool.waiting)

    def drop_waiting(self) -> int:
        if not self._pool.serves:
            return 0
        self._pool.serves = False
        return self.waiting

    def leave(self) -> None:
        if self._arrivals is not None:
            self._arrivals.stop()
        for user in self._users:
            user.leave()
        for slot in self._pool.slots:
            slot.close_idle()

    def account(self, begun_ns: int, ended_ns: int) -> dict[str, int]:
        unstarted = sum(begun_ns <= due_ns < ended_ns for _, due_ns, _ in self._pool.waiting)
        if self._arrivals is None:
            return {"unstarted": unstarted}
        unstarted += sum(due_ns >= begun_ns for due_ns in self._arrivals.overdue(ended_ns))
        first_ns = self._arrivals.begun_ns
        dues = takewhile(lambda due_ns: first_ns + due_ns < ended_ns, self._dues())
        return {"unstarted": unstarted, "due": sum(first_ns + due_ns >= begun_ns for due_ns in dues)}

    def first(self) -> ConnectionSlot:
        slot = self._pool.first()
        if self._users:  # a request of a user's, and its cookies
            slot.client = self._users[0].client
        return slot
