"""A place for one connection: opens it, reuses it as the policy says, ends it, records what happened on it.

What is sent on it and when, its subclasses decide: a user's own line, a slot of a pool, a pipeline.
"""

from __future__ import annotations

from time import monotonic, monotonic_ns
from typing import Any, Protocol

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.pause import OneShotTimer
from loadgen.model.errors import ErrorKind
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.model.trailers import TrailerCounts
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.lifecycle import CLOSED

# Whoever's request failed rests this long: a target that refuses everything must not be hammered at full speed.
_PAUSE_AFTER_ERROR_S = 0.01


def rest_after(outcome: int, think_s: float) -> float:
    """How long (s) a user rests after an exchange. A stale connection says nothing against the target."""
    if outcome < 0 and outcome != -ErrorKind.STALE_CONNECTION:
        return max(think_s, _PAUSE_AFTER_ERROR_S)
    return think_s


class SampleSink(Protocol):
    """Where rows go; the fields are those of model/records.py."""

    def exchange(self, *row: int) -> None: ...

    def connection(self, *row: int) -> None: ...


class SlotContext(Protocol):
    """What the lines of a block share: the worker, seen from below."""

    sink: SampleSink
    policy: ConnectionPolicy
    think_s: float
    gap_s: float
    running: bool
    retries_stale: bool
    takes_cookies: bool
    url: str
    errors: int
    retried: int
    after_close_tried: int
    after_close_answered: int
    last_failure: tuple[ErrorKind, str] | None
    observed: dict[str, Any]
    trailers: TrailerCounts

    def new_connection(self, listener: Listener) -> Connection: ...

    def record_connection(self, slot: int, connection: Connection) -> None: ...

    def rested(self) -> None: ...

    def note_first(self, head: ResponseHead) -> None: ...

    def closing(self, connection: Connection) -> None: ...

    def linger(self, slot: int, connection: Connection) -> None: ...

    def lingered(self, slot: int, linger: CloseWait) -> None: ...


