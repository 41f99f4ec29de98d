"""How a client connection opens and ends: resolve, connect, tunnel, TLS; then close. Knows no request and no response.

Driven by callbacks from the loop. It never retries, redirects or reconnects: it reports what happened to its listener.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Protocol

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.errors import FAILURES, ending_of, kind_of, kind_of_timeout
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, CONNECTING, HANDSHAKING, RESOLVING, TUNNELLING, Lifecycle
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, WRITE, LagClock, SocketAddress, Step, Transport, resolve


class Listener(Protocol):
    """The owner of a connection: hears how each exchange ended. It knows which class of connection it owns."""

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        """The present exchange ended: `outcome` is the status code, or -ErrorKind (then the connection is closed)."""

    def connection_lost(self, connection: Any) -> None:
        """The connection was closed while idle, by the server or because it sent bytes without a request."""


class NullListener:
    """Hears nothing: for a moment in which a connection reports its exchanges by other means."""

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        pass

    def connection_lost(self, connection: Any) -> None:
        pass


NULL_LISTENER = NullListener()


class ConnectionSetup(Lifecycle):
    """A connection without its exchanges. Subclasses say what to send once it is open, and how to read."""

    __slots__ = (
        "_lag_clock", "_request", "_route", "_transport", "begun_ns", "ending", "failure", "flags", "handshake",
        "lag_ns", "listener", "number", "opened_ns", "queue_ns", "reader", "request_index", "scheduled_ns",
    )  # fmt: skip

    offers_h2 = False
    """HTTP/2 is offered by ALPN, where there is TLS."""

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__()
        self.number = number
        self.listener = listener
        self.reader = reader
        # Of the present exchange: how many began before it on this connection,
        self.request_index = 0
        # when it was due, when it got this connection, and the time between (ABSENT where there was none),
        self.scheduled_ns: int
        self.begun_ns: int
        self.queue_ns = ABSENT
        # and how late its events were handled, summed.
        self.lag_ns = 0
        # Of the connection: when it began to open; its ConnectionFlags; how it came to its end,
        self.opened_ns: int
        self.flags = 0
        self.ending = Ending.NOT_OPENED
        # the durations (ns) of dns, connect, tunnel, tls and upgrade, once known,
        self.handshake: tuple[int, int, int, int, int] | None = None
        # and one line about its last error, for people.
        self.failure = ""
        self._route = route
        self._lag_clock = lag_clock
        self._request: Any
        self._transport: Transport

    def open(self, request: Any, scheduled_ns: int = 0, session: Any = None, look_up: bool = False) -> None:
        """Resolve if need be, connect, shake hands, and send `request`.

        scheduled_ns: when it was due, 0 for now. session: a TLS session to offer. look_up: resolve in any case.
        """
        self._request = request
        self.scheduled_ns = self.begun_ns = self.opened_ns = now = monotonic_ns()
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
            self.queue_ns = now - scheduled_ns
        transport = self._transport = self._route.transport(session, self.offers_h2)
        if self._route.addresses and not look_up:
            self._connect(transport, now, self._route.addresses[0])
        else:
            self.enter(RESOLVING, now)
            resolve(*self._route.peer, self._on_resolved)

    @property
    def transport(self) -> Transport:
        return self._transport

    def close(self, ending: Ending) -> None:
        """End the connection. The listener hears nothing of it: the caller knows."""
        self.enter(CLOSED, monotonic_ns())
        self.ending = ending
        self._transport.close()

    def expire(self) -> None:
        """The deadline of the present exchange has passed."""
        self._fail(kind_of_timeout(self.state), "no answer within the time allowed")

    def abandon(self) -> None:
        """The run ends before the present exchange does."""
        self._fail(ErrorKind.UNFINISHED, "interrupted")

    # For subclasses

    def _send(self, now: int) -> None:
        """The connection is open since `now`: send the first request."""
        raise NotImplementedError

    def _on_readable(self) -> None:
        """The transport of the open connection has bytes, or has been closed."""
        raise NotImplementedError

    def _note_lag(self) -> int:
        """The time now (ns), once its distance from the moment at which the kernel was ready is counted as lag."""
        now = monotonic_ns()
        self.lag_ns += now - self._lag_clock.ready_ns
        return now

    def _lose(self, ending: Ending) -> None:
        """End an idle connection, and report that."""
        self.close(ending)
        self.listener.connection_lost(self)

    def _fail_by(self, error: Exception) -> None:
        """The present exchange failed by an exception that is one of FAILURES."""
        kind = kind_of(error, self.state, self.request_index > 0)
        detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._fail(kind, detail, isinstance(error, OSError))

    def _fail(self, kind: ErrorKind, detail: str, reset: bool = False) -> None:
        """The present exchange failed, and the connection ends with it."""
        self.failure = detail
        self.close(ending_of(kind, reset) if self.flags & ConnectionFlag.ESTABLISHED else Ending.NOT_OPENED)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        self.listener.exchange_done(self, -kind, self.entered[CLOSED])

    # Inside

    def _on_resolved(self, found: list[SocketAddress] | OSError) -> None:
        if self.state is CLOSED:
            return  # given up while the resolver was still at work
        now = self._note_lag()
        if isinstance(found, OSError):
            self._fail(ErrorKind.DNS_FAILED, found.strerror or str(found))
            return
        self._connect(self._transport, now, self._route.set_addresses(found))

    def _connect(self, transport: Transport, now: int, address: SocketAddress) -> None:
        self.enter(CONNECTING, now)
        try:
            transport.connect(address)
        except OSError as error:
            self._fail_by(error)
        else:
            transport.watch(WRITE, self._on_step)

    def _on_step(self) -> None:
        """The transport can take its next step towards being open."""
        now = self._note_lag()
        transport = self._transport
        try:
            step = transport.establish()
            self.flags = ConnectionFlag.ESTABLISHED
            if step is Step.BEGIN_TUNNEL:
                self.enter(TUNNELLING, now)
                step = transport.establish()
            if step is Step.BEGIN_TLS:
                self.enter(HANDSHAKING, now)
                step = transport.establish()
        except FAILURES as error:
            self._fail_by(error)
            return
        if step is Step.OPEN:
            if self.state is HANDSHAKING:
                now = monotonic_ns()
                self.flags |= ConnectionFlag.TLS | (ConnectionFlag.TLS_RESUMED if transport.resumed else 0)  # type: ignore[attr-defined] # only TLS has this state
            transport.watch(READ, self._on_readable)
            self._send(now)
        else:
            transport.watch(READ if step is Step.WANT_READ else WRITE, self._on_step)
