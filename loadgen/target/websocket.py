"""A connection that was upgraded to WebSocket (RFC 6455): every message is sent back whole. Knows no HTTP.

The library websockets, which does no input or output of its own, reads and writes the frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from loadgen.target.connection import ServerConnection, ServerContext, service_timer, timer
from loadgen.target.requests import Request
from loadgen.wire.transport import NOTHING, READ, TcpTransport

_MAX_MESSAGE_BYTES = 16 << 20
_MAX_WAITING_BYTES = 16 << 20
_GRACE_S = 5.0

# Plain names: looking a member up on the Enum class costs more than the comparison.
_CONT, _TEXT, _BINARY = Opcode.CONT, Opcode.TEXT, Opcode.BINARY
_MESSAGES = (_TEXT, _BINARY, _CONT)
_OPEN = State.OPEN

# Fields of a handshake that the library does not get: other protocols offered, and those about content, which has been
# read and dropped. The library refuses a handshake with content, and does not say why.
_HIDDEN_FIELDS = (b"upgrade", b"content-length", b"transfer-encoding")

# Messages repeat, as requests do: echoes of up to this size are remembered.
_REPEATED_BYTES = 1024
_MAX_REMEMBERED = 256


def _echo_of(opcode: Opcode, data: bytes) -> bytes | None:
    """One whole message in one frame; None for a text that is not UTF-8 (RFC 6455 §8.1)."""
    if opcode is _TEXT and not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return None
    return Frame(opcode, data).serialize(mask=False)


_repeated_echo = lru_cache(_MAX_REMEMBERED)(_echo_of)


def _first_offered(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None


class WebSocketServerConnection(ServerConnection):
    """Echoes text and binary messages, each as one frame; a message counts as one served request."""

    __slots__ = (
        "_delay", "_fragments", "_grace", "_last", "_leaving", "_opcode", "_switched", "_waiting", "_waiting_bytes",
        "_websocket",
    )  # fmt: skip

    def __init__(self, context: ServerContext, transport: TcpTransport) -> None:
        super().__init__(context, transport)
        self._websocket = ServerProtocol(
            extensions=None, max_size=_MAX_MESSAGE_BYTES, select_subprotocol=_first_offered
        )
        self._opcode = _TEXT
        self._fragments = bytearray()
        # Echoes of messages in service, in order; and what may be sent only after them.
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._delay: Any = None
        self._grace: Any = None
        self._last: list[bytes] = []
        # No message is accepted any more; and the 101 has been sent.
        self._leaving = self._switched = False

    @property
    def protocol(self) -> str:  # type: ignore[override] # it depends on how the handshake ended
        return "websocket" if self._switched else "http/1.1"

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or bool(self._unsent)

    def begin(self, request: Request, data: bytes) -> None:
        """Answer the handshake; `data` is what followed it. A handshake that is not valid is refused in HTTP."""
        shown = ((name, value) for name, value in request.fields if name.lower() not in _HIDDEN_FIELDS)
        fields = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in shown)
        # Of all the protocols offered, this one was chosen.
        fields["Upgrade"] = "websocket"
        websocket = self._websocket
        websocket.receive_data(Handshake(request.target.decode("latin-1"), fields).serialize())
        for handshake in websocket.events_received():
            response = websocket.accept(handshake)  # type: ignore[arg-type] # the first event is the handshake
            if response.status_code != 101:
                # The version that would be accepted (RFC 6455 §4.4).
                response.headers["Sec-WebSocket-Version"] = "13"
            websocket.send_response(response)
        if websocket.state is not _OPEN:
            self._leaving = True
            self.served += 1
        self._write(websocket.data_to_send())
        # The client may have gone meanwhile: then the transport is closed.
        if websocket.state is _OPEN and not self._closing:
            self._switched = True
            if data:
                self._received(data)

    def close(self) -> None:
        for one in (self._delay, self._grace):
            if one is not None:
                one.close()
        self._delay = self._grace = None
        super().close()

    def close_idle(self) -> None:
        if self._context.behaviour.silent:
            self.close()
        elif not self._leaving:
            self._announce_close()
            self._write(self._websocket.data_to_send())

    def _received(self, data: bytes) -> None:
        websocket = self._websocket
        websocket.receive_data(data)
        echoes = [echo for frame in websocket.events_received() if (echo := self._echo(frame))]
        behaviour = self._context.behaviour
        if echoes and behaviour.delay_ns:
            self._serve_later(echoes)
        elif echoes:
            if behaviour.close_after:
                echoes = self._up_to_limit(echoes)
            self.served += len(echoes)
        # Pongs and Close are sent after the echoes: what came before a Close is answered.
        if self._waiting and websocket.state is not _OPEN:
            self._last += websocket.data_to_send()
        else:
            self._write(([] if self._waiting else echoes) + websocket.data_to_send())

    def _echo(self, frame: Any) -> bytes | None:
        """The bytes to send back, if this frame completes a message."""
        opcode, data = frame.opcode, frame.data
        if self._leaving or opcode not in _MESSAGES:
            return None
        if opcode is _CONT:
            self._fragments += data
            opcode, data = self._opcode, bytes(self._fragments) if frame.fin else b""
        elif not frame.fin:
            self._opcode, self._fragments = opcode, bytearray(data)
        if not frame.fin:
            return None
        echo = _repeated_echo(opcode, data) if len(data) <= _REPEATED_BYTES else _echo_of(opcode, data)
        if echo is None:
            self._leaving = True
            self._websocket.fail(CloseCode.INVALID_DATA, "a text message is not UTF-8")
        return echo

    def _up_to_limit(self, echoes: list[bytes]) -> list[bytes]:
        """The echoes that --close-after still allows; after the last one the connection closes."""
        behaviour = self._context.behaviour
        left = behaviour.close_after - self.served
        if len(echoes) >= left:
            if behaviour.silent:
                self._leaving = self._closing = True
            else:
                self._announce_close()
        return echoes[:left]

    def _announce_close(self) -> None:
        """Begin the closing handshake (RFC 6455 §7.1.2); waits only a short time for the peer's answer."""
        self._leaving = True
        if self._websocket.state is _OPEN:
            self._websocket.send_close(CloseCode.GOING_AWAY)
            self._grace = timer(_GRACE_S, self.close)

    def _write(self, pieces: list[bytes]) -> None:
        """Send all pieces at once; an empty last piece is the library's sign for the connection's end."""
        if pieces and not pieces[-1]:
            self._leaving = self._closing = True
        if len(pieces) == 1 and pieces[0]:
            self._send(pieces[0])
        elif data := b"".join(pieces):
            self._send(data)
        elif self._closing:
            self._finish()

    def _close_behind(self) -> None:
        # After the closing handshake the server closes first (RFC 6455 §7.1.1). Without it, more bytes may arrive.
        if self._websocket.close_rcvd is None and not self._context.behaviour.silent:
            self._end_writing()
        else:
            self.close()

    # Messages that take a service time.

    def _serve_later(self, echoes: list[bytes]) -> None:
        self._waiting += echoes
        self._waiting_bytes += sum(map(len, echoes))
        if self._waiting_bytes > _MAX_WAITING_BYTES:
            self.transport.watch(NOTHING, self.on_readable)
        if self._delay is None:
            self._delay = service_timer(self._context.behaviour.delay_ns, self._due)

    def _due(self) -> None:
        self._delay.close()
        self._delay = None
        if not self._unsent:
            self._serve_next()

    def _sent(self) -> None:
        if self._waiting and self._delay is None:
            self._serve_next()

    def _serve_next(self) -> None:
        pieces = [self._waiting.popleft()]
        before, self._waiting_bytes = self._waiting_bytes, self._waiting_bytes - len(pieces[0])
        if before > _MAX_WAITING_BYTES >= self._waiting_bytes:
            self.transport.watch(READ, self.on_readable)
        if self._context.behaviour.close_after:
            self._up_to_limit(pieces)
        self.served += 1
        if self._leaving and not self._last:
            self._waiting.clear()
        if self._waiting:
            self._delay = service_timer(self._context.behaviour.delay_ns, self._due)
            self._write(pieces)
        else:
            last, self._last = self._last, []
            self._write(pieces + last + self._websocket.data_to_send())
