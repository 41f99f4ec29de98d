"""One closed-loop client and what it does with its connection. Knows no block and no schedule."""

from __future__ import annotations

from typing import Any, Protocol

import gevent

from loadgen.model.sample import ClosedBy, ConnectionFlag, ErrorKind
from loadgen.wire.connection import Connection, Listener

# A user whose request failed rests this long: a target that refuses everything must not be hammered at full speed.
_PAUSE_AFTER_ERROR_S = 0.01


class Sink(Protocol):
    """Where rows go; the fields are those of model/sample.py."""

    def exchange(self, *row: int) -> None: ...

    def connection(self, *row: int) -> None: ...


class Crew(Protocol):
    """What the users of a block share: the worker, seen from below."""

    sink: Sink
    request: bytes
    reuses: bool
    resumes_tls: bool
    think_s: float
    running: bool
    errors: int
    last_failure: tuple[ErrorKind, str] | None
    observed: dict[str, Any]

    def new_connection(self, listener: Listener) -> Connection: ...

    def record_connection(self, user: int, connection: Connection) -> None: ...

    def rested(self) -> None: ...

    def linger(self, user: int, connection: Connection) -> None: ...

    def lingered(self, user: int, linger: Linger) -> None: ...


class User:
    """One closed-loop client: sends, waits for the whole response, thinks, repeats. Owns at most one connection."""

    __slots__ = ("_record", "_thinking", "_worker", "connection", "index", "session")

    def __init__(self, worker: Crew, index: int) -> None:
        self._worker = worker
        self._record = worker.sink.exchange
        self._thinking: Any = None
        self.index = index
        self.connection: Connection | None = None
        self.session: Any = None

    def begin(self) -> None:
        """Send the next request, on the connection at hand or on a new one."""
        connection = self.connection
        if connection is None:
            connection = self.connection = self._worker.new_connection(self)
            connection.open(self._worker.request, 0, self.session)
        else:
            connection.exchange(self._worker.request)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        send, wait, receive = connection.exchange_ns(end_ns)
        self._record(
            connection.number, connection.nth, connection.scheduled_ns, send, wait, receive, connection.lag_ns, outcome,
            connection.bytes_sent, connection.bytes_received,
        )  # fmt: skip
        worker = self._worker
        if outcome < 0:
            worker.errors += 1
            worker.last_failure = (ErrorKind(-outcome), connection.failure)
            self._drop(connection)
            rest_s = max(worker.think_s, _PAUSE_AFTER_ERROR_S)
        else:
            if not (worker.reuses and connection.reusable):
                self._finish(connection)
            rest_s = worker.think_s
        if not worker.running:
            worker.rested()
        elif rest_s:
            self.rest(rest_s)
        else:
            self.begin()

    def connection_lost(self, connection: Connection) -> None:
        self._drop(connection)

    def rest(self, seconds: float) -> None:
        """Begin the next request after `seconds`."""
        timer = self._thinking = gevent.get_hub().loop.timer(seconds)
        timer.start(self._rested)

    def leave(self) -> None:
        """The block is over: think no more, close what is idle."""
        if self._thinking is not None:
            self._thinking.close()
            self._thinking = None
        if self.connection is not None and not self.connection.busy:
            self._finish(self.connection)

    def _rested(self) -> None:
        self._thinking.close()
        self._thinking = None
        self.begin()

    def _finish(self, connection: Connection) -> None:
        """End a connection after a complete response."""
        worker = self._worker
        head = connection.reader.head
        by = ClosedBy.CLIENT
        if not worker.reuses:
            if head is not None and head.persists and not connection.peer_has_closed():
                self._keep_session(connection)
                self.connection = None
                worker.linger(self.index, connection)
                return
        elif head is not None and not head.persists:
            by = ClosedBy.SERVER  # it announced the end; we only follow
        self._keep_session(connection)
        connection.close(by)
        self._drop(connection)

    def _keep_session(self, connection: Connection) -> None:
        if self._worker.resumes_tls:
            self.session = connection.transport.session  # type: ignore[attr-defined] # such policies need TLS

    def _drop(self, connection: Connection) -> None:
        self.connection = None
        self._worker.record_connection(self.index, connection)


class Linger:
    """Watches a connection whose server was asked to close it and did not say that it would, for a short grace."""

    def __init__(self, worker: Crew, user: int, connection: Connection) -> None:
        self._worker = worker
        self._user = user
        self.connection = connection
        connection.listener = self

    def give_up(self) -> None:
        """The grace is over: the server ignored the option, and the client closes."""
        self.connection.flags |= ConnectionFlag.IGNORED_CLOSE
        self.connection.close()
        self._worker.lingered(self._user, self)

    def connection_lost(self, connection: Connection) -> None:
        """It did close, without a word."""
        self._worker.lingered(self._user, self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        raise AssertionError("nothing is sent on a connection that lingers")


class FirstLook:
    """Listens in place of a user to its first exchange of the run, to note what kind of server answers."""

    def __init__(self, worker: Crew, user: User) -> None:
        self._worker = worker
        self._user = user

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        if outcome > 0:
            self._worker.observed = _observe(connection)
        connection.listener = self._user
        self._user.exchange_done(connection, outcome, end_ns)

    def connection_lost(self, connection: Connection) -> None:
        self._user.connection_lost(connection)


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
