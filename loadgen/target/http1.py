"""A connection that speaks HTTP/1.x, and may be upgraded to another protocol. Knows no listening socket.

Requests are answered in order, one at a time (RFC 9112 §9.3.2).
"""

from __future__ import annotations

from typing import Any, TypeVar

from loadgen.target.answers import malformed
from loadgen.target.connection import ServerConnection, ServerContext, service_timer
from loadgen.target.http2 import Http2ServerConnection
from loadgen.target.http2_rules import PREFACE, client_settings
from loadgen.target.requests import BODY, HeadReader, Request
from loadgen.target.websocket import WebSocketServerConnection
from loadgen.wire.errors import TlsFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import READ, WRITE, Step, TcpTransport

_Successor = TypeVar("_Successor", bound=ServerConnection)

_MAX_BODY_BYTES = 1 << 30
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


class Http1ServerConnection(ServerConnection):
    """What every connection is at first. Where the peer begins with HTTP/2's preface it does not stay so."""

    __slots__ = ("_begun", "_delay", "_reader", "_secure")

    def __init__(self, house: ServerContext, transport: TcpTransport) -> None:
        super().__init__(house, transport)
        self._reader = HeadReader(_MAX_BODY_BYTES)
        self._delay: Any = None
        self._secure = isinstance(transport, TlsTransport)
        # Over TLS, HTTP/2 takes ALPN (RFC 9113 §3.2); in clear the first octets tell.
        self._begun = b"" if not self._secure and "h2" not in house.behaviour.declines else None

    @property
    def busy(self) -> bool:
        return self._delay is not None or bool(self._unsent)

    def begin_tls(self) -> None:
        """Take the next step of the TLS handshake."""
        transport = self.transport
        try:
            step = transport.establish()
        except (OSError, TlsFailure):
            self.close()
            return
        if step is not Step.OPEN:
            transport.watch(READ if step is Step.WANT_READ else WRITE, self.begin_tls)
        elif isinstance(transport, TlsTransport) and transport.alpn == "h2":
            self._become(Http2ServerConnection(self._house, transport)).begin(b"")
        else:
            transport.watch(READ, self.on_readable)
            self.on_readable()

    def close(self) -> None:
        if self._delay is not None:
            self._delay.close()
            self._delay = None
        super().close()

    def _received(self, data: bytes) -> None:
        if self._begun is not None:
            data = self._begun + data
            if PREFACE.startswith(data[: len(PREFACE)]):
                if len(data) < len(PREFACE):
                    self._begun = data
                else:
                    self._become(Http2ServerConnection(self._house, self.transport)).begin(data)
                return
            self._begun = None
        self._reader.feed(data)
        self._serve()

    def _sent(self) -> None:
        self._serve()

    def _serve(self) -> None:
        """Answer requests until one must wait: for its bytes, for its service time, for room to write."""
        reader = self._reader
        try:
            while self._delay is None and not self._unsent and not self._closing:
                request = reader.take()
                if request is None:
                    if reader.wants_continue:
                        reader.wants_continue = False
                        self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
                    return
                if request.upgrade and self._upgraded(request):
                    return
                if self._house.behaviour.delay_ns and request.asks is BODY:
                    self._answer_later(request)
                else:
                    self._answer(request)
        except Malformed as error:
            self._closing = True
            self._send(malformed(str(error)))

    def _answer_later(self, request: Request) -> None:
        def due() -> None:
            self._delay.close()
            self._delay = None
            self._answer(request)
            self._serve()

        self._delay = service_timer(self._house.behaviour.delay_ns, due)

    def _answer(self, request: Request) -> None:
        house = self._house
        if request.asks is not BODY:
            self.asked = True
            self._closing = not request.persists
            self._send(house.answers.response(request, request.persists, b"", 0))
            return
        self.served += 1
        behaviour = house.behaviour
        persists = request.persists or (behaviour.ignore_close and request.version == "1.1")
        says = persists
        if behaviour.close_after and self.served >= behaviour.close_after:
            persists = False
            says = says and behaviour.silent
        self._closing = not persists
        field = behaviour.keep_alive_field(self.served)
        if request.simple:
            self._send(house.answers.simple(request.head_only, says, field, request.size_bytes))
        elif b"websocket" in request.upgrade and request.method == b"GET" and "websocket" in behaviour.declines:
            self._send(house.answers.refusal(b"no WebSocket here\n", says))
        else:
            self._send(house.answers.response(request, says, field, self.served))

    def _upgraded(self, request: Request) -> bool:
        """Switch to the first protocol offered that is spoken here. False: the request is to be answered as it is.

        A server may ignore an offer (RFC 9110 §7.8).
        """
        declines = self._house.behaviour.declines
        for protocol in request.upgrade:
            if protocol == b"websocket" and "websocket" not in declines and request.method == b"GET":
                self._become(WebSocketServerConnection(self._house, self.transport)).begin(request, self._reader.rest())
                return True
            if protocol == b"h2c" and "h2c" not in declines and not self._secure:
                settings = client_settings(request)
                if settings is not None:
                    connection = self._become(Http2ServerConnection(self._house, self.transport))
                    connection.begin_upgraded(request, settings, _SWITCH, self._reader.rest())
                    return True
        return False

    def _become(self, after: _Successor) -> _Successor:
        """Hand the transport and the counts over; nothing of this object is used any more."""
        after.served, after.asked = self.served, self.asked
        self._house.account.upgraded(self, after)
        self.transport.watch(READ, after.on_readable)
        return after
