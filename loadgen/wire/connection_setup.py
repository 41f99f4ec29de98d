"""How a client connection opens and ends: resolve, connect, tunnel, TLS; then close. Knows no request and no response.

Driven by callbacks from the loop. It never retries, redirects or reconnects: it reports what happened to its listener.
A phase begins just before its system call, and ends when the kernel told of its event; what the generator does between
two phases is its own time, in neither of them.
"""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.errors import FAILURES, ending_of, kind_of, kind_of_timeout, was_opened
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, CONNECTING, HANDSHAKING, RESOLVING, TUNNELLING, Lifecycle
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import (
    BEGIN_TLS,
    BEGIN_TUNNEL,
    OPEN,
    READ,
    WANT_READ,
    WRITE,
    SocketAddress,
    Transport,
)

# Integers of C, where compiled.
_CONNECTING, _TUNNELLING, _HANDSHAKING = int(CONNECTING), int(TUNNELLING), int(HANDSHAKING)
_CLOSED = int(CLOSED)
_ESTABLISHED = int(ConnectionFlag.ESTABLISHED)


_NEVER_NS = 1 << 62


class NoTransport(Transport):
    """That of a connection which waits to be opened: it can only be closed."""

    __slots__ = ()

    def close(self) -> None:
        pass

    def send(self, data: bytes | memoryview) -> int:
        return len(data)  # nobody is there to be told of an end


_NOT_YET = NoTransport(bytearray())


