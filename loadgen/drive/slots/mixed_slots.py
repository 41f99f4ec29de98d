"""Slots whose requests differ: each chooses, before the clock starts, what goes next on its connection.

Classes of their own, so that a load of one request pays nothing for them.
"""

from __future__ import annotations

from typing import cast

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.request_mix import MixedRequest, RequestMix, TemplateRequest
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.concurrent_slot import ConcurrentConnection
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.pool import Pool
from loadgen.drive.slots.pooled_slot import PooledConcurrentSlot, PooledSlot
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.wire.connection import Connection


class MixedSlot(ConnectionSlot):
    """Mixed into a slot."""

    __slots__ = ()

    _mix: RequestMix

    def _choose(self, connection: int, request_index: int) -> MixedRequest | TemplateRequest:
        """The user's next request is the one that belongs there."""
        found = self._mix.chosen(connection, request_index)
        state = cast(PathCookieState, self.user_state)
        state.path = found.path
        state.requests = found.encoded(state.index, state.cookies())
        return found

    def _open(self, scheduled_ns: int) -> None:
        found = self._choose(self._mix.next_connection(), 0)
        super()._open(scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = found.is_head

    def _note(self, connection: Connection) -> None:
        # Cookies belong to the path of the request that was answered, and that need not be the last one sent.
        path = self._mix.chosen(connection.number, connection.request_index).path
        cast(PathCookieState, self.user_state).path = path
        super()._note(connection)


class _MixedSequence(MixedSlot):
    """One request at a time."""

    __slots__ = ()

    def send(self, scheduled_ns: int) -> None:
        connection = self.connection
        if connection is not None:
            found = self._choose(connection.number, connection.request_index + 1)
            connection.reader.no_body = found.is_head
        super().send(scheduled_ns)


class MixedUser(_MixedSequence, ClosedLoopUser):
    """A closed-loop client."""

    __slots__ = ("_mix",)

    def __init__(self, context: SlotContext, index: int, mix: RequestMix) -> None:
        self._mix = mix
        ClosedLoopUser.__init__(self, context, index, mix.user_state(index))


class MixedPipelinedUser(MixedSlot, PipelinedUser):
    """A closed-loop client with several requests in flight."""

    __slots__ = ("_mix",)

    def __init__(self, context: SlotContext, index: int, mix: RequestMix) -> None:
        self._mix = mix
        PipelinedUser.__init__(self, context, index, mix.user_state(index))

    def _next_requests(self, connection: ConcurrentConnection) -> EncodedRequest:
        self._choose(connection.number, connection.submitted)
        return self.user_state.requests


class _MixedPooledSlot(_MixedSequence, PooledSlot):
    __slots__ = ("_mix",)


class _MixedPooledConcurrentSlot(MixedSlot, PooledConcurrentSlot):
    __slots__ = ("_mix",)

    def _usable(self) -> ConcurrentConnection | None:
        """The present connection, with the choice of what goes next on it."""
        connection = super()._usable()
        if connection is not None:
            self._choose(connection.number, connection.submitted)
        return connection


class MixedPool(Pool):
    """A pool of such slots."""

    def __init__(self, context: SlotContext, size: int, mix: RequestMix) -> None:
        Pool.__init__(self, context, size, EncodedRequest(lambda _is_last, _cookies: b""))
        # The pool's own context is out of reach where it is compiled.
        self._slot_context = context
        self._mix = mix

    def _add(self) -> PooledSlot:
        make = _MixedPooledSlot if self._slot_context.policy.depth == 1 else _MixedPooledConcurrentSlot
        slot = make(self, self._slot_context, len(self.slots), self._mix.user_state(len(self.slots)))
        slot._mix = self._mix
        self.slots.append(slot)
        return slot
