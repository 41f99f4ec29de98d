"""One client connection: runs its life cycle over a transport and marks the phases of each exchange.

Driven by callbacks from the loop. It never retries, redirects or reconnects: what happens is told to the listener.
Knows no policy and no file.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Protocol

from loadgen.model.records import ABSENT, ConnectionFlag, Ending, ErrorKind
from loadgen.wire.errors import FAILURES, ending_of, kind_of, kind_of_close, kind_of_timeout
from loadgen.wire.http1.head import UNTIL_CLOSE
from loadgen.wire.http1.messages import ResponseReader
from loadgen.wire.lifecycle import (
    CLOSED,
    CONNECTING,
    HANDSHAKING,
    IDLE,
    RECEIVING,
    RESOLVING,
    SENDING,
    TUNNELLING,
    WAITING,
    Lifecycle,
)
from loadgen.wire.route import Route
from loadgen.wire.transport import NOTHING, READ, READ_SIZE, WRITE, Address, LagClock, Step, Transport, resolve

# A long body must not keep the loop from everybody else. What is left makes the transport readable again: OpenSSL is
# asked for whole records, so it holds nothing back.
READS_A_TURN = 16


class Listener(Protocol):
    """Who owns a connection and is told what became of its exchanges."""

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        """The exchange under way ended: `outcome` is the status code, or -ErrorKind (then the connection is closed)."""

    def connection_lost(self, connection: Connection) -> None:
        """The connection was closed while idle, by the server or because it sent what nobody asked for."""


class Connection(Lifecycle):
    """One connection and its exchanges, one at a time.

    request_index: how many exchanges began on it before the present one. scheduled_ns: when the present one was due;
    begun_ns: when it got this connection; queue_ns: the time between, ABSENT where none was. lag_ns: the sum, over the
    events of the present exchange, of how late they were handled. handshake: durations (ns) of dns, connect, tunnel,
    tls and upgrade, once known. ending: how it came to its end. failure: one line about the last error, for people.
    ignores_close: a close of the server's while idle is not taken for the end. after_close: the server said or did
    close.
    """

    __slots__ = (
        "_lag_clock",
        "_request",
        "_route",
        "_sent",
        "_transport",
        "after_close",
        "begun_ns",
        "bytes_received",
        "ending",
        "failure",
        "flags",
        "handshake",
        "ignores_close",
        "lag_ns",
        "listener",
        "number",
        "opened_ns",
        "queue_ns",
        "reader",
        "request_index",
        "scheduled_ns",
    )  # fmt: skip

    offers_h2 = False
    """HTTP/2 is offered by ALPN, where there is TLS."""
    mismatched_echoes = 0
    """Answers that were no echo, where echoes are expected."""
    said_close = False
    """A request asked the server to close, where a policy's protocol has no such option."""

    def __init__(
        self, number: int, route: Route, listener: Listener, lag_clock: LagClock, reader: ResponseReader
    ) -> None:
        super().__init__()
        self.number = number
        self.reader = reader
        self.request_index = 0
        self.lag_ns = 0
        self.bytes_received = 0
        self.queue_ns = ABSENT
        self.ending = Ending.NOT_OPENED
        self.ignores_close = self.after_close = False
        self.flags = 0
        self.handshake: tuple[int, int, int, int, int] | None = None
        self.failure = ""
        self._route = route
        self.listener = listener
        self._lag_clock = lag_clock
        self._transport: Transport
        self._sent = 0

    def open(self, request: Any, scheduled_ns: int = 0, session: Any = None, look_up: bool = False) -> None:
        """Resolve if need be, connect, shake hands, and send `request`.

        scheduled_ns: when it was due, 0 for now. session: a TLS session to offer. look_up: resolve in any case.
        """
        self._request: Any = request
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

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        """Send the next request, due at `scheduled_ns` (0 for now), on an idle connection."""
        self.request_index += 1
        self.lag_ns = 0
        self.bytes_received = 0
        self._request = request
        now = self.scheduled_ns = self.begun_ns = monotonic_ns()
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
            self.queue_ns = now - scheduled_ns
        elif self.queue_ns >= 0:
            self.queue_ns = ABSENT
        if self.after_close:
            self._transport.watch(READ, self._on_readable)
        self._send(now)

    @property
    def bytes_sent(self) -> int:
        """Octets of the present request that the transport took."""
        return self._sent

    @property
    def busy(self) -> bool:
        """An exchange is under way."""
        return self.state < IDLE

    @property
    def reusable(self) -> bool:
        """The exchange just done leaves the connection fit for another one (RFC 9112 §9.3)."""
        head = self.reader.head
        return head is not None and head.persists and not self.reader.excess and self._sent == len(self._request)

    @property
    def framed(self) -> bool:
        """Another request could be sent and its response told apart, whatever the server said of closing."""
        head = self.reader.head
        whole = head is not None and head.framing != UNTIL_CLOSE
        return whole and not self.reader.excess and self._sent == len(self._request)

    @property
    def transport(self) -> Transport:
        return self._transport

    def overdue(self, oldest_ns: int) -> bool:
        """Something that began before `oldest_ns` has not come to its end."""
        return self.busy and self.begun_ns < oldest_ns

    def farewell(self) -> bool:
        """Announce the end where the protocol has words for that by themselves; False where it has none."""
        return False

    @property
    def awaits_close(self) -> bool:
        """The server was told of the end and has an answer to give."""
        return False

    def peer_has_closed(self) -> bool:
        """Whether the server's side is closed by now; takes a look at the socket, so ask only where it matters."""
        try:
            return not self._transport.recv(1)
        except BlockingIOError:
            return False
        except FAILURES:
            return True

    def close(self, ending: Ending) -> None:
        """End the connection. Nothing is told to the listener: whoever calls this knows."""
        self.enter(CLOSED, monotonic_ns())
        self.ending = ending
        self._transport.close()

    def expire(self) -> None:
        """The deadline of the exchange under way has passed."""
        self._fail(kind_of_timeout(self.state), "no answer within the time allowed")

    def abandon(self) -> None:
        """The run ends while the exchange is under way."""
        self._fail(ErrorKind.UNFINISHED, "interrupted")

    # Opening

    def _on_resolved(self, found: list[Address] | OSError) -> None:
        if self.state is CLOSED:
            return  # gave up while the resolver was still at it
        now = self._note_lag()
        if isinstance(found, OSError):
            self._fail(ErrorKind.DNS_FAILED, found.strerror or str(found))
            return
        self._connect(self._transport, now, self._route.learn(found))

    def _connect(self, transport: Transport, now: int, address: Address) -> None:
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

    # Exchanging

    def _send(self, now: int) -> None:
        self.enter(SENDING, now)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        request = self._request
        try:
            sent = self._sent = self._transport.send(request)
        except BlockingIOError:
            sent = self._sent = 0
        except FAILURES as error:
            self._sent = 0
            self._fail_by(error)
            return
        if sent == len(request):
            self.enter(WAITING, monotonic_ns())
        else:
            self._transport.watch(READ | WRITE, self._on_sendable)

    def _on_sendable(self) -> None:
        """The rest of a request that did not fit the socket's buffer; the server may answer before it has it all."""
        self._note_lag()
        try:
            self._sent += self._transport.send(self._request[self._sent : self._sent + READ_SIZE])
        except BlockingIOError:
            pass
        except FAILURES as error:
            # A server that refuses a long body may have answered before it closed: read that first.
            self._transport.watch(READ, self._on_readable)
            self.failure = str(error)
            return
        if self._sent == len(self._request):
            if self.state is SENDING:
                self.enter(WAITING, monotonic_ns())
            self._transport.watch(READ, self._on_readable)
        else:
            self._read(monotonic_ns())

    def _on_readable(self) -> None:
        now = monotonic_ns()
        self.lag_ns += now - self._lag_clock.ready_ns
        self._read(now)

    def _read(self, now: int) -> None:
        """Take what the transport has, to the end of the response. What a listener raises is not caught."""
        recv = self._transport.recv
        complete = False
        for _ in range(READS_A_TURN):
            try:
                data = recv(READ_SIZE)
                end = monotonic_ns()
                if data and self.state is not IDLE:
                    if self.state is not RECEIVING:
                        self.enter(RECEIVING, now)
                    self.bytes_received += len(data)
                    complete = self.reader.feed(data)
            except BlockingIOError:
                return
            except FAILURES as error:
                self._on_failure(error)
                return
            if complete:
                self._complete(end)
                return
            if not data:
                self._on_end(end)
                return
            if self.state is IDLE:  # bytes that nobody asked for
                self._lose(Ending.CLIENT_GAVE_UP)
                return

    def _complete(self, end: int) -> None:
        self.enter(IDLE, end)
        self.listener.exchange_done(self, self.reader.head.status, end)  # type: ignore[union-attr] # it is complete

    def _on_failure(self, error: Exception) -> None:
        """Reading failed."""
        if self.state is IDLE:
            self._on_idle_close(Ending.SERVER_IDLE_RST if isinstance(error, OSError) else Ending.SERVER_IDLE_FIN)
        else:
            self._fail_by(error)

    def _on_end(self, end: int) -> None:
        """The server closed its side."""
        if self.state is IDLE:
            self._on_idle_close(Ending.SERVER_IDLE_FIN)
        elif self.state is RECEIVING and self.reader.finish():
            self._complete(end)
        else:
            self._fail(kind_of_close(self.state, self.request_index > 0), "the server closed the connection")

    def _on_idle_close(self, ending: Ending) -> None:
        if self.ignores_close:
            self.after_close = True
            self.ending = ending
            self._transport.watch(NOTHING, self._on_readable)
        else:
            self._lose(ending)

    # Ending

    def _note_lag(self) -> int:
        now = monotonic_ns()
        self.lag_ns += now - self._lag_clock.ready_ns
        return now

    def _lose(self, ending: Ending) -> None:
        self.close(ending)
        self.listener.connection_lost(self)

    def _fail_by(self, error: Exception) -> None:
        kind = kind_of(error, self.state, self.request_index > 0)
        detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._fail(kind, detail, isinstance(error, OSError))

    def _fail(self, kind: ErrorKind, detail: str, reset: bool = False) -> None:
        self.failure = detail
        self.close(ending_of(kind, reset) if self.flags & ConnectionFlag.ESTABLISHED else Ending.NOT_OPENED)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        self.listener.exchange_done(self, -kind, self.entered[CLOSED])
