"""Slots that carry the calls of a scenario's users: one at a time, or several. Knows no order and no greenlet."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol, cast

from loadgen.drive.clients.call_timer import CallTimer, SlotTimer
from loadgen.drive.clients.user_call import UserCall
from loadgen.drive.requests.call_result import CallResult, CallRow
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.pooled_slot import PooledConcurrentSlot, PooledSlot, SlotOwner
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.lifecycle import SENDING


class LastExchange(CallRow):
    """A slot's sink: passes rows on, and knows the exchange that ended last."""

    __slots__ = ("used",)

    used: Connection

    def call_result(self) -> CallResult:
        return self.result(self.used)


class CallSlotContext(Protocol):
    """What slots of calls need beside the slots' context."""

    timed: set[Any]
    """Slots for which --timeout does not count."""

    def new_slot(self) -> int:
        """The number of a slot that none had before."""


class CallSlot(PooledSlot):
    """Mixed into a pool's slot: each call gets its result, and is treated as its method demands."""

    __slots__ = ()

    _last: LastExchange

    @property
    def _call(self) -> UserCall:
        return cast(UserCall, self._user)

    def abandon(self, call: UserCall) -> None:
        """The user has stopped waiting for this call: end its exchange."""
        raise NotImplementedError

    def close_idle(self) -> None:
        if self.connection is not None and not self.connection.busy:
            super().close_idle()
            self._renumber()  # its user wants another connection next

    def serve(self, user: Any, due_ns: int, late_ns: int) -> None:
        call: UserCall = user
        call.slot = self
        super().serve(call, due_ns, late_ns)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        if connection is not self.connection:
            return  # the sink's disk is full, and all calls of this connection have heard of that
        self._last.used = connection
        try:
            super().exchange_done(connection, outcome, end_ns)
        except OSError as error:
            self._fail_all(connection, outcome, error)

    def done(self, outcome: int) -> None:
        call = self._call
        if call.error is None:
            call.result = self._last.call_result()  # before the connection's next response begins
        super().done(outcome)

    # Inside

    def _abandon_connection(self) -> None:
        """End the connection with all that is under way on it."""
        assert self.connection is not None, "there is one"
        self.connection.abandon()
        self._renumber()  # nobody could use that connection again

    def _renumber(self) -> None:
        """From now on it is another slot, which needs another connection with the best reuse too."""
        self.index = cast(CallSlotContext, self._context).new_slot()

    def _carried(self) -> list[UserCall]:
        """The calls that it has."""
        return [self._call]

    def _fail_all(self, connection: Connection, outcome: int, error: OSError) -> None:
        """The sink's disk is full: the greenlets raise that, for else they would wait for ever."""
        self._abandon_unrecorded(connection)
        for call in self._carried():
            call.error = error
            self._assign(call, ABSENT)
            self.done(outcome)

    def _finish(self, connection: Connection, is_last: bool) -> None:
        super()._finish(connection, is_last)
        self._share_session()

    def _end(self, connection: Connection, ending: Ending) -> None:
        super()._end(connection, ending)
        self._share_session()

    def _share_session(self) -> None:
        if isinstance(self.user_state, UserCall):
            self.user_state.share_session()


class SequentialCallSlot(CallSlot):
    """One call at a time."""

    __slots__ = ("_last", "_timed")

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(pool, context, index, user_state)
        self._timed = cast(CallSlotContext, context).timed
        self._sink = self._last = LastExchange(context.sink)

    def serve(self, user: Any, due_ns: int, late_ns: int) -> None:
        # Non-idempotent requests are never retried: treat them as already retried (RFC 9110 §9.2.2).
        self._retrying = not user.is_idempotent
        if user.timeout_s:
            user.timer = SlotTimer(self, user.timeout_s, self._timed)
        if self.connection is not None:
            self.connection.reader.no_body = user.is_head
        super().serve(user, due_ns, late_ns)

    def abandon(self, call: UserCall) -> None:
        if self.connection is not None and self.connection.busy:
            self._abandon_connection()

    def _open(self, scheduled_ns: int) -> None:
        super()._open(scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = self._call.is_head


class ConcurrentCallSlot(CallSlot, PooledConcurrentSlot):
    """Several calls at a time, in the streams of HTTP/2 or in a pipeline."""

    __slots__ = ("_last",)

    def __init__(self, pool: SlotOwner, context: SlotContext, index: int, user_state: UserState) -> None:
        super().__init__(pool, context, index, user_state)
        self._sink = self._last = LastExchange(context.sink)

    def serve(self, user: Any, due_ns: int, late_ns: int) -> None:
        if user.timeout_s:
            user.timer = CallTimer(user.timeout_s, partial(self._expire, user))
        super().serve(user, due_ns, late_ns)
        self._expect_head()

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        super().exchange_done(connection, outcome, end_ns)
        self._expect_head()

    def abandon(self, call: UserCall) -> None:
        waiting = self._repeats.waiting
        for entry in [entry for entry in waiting if entry[1][0] is call]:
            waiting.remove(entry)
        self._end_exchange(call, ErrorKind.UNFINISHED, "interrupted")

    # Inside

    def _expire(self, call: UserCall) -> None:
        """The time of this call is over."""
        self._end_exchange(call, ErrorKind.RESPONSE_TIMEOUT, "no answer within the time allowed")

    def _end_exchange(self, call: UserCall, kind: ErrorKind, detail: str) -> None:
        """End the exchange of this call, alone where the protocol has a way to do so."""
        connection = self.connection
        indexes = [index for index, (user, _) in self._users_by_index.items() if user is call]
        if connection is None or not indexes:
            return
        if isinstance(connection, Http2Connection) and connection.state >= SENDING:
            connection.give_up(indexes[0], kind, detail)
        elif kind is ErrorKind.UNFINISHED:
            self._abandon_connection()
        else:
            connection.expire()

    def _carried(self) -> list[UserCall]:
        under_way = [user for user, _ in self._users_by_index.values()]
        again = [sender[0] for _, sender in self._repeats.waiting]
        self._users_by_index.clear()
        self._repeats.waiting.clear()
        return [self._call, *cast(list[UserCall], under_way + again)]

    def _send_again(self, connection: Connection) -> bool:
        return self._call.is_idempotent and super()._send_again(connection)

    def _expect_head(self) -> None:
        """In a pipeline the reader has to know whether the next response, in order, is one to HEAD."""
        connection = self.connection
        if connection is not None and self._policy.pipelines and self._users_by_index:
            next_call = cast(UserCall, self._users_by_index[next(iter(self._users_by_index))][0])
            connection.reader.no_body = next_call.is_head
