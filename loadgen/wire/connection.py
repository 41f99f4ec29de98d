"""One client connection: runs its life cycle over a transport and marks the phases of each exchange.

Driven by callbacks from the loop. It never retries, redirects or reconnects: what happens is told to the listener.
Knows no policy and no file.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Protocol

from loadgen.model.sample import ABSENT, ClosedBy, ConnectionFlag, ErrorKind
from loadgen.wire.errors import TlsFailure, kind_of, kind_of_close, kind_of_timeout
from loadgen.wire.head import Malformed
from loadgen.wire.http1 import ResponseReader
from loadgen.wire.lifecycle import (
    CLOSED,
    CONNECTING,
    HANDSHAKING,
    IDLE,
    RECEIVING,
    RESOLVING,
    SENDING,
    WAITING,
    Lifecycle,
)
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, READ_SIZE, WRITE, Address, Step, Transport, resolve

# A long body must not keep the loop from everybody else. What is left makes the transport readable again: OpenSSL is
# asked for whole records, so it holds nothing back.
_READS_A_TURN = 16

_FAILURES = (OSError, TlsFailure, Malformed)


class Pulse(Protocol):
    """When the kernel may first have had ready what the loop is handling now (ns)."""

    ready_ns: int


class Listener(Protocol):
    """Who owns a connection and is told what became of its exchanges."""

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        """The exchange under way ended: `outcome` is the status code, or -ErrorKind (then the connection is closed)."""

    def connection_lost(self, connection: Connection) -> None:
        """The connection was closed while idle, by the server or because it sent what nobody asked for."""


class Connection(Lifecycle):
    """One connection and its exchanges, one at a time.

    nth: how many exchanges began on it before the present one. lag_ns: the sum, over the events of the present
    exchange, of how late they were handled. handshake: durations (ns) of dns, connect, tls, upgrade, once known.
    failure: one line about the last error, for people.
    """

    __slots__ = (
        "_pulse", "_request", "_route", "_sent", "_transport", "bytes_received", "closed_by", "failure",
        "flags", "handshake", "lag_ns", "listener", "nth", "number", "opened_ns", "reader", "scheduled_ns",
    )  # fmt: skip

    def __init__(self, number: int, route: Route, listener: Listener, pulse: Pulse, reader: ResponseReader) -> None:
        super().__init__()
        self.number = number
        self.reader = reader
        self.nth = 0
        self.lag_ns = 0
        self.bytes_received = 0
        self.closed_by = ABSENT
        self.flags = 0
        self.handshake: tuple[int, int, int, int] | None = None
        self.failure = ""
        self._route = route
        self.listener = listener
        self._pulse = pulse
        self._transport: Transport
        self._sent = 0

    def open(self, request: bytes, scheduled_ns: int, session: Any = None) -> None:
        """Resolve if need be, connect, shake hands, and send `request`. `session`: a TLS session to offer."""
        self._request = request
        self.scheduled_ns = self.opened_ns = now = monotonic_ns()
        if scheduled_ns:
            self.scheduled_ns = scheduled_ns
        transport = self._transport = self._route.transport(session)
        if self._route.addresses:
            self._connect(transport, now)
        else:
            self.enter(RESOLVING, now)
            resolve(self._route.target.host, self._route.target.port, self._on_resolved)

    def exchange(self, request: bytes) -> None:
        """Send the next request on an idle connection."""
        self.nth += 1
        self.lag_ns = 0
        self.bytes_received = 0
        self._request = request
        now = self.scheduled_ns = monotonic_ns()
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
    def transport(self) -> Transport:
        return self._transport

    def peer_has_closed(self) -> bool:
        """Whether the server's side is closed by now; takes a look at the socket, so ask only where it matters."""
        try:
            return not self._transport.recv(1)
        except BlockingIOError:
            return False
        except _FAILURES:
            return True

    def close(self, by: ClosedBy = ClosedBy.CLIENT) -> None:
        """End the connection. Nothing is told to the listener: whoever calls this knows."""
        self.enter(CLOSED, monotonic_ns())
        self.closed_by = by
        self._transport.close()

    def expire(self) -> None:
        """The deadline of the exchange under way has passed."""
        self._fail(kind_of_timeout(self.state), "no answer within the time allowed", ClosedBy.CLIENT)

    def abandon(self) -> None:
        """The run ends while the exchange is under way."""
        self._fail(ErrorKind.UNFINISHED, "interrupted", ClosedBy.CLIENT)

    # Opening

    def _on_resolved(self, found: list[Address] | OSError) -> None:
        if self.state is CLOSED:
            return  # gave up while the resolver was still at it
        now = self._note_lag()
        if isinstance(found, OSError):
            self._fail(ErrorKind.DNS_FAILED, found.strerror or str(found), ClosedBy.CLIENT)
            return
        self._route.addresses[:] = found
        self._connect(self._transport, now)

    def _connect(self, transport: Transport, now: int) -> None:
        self.enter(CONNECTING, now)
        try:
            transport.connect(self._route.addresses[0])
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
            if step is Step.BEGIN_TLS:
                self.enter(HANDSHAKING, now)
                step = transport.establish()
        except _FAILURES as error:
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
        except _FAILURES as error:
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
        except _FAILURES as error:
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
        self.lag_ns += now - self._pulse.ready_ns
        self._read(now)

    def _read(self, now: int) -> None:
        """Take what the transport has, to the end of the response. What a listener raises is not caught."""
        recv = self._transport.recv
        complete = False
        for _ in range(_READS_A_TURN):
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
            except _FAILURES as error:
                self._on_failure(error)
                return
            if complete:
                self._complete(end)
                return
            if not data:
                self._on_end(end)
                return
            if self.state is IDLE:  # bytes that nobody asked for
                self._lose(ClosedBy.CLIENT)
                return

    def _complete(self, end: int) -> None:
        self.enter(IDLE, end)
        self.listener.exchange_done(self, self.reader.head.status, end)  # type: ignore[union-attr] # it is complete

    def _on_failure(self, error: Exception) -> None:
        """Reading failed."""
        if self.state is IDLE:
            self._lose(ClosedBy.SERVER)
        else:
            self._fail_by(error)

    def _on_end(self, end: int) -> None:
        """The server closed its side."""
        if self.state is IDLE:
            self._lose(ClosedBy.SERVER)
        elif self.state is RECEIVING and self.reader.finish():
            self._complete(end)
        else:
            kind = kind_of_close(self.state, self.nth > 0)
            self._fail(kind, "the server closed the connection", ClosedBy.SERVER)

    # Ending

    def _note_lag(self) -> int:
        now = monotonic_ns()
        self.lag_ns += now - self._pulse.ready_ns
        return now

    def _lose(self, by: ClosedBy) -> None:
        self.close(by)
        self.listener.connection_lost(self)

    def _fail_by(self, error: Exception) -> None:
        kind = kind_of(error, self.state, self.nth > 0)
        is_peers = isinstance(error, OSError) and self.state > CONNECTING
        detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._fail(kind, detail, ClosedBy.SERVER if is_peers else ClosedBy.CLIENT)

    def _fail(self, kind: ErrorKind, detail: str, by: ClosedBy) -> None:
        self.failure = detail
        self.close(by)
        if self.handshake is None:
            self.handshake = self.handshake_ns()
        self.listener.exchange_done(self, -kind, self.entered[CLOSED])
