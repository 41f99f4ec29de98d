"""Slots whose requests differ: each chooses, before the clock starts, what goes next on its connection.

Classes of their own, so that a load of one request pays nothing for them. Their users are those of a RequestMix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from loadgen.drive.requests.request_mix import MixedRequest, MixedUserState, TemplateRequest
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.pooled_slot import PooledConcurrentSlot, PooledSlot, SlotKinds
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.wire.connection import Connection

if TYPE_CHECKING:
    from loadgen.drive.slots.concurrent_slot import ConcurrentConnection


class MixedSlot(ConnectionSlot):
    """Mixed into a slot."""

    __slots__ = ()

    @property
    def _state(self) -> MixedUserState:
        return cast(MixedUserState, self.user_state)

    def _choose(self, connection: int, request_index: int) -> MixedRequest | TemplateRequest:
        """The user's next request is the one that belongs there."""
        state = self._state
        found = state.mix.chosen(connection, request_index)
        state.path = found.path
        state.requests = found.encoded(state.index, state.cookies())
        return found

    def _open(self, scheduled_ns: int) -> None:
        found = self._choose(self._state.mix.next_connection(), 0)
        super()._open(scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = found.is_head

    def _note(self, connection: Connection) -> None:
        # Cookies belong to the path of the request that was answered, and that need not be the last one sent.
        state = self._state
        state.path = state.mix.chosen(connection.number, connection.request_index).path
        super()._note(connection)


class MixedSequence(MixedSlot):
    """One request at a time."""

    __slots__ = ()

    def send(self, scheduled_ns: int) -> None:
        connection = self.connection
        if connection is not None:
            found = self._choose(connection.number, connection.request_index + 1)
            connection.reader.no_body = found.is_head
        super().send(scheduled_ns)


class MixedUser(MixedSequence, ClosedLoopUser):
    """A closed-loop client."""

    __slots__ = ()


class MixedPipelinedUser(MixedSlot, PipelinedUser):
    """A closed-loop client with several requests in flight."""

    __slots__ = ()

    def _next_requests(self, connection: ConcurrentConnection) -> EncodedRequest:
        self._choose(connection.number, connection.submitted)
        return self.user_state.requests


class MixedPooledSlot(MixedSequence, PooledSlot):
    """A pool's slot."""

    __slots__ = ()


class MixedPooledConcurrentSlot(MixedSlot, PooledConcurrentSlot):
    """A pool's slot with several requests at a time."""

    __slots__ = ()

    def _usable(self) -> ConcurrentConnection | None:
        """The present connection, with the choice of what goes next on it."""
        connection = super()._usable()
        if connection is not None:
            self._choose(connection.number, connection.submitted)
        return connection


MIXED_USERS: tuple[type[ClosedLoopUser], type[ClosedLoopUser]] = MixedUser, MixedPipelinedUser
MIXED_POOLED_SLOTS: SlotKinds = MixedPooledSlot, MixedPooledConcurrentSlot
