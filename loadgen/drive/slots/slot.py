"""A slot: a place for one connection. Opens it, reuses it as the policy says, ends it and records what happened on it.

Subclasses decide what is sent on it and when: a closed-loop user, a slot of a pool, a pipeline.
"""

from __future__ import annotations

from time import monotonic_ns

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.lifecycle import CLOSED

# Back-off after a failed request, so that a target that refuses everything is not hammered.
_PAUSE_AFTER_ERROR_S = 0.01


def pause_after(outcome: int, think_s: float) -> float:
    """How long (s) a user waits after an exchange. A stale connection says nothing against the target."""
    if outcome < 0 and outcome != -ErrorKind.STALE_CONNECTION:
        return max(think_s, _PAUSE_AFTER_ERROR_S)
    return think_s


class ConnectionSlot:
    """Owns at most one connection and runs one exchange at a time on it."""

    __slots__ = (
        "_context",
        "_expires",
        "_limit",
        "_policy",
        "_retrying",
        "_sink",
        "connection",
        "index",
        "late_ns",
        "user_state",
    )

    def __init__(self, context: SlotContext, index: int, user_state: UserState) -> None:
        self._context = context
        self._sink = context.sink
        # For each request a policy without limits in time pays two comparisons and no call.
        self._policy = context.policy
        self._limit = context.policy.requests
        self._expires = bool(context.policy.limits)
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
            if self._expires and not self._policy.may_reuse(connection, monotonic_ns()):
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

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        send, wait, receive = connection.exchange_ns(end_ns)
        self._sink.exchange(
            connection.number, self.user_state.index, connection.request_index, connection.scheduled_ns,
            connection.queue_ns, self.late_ns, send, wait, receive, 0, connection.lag_ns, ABSENT, outcome,
            connection.bytes_sent, connection.bytes_received,
        )  # fmt: skip
        if outcome < 0:
            self._failed(connection, outcome)
        else:
            self._answered(connection)
        if outcome == -ErrorKind.STALE_CONNECTION and self._context.retries_stale and not self._retrying:
            # Once, on a new connection, and timed from when the first try was due: that is what the user waited.
            self._retrying = True
            self._context.retried += 1
            self._open(connection.scheduled_ns)
            return
        self._retrying = False
        self.done(outcome)

    def connection_lost(self, connection: Connection) -> None:
        self._drop(connection)

    def connection_ready(self, connection: Connection) -> None:
        """The connection could carry more requests than the present one; this slot sends one at a time."""

    @property
    def unfinished(self) -> int:
        """Number of requests for which `done` has yet to be called."""
        return 0 if self.connection is None else 1

    def close_idle(self) -> None:
        """Close the connection if no exchange is under way on it."""
        if self.connection is not None and not self.connection.busy:
            self._finish(self.connection, is_last=False)

    # Inside

    def _open(self, scheduled_ns: int) -> None:
        context, user_state = self._context, self.user_state
        connection = self.connection = context.new_connection(self)
        requests = user_state.requests
        request = requests.last if self._limit == 1 else requests.more
        connection.open(request, scheduled_ns, user_state.session, self._policy.resolves)

    def _failed(self, connection: Connection, outcome: int) -> None:
        context = self._context
        context.errors += 1
        context.last_failure = (ErrorKind(-outcome), connection.failure)
        if connection.state is CLOSED:
            self._drop(connection)
        elif connection.request_index + 1 >= self._limit or not connection.reusable:
            # The exchange failed and its connection did not: a stream of HTTP/2.
            self._finish(connection, is_last=False)

    def _answered(self, connection: Connection) -> None:
        """Keep the connection for the next request, or end it."""
        self._note(connection)
        if connection.request_index + 1 >= self._limit:
            self._finish(connection, is_last=True)
        elif not connection.reusable:
            if self._policy.keeps(connection):
                connection.after_close = True
            else:
                self._finish(connection, is_last=False)

    def _note(self, connection: Connection) -> None:
        """Note what a response says beside its status: cookies, trailers, how long the server keeps the connection."""
        context = self._context
        reader = connection.reader
        head = reader.head
        assert head is not None
        if reader.trailers:
            context.trailers.note(reader.trailers)
        if head.sets_cookies and context.takes_cookies:
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
        head = connection.reader.head
        persists = head is not None and head.persists
        if (is_last and self._policy.asks_for_close) or connection.requested_close:
            if persists and not connection.peer_has_closed():
                self._keep_session(connection)
                self.connection = None
                context.await_close(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        else:
            ending = Ending.CLIENT_SILENT if persists or head is None else Ending.SERVER_ANNOUNCED
            if connection.ending is not Ending.NOT_OPENED:  # the server ended it first, and this policy went on
                ending = connection.ending
        self._end(connection, ending)

    def _end(self, connection: Connection, ending: Ending) -> None:
        self._keep_session(connection)
        if ending is Ending.CLIENT_SILENT and self._policy.announces and connection.announce_close():
            if connection.awaits_close:
                self.connection = None
                self._context.await_close(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        connection.close(ending)
        self._drop(connection)

    def _keep_session(self, connection: Connection) -> None:
        if self._policy.resumes_tls:
            self.user_state.session = connection.transport.session  # type: ignore[attr-defined] # such policies need TLS

    def _drop(self, connection: Connection) -> None:
        self.connection = None
        self._context.record_connection(self.index, connection)
