"""A connection that speaks HTTP/1.x, and may be upgraded to another protocol. Knows no listening socket.

Requests are answered in order, one at a time (RFC 9112 §9.3.2).
"""

from __future__ import annotations

from typing import Any, TypeVar

from loadgen.target.behaviour import CONTINUE, REFUSE
from loadgen.target.connection import ServerConnection, ServerContext, service_timer
from loadgen.target.http2 import Http2ServerConnection
from loadgen.target.http2_rules import PREFACE, client_settings
from loadgen.target.requests import BODY, HeadReader, Request
from loadgen.target.responses import bad_request
from loadgen.target.websocket import WebSocketServerConnection
from loadgen.wire.early_reading import EarlyOutcome, EarlyReadingTransport
from loadgen.wire.errors import TlsFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import READ, WRITE, Step, TcpTransport

_Successor = TypeVar("_Successor", bound=ServerConnection)

_MAX_BODY_BYTES = 1 << 30
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


class Http1ServerConnection(ServerConnection):
    """Every connection begins as one. It becomes an Http2ServerConnection where the peer sends HTTP/2's preface."""

    __slots__ = ("_begun", "_delay", "_reader", "_secure")

    def __init__(self, context: ServerContext, transport: TcpTransport) -> None:
        super().__init__(context, transport)
        self._reader = HeadReader(_MAX_BODY_BYTES)
        self._delay: Any = None
        self._secure = isinstance(transport, TlsTransport)
        # Over TLS, ALPN decides about HTTP/2 (RFC 9113 §3.2); in clear the first bytes do.
        self._begun = b"" if not self._secure and "h2" not in context.behaviour.declines else None

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
            return
        if isinstance(transport, EarlyReadingTransport) and transport.outcome is not EarlyOutcome.NONE:
            self._context.account.began_early(transport.outcome.value)
        if isinstance(transport, TlsTransport) and transport.alpn == "h2":
            self._switch_to(Http2ServerConnection(self._context, transport)).begin(b"")
        else:
            transport.watch(READ, self.on_readable)
            self.on_readable()

    def close(self) -> None:
        if self._delay is not None:
            self._delay.close()
            self._delay = None
        super().close()

    def _close_behind(self) -> None:
        # A short response is with the client by now.
        if self._was_long:
            self._end_writing()
        else:
            self.close()

    def _received(self, data: bytes) -> None:
        if self._begun is not None:
            data = self._begun + data
            if PREFACE.startswith(data[: len(PREFACE)]):
                if len(data) < len(PREFACE):
                    self._begun = data
                else:
                    self._switch_to(Http2ServerConnection(self._context, self.transport)).begin(data)
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
                        self._answer_expectation()
                    return
                if request.upgrade and self._upgraded(request):
                    return
                if self._context.behaviour.delay_ns and request.resource is BODY:
                    self._answer_later(request)
                else:
                    self._answer(request)
        except Malformed as error:
            self._closing = True
            self._send(bad_request(str(error)))

    def _answer_expectation(self) -> None:
        """The head of a request has come whose body waits (RFC 9110 §10.1.1)."""
        context = self._context
        answer = context.behaviour.on_expect
        context.account.expected(answer)
        if answer == CONTINUE:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif answer == REFUSE:
            # The client will not send the body that its head announced, so that no other request can follow.
            self.served += 1
            self._closing = True
            self._send(context.responses.expectation_failed())

    def _answer_later(self, request: Request) -> None:
        def due() -> None:
            self._delay.close()
            self._delay = None
            self._answer(request)
            self._serve()

        self._delay = service_timer(self._context.behaviour.delay_ns, due)

    def _answer(self, request: Request) -> None:
        context = self._context
        if request.resource is not BODY:
            self.had_internal = True
            self._closing = not request.persists
            self.is_kept = request.keeps
            self._send(context.responses.internal(request, request.persists, self.number))
            return
        self.served += 1
        self.is_kept = False
        behaviour = context.behaviour
        persists = request.persists or (behaviour.ignore_close and request.version == "1.1")
        announces = persists
        if behaviour.close_after and self.served >= behaviour.close_after:
            persists = False
            announces = announces and behaviour.silent
        self._closing = not persists
        field = behaviour.keep_alive_field(self.served)
        if request.simple:
            self._send(context.responses.simple(request.head_only, announces, field, request.size_bytes))
        elif b"websocket" in request.upgrade and request.method == b"GET" and "websocket" in behaviour.declines:
            self._send(context.responses.refusal(b"no WebSocket here\n", announces))
        else:
            self._send(context.responses.http1(request, announces, field, self.served))

    def _upgraded(self, request: Request) -> bool:
        """Switch to the first offered protocol that the target speaks. False: answer the request as it is.

        A server may ignore an offer (RFC 9110 §7.8).
        """
        declines = self._context.behaviour.declines
        for protocol in request.upgrade:
            if protocol == b"websocket" and "websocket" not in declines and request.method == b"GET":
                self._switch_to(WebSocketServerConnection(self._context, self.transport)).begin(
                    request, self._reader.rest()
                )
                return True
            if protocol == b"h2c" and "h2c" not in declines and not self._secure:
                settings = client_settings(request)
                if settings is not None:
                    connection = self._switch_to(Http2ServerConnection(self._context, self.transport))
                    connection.begin_upgraded(request, settings, _SWITCH, self._reader.rest())
                    return True
        return False

    def _switch_to(self, after: _Successor) -> _Successor:
        """Hand the transport and the counts over; this object is not used after that."""
        after.served, after.had_internal, after.number = self.served, self.had_internal, self.number
        self._context.account.upgraded(self, after)
        self.transport.watch(READ, after.on_readable)
        return after