class ConnectionSetup(Lifecycle):
    """A connection without its exchanges. Subclasses say what to send once it is open, and how to read."""

    __slots__ = (
        "_clock", "_request", "_route", "_transport", "address", "begun_ns", "connect_delay_ns", "continue_wait_ns",
        "ending", "failure", "flags", "handshake", "is_sampled", "lag_ns", "listener", "number", "opened_ns",
        "queue_ns", "reader", "request_index", "scheduled_ns", "user", "wait_delay_ns",
    )  # fmt: skip

    offers_h2 = False
    """HTTP/2 is offered by ALPN, where there is TLS."""

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        Lifecycle.__init__(self)
        self.number = number
        # Whose it is: of several client certificates, users take them in turns.
        self.user = 0
        self.listener = listener
        self.reader = reader
        # Of the present exchange: how many began before it on this connection,
        self.request_index = 0
        # when it was due, when it got this connection, and the time between (ABSENT where there was none),
        self.scheduled_ns = self.begun_ns = 0
        self.queue_ns = ABSENT
        # and how late its events were handled, summed.
        self.lag_ns = 0
        # Of the connection: when it began to open; its ConnectionFlags; how it came to its end,
        self.opened_ns = 0
        self.flags = 0
        self.ending = Ending.NOT_OPENED
        # the durations (ns) of dns, connect, tunnel, tls and upgrade, once known,
        self.handshake: tuple[int, int, int, int, int] | None = None
        # where it goes, once that is known,
        self.address: SocketAddress | None = None
        # and one line about its last error, for people.
        self.failure = ""
        # To be set: the kernel is asked when things happened, to see what the stamps hide.
        self.is_sampled = False
        # Then, how late the ends of `connect` and of the present exchange's `wait` were stamped, by the kernel's clock.
        self.connect_delay_ns = self.wait_delay_ns = ABSENT
        # The part of the present exchange's `send` in which its body waited for 100 Continue.
        self.continue_wait_ns = ABSENT
        self._route = route
        self._clock = clock
        self._request: Any = None
        self._transport: Transport = None  # type: ignore[assignment] # until it is opened

    def open(self, request: Any, scheduled_ns: int = 0, session: Any = None, look_up: bool = False) -> None:
        """Resolve if need be, connect, shake hands, and send `request`.

        scheduled_ns: when it was due, 0 for now. session: a TLS session to offer. look_up: resolve in any case.
        """
        self._request = request
        now = self._clock.monotonic_ns()
        self.scheduled_ns = self.begun_ns = self.opened_ns = now
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
            self.queue_ns = now - scheduled_ns
        route = self._route
        transport = self._transport = route.transport(session, self.offers_h2, self.user, request)
        transport.stamps_arrivals = self.is_sampled
        transport.options = route.socket_options
        if route.has_addresses(now, look_up):
            self._connect(route.next_address(), now)
        else:
            self.enter(RESOLVING, self._clock.monotonic_ns(), now)
            route.look_up(self._on_resolved)

    def defer(self) -> None:
        """It is opened later; until then it has no deadline, and may be abandoned."""
        self._transport = _NOT_YET
        self.begun_ns = _NEVER_NS
        self.scheduled_ns = self.opened_ns = self._clock.monotonic_ns()

    @property
    def transport(self) -> Transport:
        return self._transport

    def close(self, ending: Ending) -> None:
        """End the connection. The listener hears nothing of it: the caller knows."""
        self.enter(_CLOSED, self._clock.monotonic_ns())
        self.ending = ending
        if self._route.proxy_tls is not None:
            self.flags |= getattr(self._transport, "proxy_flags", 0)  # one that waits to be opened has none
        self._transport.close()

    def expire(self) -> None:
        """The deadline of the present exchange has passed."""
        self._fail(kind_of_timeout(self.state), "no answer within the time allowed")

    def abandon(self) -> None:
        """The run ends before the present exchange does."""
        self._fail(ErrorKind.UNFINISHED, "interrupted")

    # For subclasses

    def _send(self, left_ns: int) -> None:
        """The connection is open since `left_ns`: send the first request."""
        raise NotImplementedError

    def _on_readable(self) -> None:
        """The transport of the open connection has bytes, or has been closed."""
        raise NotImplementedError

    def _note_lag(self) -> int:
        """The time now (ns), once its distance from the moment at which the kernel was ready is counted as lag."""
        now = self._clock.monotonic_ns()
        self.lag_ns += now - self._clock.ready_ns
        return now

    def _left_ns(self, now: int) -> int:
        """When the kernel told of the event that is being handled `now`, and so ended the present phase."""
        polled = self._clock.polled_ns
        # A phase that began in this turn of the loop was not over when its events were told of.
        return polled if self._entered[self.state] <= polled <= now else now

    def _lose(self, ending: Ending) -> None:
        """End an idle connection, and report that."""
        self.close(ending)
        self.listener.connection_lost(self)

    def _fail_by(self, error: Exception) -> None:
        """The present exchange failed by an exception that is one of FAILURES."""
        state, reused = self._place_of_close()
        kind = kind_of(error, state, reused, self._sent_some())
        if self.state == _CONNECTING and was_opened(kind):
            self.flags |= _ESTABLISHED
        detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._fail(kind, detail, ending_of(error, state, reused))

    def _place_of_close(self) -> tuple[int, bool]:
        """What the kind of a close by the server depends on: the state, and whether it may have come while idle."""
        return self.state, self.request_index > 0

    def _sent_some(self) -> bool:
        """Some bytes of the present request were sent."""
        return False

    def _fail(self, kind: ErrorKind, detail: str, ending: Ending | None = None) -> None:
        """The present exchange failed, and the connection ends with it: by `ending`, or as usual for its kind."""
        self.failure = detail
        if self.state == _CONNECTING and self._transport.was_connected():
            # The kernel has not told of it yet, and the server has accepted it.
            self.flags |= _ESTABLISHED
        if not self.flags & _ESTABLISHED:
            ending = Ending.NOT_OPENED
        self.close(kind.ending if ending is None else ending)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        self.listener.exchange_done(self, -kind, self._entered[_CLOSED])

    # Inside

    def _on_resolved(self, found: list[SocketAddress] | OSError) -> None:
        if self.state == _CLOSED:
            return  # given up while the resolver was still at work
        now = self._note_lag()
        if isinstance(found, OSError):
            self._fail(ErrorKind.DNS_FAILED, found.strerror or str(found))
            return
        try:
            address = self._route.set_addresses(found, now)
        except OSError as error:
            self._fail(ErrorKind.DNS_FAILED, f"{error.strerror}")
            return
        self._connect(address, now)

    def _connect(self, address: SocketAddress, left_ns: int) -> None:
        self.address = address
        try:
            if self._route.race_delay_ns:
                begun = self._transport.connect(address, self._on_raced)
            else:
                begun = self._transport.connect(address, self._on_step)
        except OSError as error:
            self.enter(_CONNECTING, self._clock.monotonic_ns(), left_ns)
            self._fail_by(error)
        else:
            self.enter(_CONNECTING, begun, left_ns)

    def _on_raced(self) -> None:
        """One of the addresses has answered, or none: go on with its stream. `connect` began with the first attempt."""
        race: Any = self._transport
        self.address = race.address
        self._transport = race.settled
        self._on_step()
        if self.connect_delay_ns > 0:  # the kernel measures the attempt that has won, and this was from the first on
            self.connect_delay_ns = max(0, self.connect_delay_ns - race.delay_ns)

    def _on_step(self) -> None:
        """The transport can take its next step towards being open."""
        transport = self._transport
        if self.state == _CONNECTING and transport.connected_ns:
            left = transport.connected_ns  # since then it is the generator's own work, and no event is late
        else:
            left = self._left_ns(self._note_lag())
        try:
            step = transport.establish()
            if self.state == _CONNECTING:
                self.flags = _ESTABLISHED
                if self.is_sampled:
                    self._sample_connect(left)
            if step is BEGIN_TUNNEL:
                left = self._begin(_TUNNELLING, left)
                step = transport.establish()
            if step is BEGIN_TLS:
                left = self._begin(_HANDSHAKING, left)
                step = transport.establish()
        except FAILURES as error:
            self._fail_by(error)
            return
        if step is OPEN:
            if self.state == _HANDSHAKING:
                left = self._clock.monotonic_ns()
                self.flags |= ConnectionFlag.TLS | (ConnectionFlag.TLS_RESUMED if transport.resumed else 0)  # type: ignore[attr-defined] # only TLS has this state
            elif self.state == _TUNNELLING and self._route.proxy_tls is not None:
                left = self._clock.monotonic_ns()  # as with TLS: what the handshake with the proxy computes is of it
            transport.watch(READ, self._on_readable)
            if self._route.sends_early:
                self._send_early(left)
            else:
                self._send(left)
        else:
            transport.watch(READ if step is WANT_READ else WRITE, self._on_step)

    def _send_early(self, left_ns: int) -> None:
        """Send what may be early data: the transport knows what became of it, and what it had to send again."""
        transport = self._transport
        self.flags |= getattr(transport, "early_flags", 0)  # another transport where there was no session to offer
        self._send(left_ns)
        self.flags |= getattr(transport, "early_flags", 0)

    def _begin(self, state: int, left_ns: int) -> int:
        """The next phase of the handshake begins now; the one before ended at `left_ns`. Gives the time now."""
        now = self._clock.monotonic_ns()
        self.enter(state, now, left_ns)
        return now

    def _sample_connect(self, left_ns: int) -> None:
        if self._transport.connected_ns:  # stamped as connect(2) returned: what more that took is the kernel's own
            self.connect_delay_ns = 0
            return
        rtt_ns = self._transport.first_rtt_ns()
        if rtt_ns >= 0:
            self.connect_delay_ns = max(0, left_ns - self._entered[_CONNECTING] - rtt_ns)
