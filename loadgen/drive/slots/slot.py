"""A slot: a place for one connection. Opens it, reuses it as the policy says, ends it and records what happened on it.

Subclasses decide what is sent on it and when: a closed-loop user, a slot of a pool, a pipeline.
"""

from __future__ import annotations

from typing import Any

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.lifecycle import CLOSED, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import Listener

# Back-off after a failed request, so that a target that refuses everything is not hammered.
_PAUSE_AFTER_ERROR_S = 0.01
# Integers of C, where compiled.
_SENDING, _WAITING, _RECEIVING, _CLOSED, _ABSENT = int(SENDING), int(WAITING), int(RECEIVING), int(CLOSED), ABSENT
_LOWEST_REDIRECT = 300  # RFC 9110 §15.4
_STALE_OUTCOMES = frozenset(-kind for kind in ErrorKind if kind.is_stale)


def pause_after(outcome: int, think_s: float) -> float:
    """How long (s) a user waits after an exchange. A stale connection says nothing against the target."""
    if outcome < 0 and outcome not in _STALE_OUTCOMES:
        return max(think_s, _PAUSE_AFTER_ERROR_S)
    return think_s


class ConnectionSlot(Listener):
    """Owns at most one connection and runs one exchange at a time on it."""

    __slots__ = (
        "_announces", "_asks_for_close", "_context", "_expires", "_limit", "_policy", "_resolves", "_resumes_tls",
        "_retrying", "_sink", "connection", "index", "late_ns", "user_state",
    )  # fmt: skip

    def __init__(self, context: SlotContext, index: int, user_state: UserState) -> None:
        self._context = context
        self._sink = context.sink
        policy = self._policy = context.policy
        # Asked for each request or each connection: for a policy without limits in time that is two comparisons.
        self._limit = policy.requests
        self._expires = bool(policy.limits)
        self._asks_for_close = policy.asks_for_close
        self._announces = policy.announces
        self._resumes_tls = policy.resumes_tls
        self._resolves = policy.resolves
        self._retrying = False
        self.index = index
        """Its number in the block."""
        self.user_state = user_state
        """The user that the present request is sent for."""
        self.connection: Connection | None = None
        self.late_ns = ABSENT
        """How late the generator was with the present request, in an open loop."""

    def send(self, scheduled_ns: int) -> None:
        """Send the user's request, due at `scheduled_ns` (0 for now), on the present connection or on a new one."""
        connection = self.connection
        if connection is not None:
            if self._expires and not self._policy.may_reuse(connection, self._context.clock.monotonic_ns()):
                self._end(connection, Ending.CLIENT_SILENT)
            else:
                requests = self.user_state.requests
                if connection.after_close:
                    self._context.after_close_tried += 1
                connection.exchange(
                    requests.more if connection.request_index + 2 < self._limit else requests.last, scheduled_ns
                )
                return
        self._open(scheduled_ns)

    def send_first(self, listener: Listener) -> None:
        """Send one request on a new connection whose events go to `listener` first."""
        self._open(0)
        if self.connection is not None:  # it may have failed at once
            self.connection.listener = listener

    def done(self, outcome: int) -> None:
        """The exchange has ended, its connection is kept or gone: go on."""
        raise NotImplementedError

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        link: Connection = connection
        self._sink.exchange(
            link.number, self.user_state.index, link.request_index, link.scheduled_ns,
            link.queue_ns, self.late_ns, link.phase_ns(_SENDING), link.phase_ns(_WAITING),
            link.phase_ns(_RECEIVING), link.own_ns, link.lag_ns, link.wait_delay_ns, outcome,
            link.bytes_sent, link.bytes_received, link.continue_wait_ns,
        )  # fmt: skip
        context = self._context
        if link.scheduled_ns >= context.counted_from_ns:
            context.to_end -= 1
            if context.to_end == 0:
                context.all_ended()
        if outcome < 0:
            self._failed(link, outcome)
        else:
            self._answered(link)
        if outcome < 0 and outcome in context.retried_outcomes and self._send_again(link):
            return
        self._retrying = False
        self.done(outcome)

    def connection_lost(self, connection: Connection) -> None:
        self._drop(connection)

    @property
    def unfinished(self) -> int:
        """Number of requests for which `done` has yet to be called."""
        return 0 if self.connection is None else 1

    def close_idle(self) -> None:
        """Close the connection if no exchange is under way on it."""
        if self.connection is not None and not self.connection.busy:
            self._finish(self.connection, is_last=False)

    def close_unused(self) -> None:
        """Close the connection, on which no exchange is under way: it may not be used again."""
        assert self.connection is not None, "there is one"
        self._end(self.connection, Ending.CLIENT_SILENT)

    # Inside

    def _send_again(self, connection: Connection) -> bool:
        """Send a request of `connection` once more, on another one if that has ended; False where it is not.

        It is timed from when the first try was due: that is what the user waited.
        """
        if self._retrying or not self._context.may_repeat(connection.scheduled_ns):
            return False
        self._retrying = True
        self._context.note_retry()
        self.send(connection.scheduled_ns)
        return True

    def _open(self, scheduled_ns: int) -> None:
        context, user_state = self._context, self.user_state
        connection = self.connection = context.new_connection(self)
        connection.user = user_state.index
        requests = user_state.requests
        request = requests.last if self._limit == 1 else requests.more
        if context.pace is None:
            connection.open(request, scheduled_ns, user_state.session, self._resolves)
        else:
            context.pace.open(connection, request, scheduled_ns, user_state.session, self._resolves)

    def _failed(self, connection: Connection, outcome: int) -> None:
        context = self._context
        context.errors += 1
        context.last_failure = (ErrorKind(-outcome), connection.failure)
        if context.balance is not None and connection.address is not None:
            context.balance.failed(connection.address, context.clock.polled_ns)
        if connection.state == _CLOSED:
            self._drop(connection)
        elif connection.request_index + 1 >= self._limit or not connection.is_reusable():
            # The exchange failed and its connection did not: a stream of HTTP/2.
            self._finish(connection, is_last=False)

    def _answered(self, connection: Connection) -> None:
        """Keep the connection for the next request, or end it."""
        self._note(connection)
        if connection.request_index + 1 >= self._limit:
            self._finish(connection, is_last=True)
        elif not connection.is_reusable():
            if self._policy.keeps(connection):
                connection.after_close = True
            else:
                self._finish(connection, is_last=False)

    def _note(self, connection: Connection) -> None:
        """Note what a response says beside its status: cookies, trailers, how long the server keeps the connection."""
        context = self._context
        reader = connection.reader
        head = reader.head
        assert head is not None, "the response is complete"
        if context.balance is not None:
            context.balance.answered(connection.address, head, context.clock.polled_ns)
        if reader.status >= _LOWEST_REDIRECT:
            context.last_redirect = head
        if reader.notes:
            context.leniencies.note(reader.notes)
        if reader.trailers:
            context.trailers.note(reader.trailers)
        if reader.sets_cookies and context.takes_cookies:
            self.user_state.take_cookies(head, context.url)
        # Only a connection's first response counts: the Keep-Alive field's `max` counts down from there.
        if connection.request_index == 0:
            context.note_first_response(head)
        elif connection.after_close:
            context.after_close_answered += 1

    def _finish(self, connection: Connection, is_last: bool) -> None:
        """End a connection after a complete response; `is_last`: its request was sent as the last one."""
        context = self._context
        context.about_to_close(connection)
        reader = connection.reader
        persists = reader.persists
        if (is_last and self._asks_for_close) or connection.requested_close:
            if persists and not connection.peer_has_closed():
                self._keep_session(connection)
                self.connection = None
                context.await_close(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        else:
            ending = Ending.SERVER_ANNOUNCED
            if persists or reader.head is None:
                ending = Ending.CLIENT_SILENT
            elif reader.head.is_distrusted:
                ending = Ending.CLIENT_GAVE_UP
            if reader.has_extra_bytes:
                connection.note_extra()
                if ending is Ending.CLIENT_SILENT and not is_last:
                    ending = Ending.CLIENT_GAVE_UP
            # The server ended it first, and this policy may have gone on.
            if connection.ending is not Ending.NOT_OPENED:
                ending = connection.ending
        self._end(connection, ending)

    def _end(self, connection: Connection, ending: Ending) -> None:
        self._keep_session(connection)
        if ending is Ending.CLIENT_SILENT and self._announces and connection.announce_close():
            if connection.awaits_close:
                self.connection = None
                self._context.await_close(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        connection.close(ending)
        self._drop(connection)

    def _keep_session(self, connection: Connection) -> None:
        if self._resumes_tls:
            self.user_state.session = connection.transport.session  # type: ignore[attr-defined] # such policies need TLS

    def _drop(self, connection: Connection) -> None:
        self.connection = None
        self._context.record_connection(self.index, connection)

    def _abandon_unrecorded(self, connection: Connection) -> None:
        """Close a connection that can't be recorded: the sink's disk is full."""
        self.connection = None
        if connection.state != _CLOSED:
            connection.close(Ending.CLIENT_SILENT)