class ConnectionSlot:
    """Owns at most one connection and runs one exchange at a time on it, for `client`. index: its slot in the block."""

    __slots__ = (
        "_context",
        "_expires",
        "_limit",
        "_policy",
        "_record",
        "_retrying",
        "client",
        "connection",
        "index",
        "late_ns",
    )

    def __init__(self, context: SlotContext, index: int, client: UserState) -> None:
        self._context = context
        self._record = context.sink.exchange
        # For each request a policy without limits in time pays two comparisons and no call.
        self._policy = context.policy
        self._limit = context.policy.requests
        self._expires = bool(context.policy.limits)
        self._retrying = False
        self.index = index
        self.client = client
        self.connection: Connection | None = None
        self.late_ns = ABSENT

    def send(self, scheduled_ns: int) -> None:
        """Send the client's request, due at `scheduled_ns` (0 for now), on the connection at hand or on a new one."""
        connection = self.connection
        if connection is not None:
            if self._expires and not self._policy.may_reuse(connection, monotonic_ns()):
                self._end(connection, Ending.CLIENT_SILENT)
            else:
                requests = self.client.requests
                if connection.after_close:
                    self._context.after_close_tried += 1
                connection.exchange(
                    requests.more if connection.request_index + 2 < self._limit else requests.last, scheduled_ns
                )
                return
        self._open(scheduled_ns)

    def knock(self, listener: Listener) -> None:
        """Send one request on a new connection whose events go to `listener` first."""
        self._open(0)
        if self.connection is not None:  # it may have failed at once
            self.connection.listener = listener

    def done(self, outcome: int) -> None:
        """The exchange ended, its connection is kept or gone: go on."""
        raise NotImplementedError

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        send, wait, receive = connection.exchange_ns(end_ns)
        self._record(
            connection.number, self.client.index, connection.request_index, connection.scheduled_ns,
            connection.queue_ns, self.late_ns, send, wait, receive, connection.lag_ns, outcome, connection.bytes_sent,
            connection.bytes_received,
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
        """The connection could carry more requests than the one at hand; a line sends one at a time."""

    @property
    def under_way(self) -> int:
        """How many of its requests will still be told of by `done`."""
        return 0 if self.connection is None else 1

    def close_idle(self) -> None:
        """The block is over: close the connection if nothing is under way on it."""
        if self.connection is not None and not self.connection.busy:
            self._finish(self.connection, is_last=False)

    # Inside

    def _open(self, scheduled_ns: int) -> None:
        context, client = self._context, self.client
        connection = self.connection = context.new_connection(self)
        request = client.requests.last if self._limit == 1 else client.requests.more
        connection.open(request, scheduled_ns, client.session, context.policy.resolves)

    def _failed(self, connection: Connection, outcome: int) -> None:
        context = self._context
        context.errors += 1
        context.last_failure = (ErrorKind(-outcome), connection.failure)
        if connection.state is CLOSED:
            self._drop(connection)
        elif (
            connection.request_index + 1 >= self._limit or not connection.reusable
        ):  # it failed alone: a stream of HTTP/2
            self._finish(connection, is_last=False)

    def _answered(self, connection: Connection) -> None:
        """Keep the connection for the next request, or end it."""
        self._note(connection)
        is_last = connection.request_index + 1 >= self._limit
        if is_last or not connection.reusable:
            if self._policy.keeps(connection):
                connection.after_close = True
            else:
                self._finish(connection, is_last)

    def _note(self, connection: Connection) -> None:
        """What a response says beside its status: cookies, trailers, how long the server will keep the connection."""
        context = self._context
        reader = connection.reader
        head = reader.head
        assert head is not None
        if reader.trailers:
            context.trailers.note(reader.trailers)
        if head.sets_cookies and context.takes_cookies:
            self.client.take_cookies(head, context.url)
        # A connection's first response speaks of all of it: `max` counts down.
        if connection.request_index == 0:
            context.note_first(head)
        elif connection.after_close:
            context.after_close_answered += 1

    def _finish(self, connection: Connection, is_last: bool) -> None:
        """End a connection after a complete response; `is_last`: its request was sent as the last one."""
        context = self._context
        context.closing(connection)
        head = connection.reader.head
        persists = head is not None and head.persists
        if (is_last and context.policy.asks_for_close) or connection.requested_close:
            if persists and not connection.peer_has_closed():
                self._keep_session(connection)
                self.connection = None
                context.linger(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        else:
            ending = Ending.CLIENT_SILENT if persists or head is None else Ending.SERVER_ANNOUNCED
            if connection.ending is not Ending.NOT_OPENED:  # the server ended it before us, and we did not care
                ending = connection.ending
        self._end(connection, ending)

    def _end(self, connection: Connection, ending: Ending) -> None:
        self._keep_session(connection)
        if ending is Ending.CLIENT_SILENT and self._context.policy.announces and connection.announce_close():
            if connection.awaits_close:
                self.connection = None
                self._context.linger(self.index, connection)
                return
            ending = Ending.CLIENT_ANNOUNCED
        connection.close(ending)
        self._drop(connection)

    def _keep_session(self, connection: Connection) -> None:
        if self._context.policy.resumes_tls:
            self.client.session = connection.transport.session  # type: ignore[attr-defined] # such policies need TLS

    def _drop(self, connection: Connection) -> None:
        self.connection = None
        self._context.record_connection(self.index, connection)


class ClosedLoopUser(ConnectionSlot):
    """One closed-loop client on a line of its own: sends, waits for the whole response, thinks, repeats."""

    __slots__ = ("_pause",)

    def __init__(self, context: SlotContext, index: int, client: UserState) -> None:
        super().__init__(context, index, client)
        self._pause = OneShotTimer(self.begin)

    def begin(self) -> None:
        """Send the next request."""
        self.send(0)

    def done(self, outcome: int) -> None:
        context = self._context
        if not context.running:
            context.rested()
            return
        rest_s = rest_after(outcome, context.think_s)
        if context.gap_s > rest_s and self.connection is not None:
            rest_s = context.gap_s
        if rest_s:
            self.rest(rest_s)
        else:
            self.send(0)

    def rest(self, seconds: float) -> None:
        """Send the next request after `seconds`, or later where the connection at hand has to rest longer."""
        if self.connection is not None:  # the run's first user has one before its block begins
            seconds = max(seconds, self._context.gap_s)
        self._pause.begin(seconds)

    def leave(self) -> None:
        """The block is over: think no more, close what is idle."""
        self._pause.cancel()
        self.close_idle()


class CloseWait:
    """Watches a connection whose server was asked to close it and did not say that it would, for a short grace.

    due_s: when that ends (time.monotonic). is_over: it was found to have ended.
    """

    def __init__(self, context: SlotContext, slot: int, connection: Connection, grace_s: float) -> None:
        self.due_s = monotonic() + grace_s
        self.is_over = False
        self._context = context
        self._slot = slot
        self.connection = connection
        connection.listener = self

    def give_up(self, waited: bool) -> None:
        """The client closes. waited: the grace is over, and the server ignored the option."""
        if waited:
            self.connection.flags |= ConnectionFlag.IGNORED_CLOSE
        self.connection.close(Ending.CLIENT_ANNOUNCED)
        self._context.lingered(self._slot, self)

    def connection_lost(self, connection: Connection) -> None:
        """It did close, without a word, as it had been asked to."""
        connection.ending = Ending.CLIENT_ANNOUNCED
        self._context.lingered(self._slot, self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        raise AssertionError("nothing is sent on a connection that lingers")


class ServerObserver:
    """Listens in place of a line to its first exchange of the run, to note what kind of server answers."""

    def __init__(self, context: SlotContext, line: Listener) -> None:
        self._context = context
        self._line = line

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        if outcome > 0:
            self._context.observed = _observe(connection)
        connection.listener = self._line
        self._line.exchange_done(connection, outcome, end_ns)

    def connection_lost(self, connection: Connection) -> None:
        self._line.connection_lost(connection)

    def connection_ready(self, connection: Connection) -> None:
        """It is a pipeline; what is to be looked at goes alone."""


def _observe(connection: Connection) -> dict[str, Any]:
    head = connection.reader.head
    server = {name.lower(): value for name, value in head.headers}.get(b"server") if head else None
    describe = getattr(connection.transport, "describe", None)
    return {
        "http_version": head.version if head else None,
        "status": head.status if head else None,
        "server": server.decode("latin-1")[:200] if server else None,
        "keep_alive_timeout_s": head.keep_alive_timeout_s if head else None,
        "keep_alive_max": head.keep_alive_max if head else None,
        "tls": describe() if describe else None,
    }
