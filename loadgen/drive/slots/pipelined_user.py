"""A closed-loop client that keeps several requests in flight on one connection. Knows no block."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.concurrent_slot import ConcurrentSlot, Repeats
from loadgen.drive.slots.context import SlotContext
from loadgen.wire.connection import Connection

if TYPE_CHECKING:
    from loadgen.drive.slots.concurrent_slot import ConcurrentConnection


class PipelinedUser(ConcurrentSlot, ClosedLoopUser):
    """Sends the next request as soon as fewer than the policy's depth are in flight, then thinks where it must."""

    __slots__ = ("_repeats",)

    def __init__(self, context: SlotContext, index: int, client: UserState) -> None:
        super().__init__(context, index, client)
        self._repeats = Repeats()

    def connection_ready(self, connection: Connection) -> None:
        """The connection is open: fill it."""
        self._send_repeats()
        self._fill(cast("ConcurrentConnection", connection))

    def begin(self) -> None:
        if self._context.left > 0:
            self.send(0)

    def send(self, scheduled_ns: int) -> None:
        connection = self._usable()
        if connection is None:
            self._repeats.sent.clear()
            self._context.left -= 1
            self._open(scheduled_ns)
        else:
            self._fill(connection)
            connection.flush()

    def done(self, outcome: int) -> None:
        if self._repeats.waiting and self._send_repeats():
            return
        connection = cast("ConcurrentConnection | None", self.connection)
        if connection is not None and connection.in_flight:
            if self._context.running and outcome > 0 and not self._context.think_s:
                self.begin()
            return
        super().done(outcome)

    def _next_requests(self, connection: ConcurrentConnection) -> EncodedRequest:
        """What is submitted next."""
        return self.user_state.requests

    def _fill(self, connection: ConcurrentConnection) -> None:
        context = self._context
        while (
            context.left > 0
            and context.running
            and connection.in_flight < self._policy.depth
            and self._may_send(connection)
        ):
            context.left -= 1
            requests = self._next_requests(connection)
            connection.submit(requests.last if connection.submitted + 1 >= self._limit else requests.more)
