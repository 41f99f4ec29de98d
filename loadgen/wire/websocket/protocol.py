"""A client's side of one WebSocket (RFC 6455), by the library websockets. Bytes in and out; no socket, no clock.

The library keeps the protocol's state, and makes and checks frames and the handshake. This module joins frames into
messages.
"""

from __future__ import annotations

import logging
from typing import Any

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidUpgrade,
    PayloadTooBig,
)
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.uri import WebSocketURI

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.final_head import SWITCHING_PROTOCOLS, FinalHeadReader, TooManyInterim, status_text
from loadgen.wire.http1.head import Malformed, ResponseHead, to_the_letter
from loadgen.wire.websocket.message import Message

_ACCEPT = "sec-websocket-accept"
_PROTOCOLS = "sec-websocket-protocol"
_MAX_SHOWN_BYTES = 60
# Samples record what the library would log. Without a handler it would print that where logging is not set up.
_LOGGER = logging.getLogger("loadgen.websocket")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False
# Plain names: looking a member up on an Enum class costs.
_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
_OPEN = State.OPEN


class WebSocketProtocol:
    """One connection. It opens with `handshake` and `upgrade`, then `frame` and `feed` take turns."""

    __slots__ = (
        "_heads", "_parts", "_protocol", "_sent", "_text", "begun", "echoed", "head", "subprotocol",
    )  # fmt: skip

    def __init__(self, message: Message, max_bytes: int) -> None:
        offered = [value for name, value in message.headers if name.lower() == _PROTOCOLS]
        subprotocols: Any = [one.strip() for value in offered for one in value.split(",") if one.strip()]
        # The library wants a URI for the request that it would write; `handshake` writes that request itself.
        uri = WebSocketURI(False, "localhost", 80, message.path, "", None, None)
        self._protocol = ClientProtocol(uri, subprotocols=subprotocols or None, max_size=max_bytes, logger=_LOGGER)
        self._parts: list[bytes] = []
        self._text = False
        self._sent = b""
        self._heads = FinalHeadReader()
        # Bytes of an answer have come.
        self.begun = False
        # The last message received was the same as the last one sent.
        self.echoed = False
        # Of the response that upgraded the connection; and the subprotocol that the server chose.
        self.head: ResponseHead | None = None
        self.subprotocol: str | None = None

    def handshake(self, message: Message) -> bytes:
        """The request that asks for the upgrade (RFC 6455 §4.1)."""
        protocol = self._protocol
        headers = Headers()
        for name, value in message.headers:
            headers[name] = value
        for name, value in protocol.connect().headers.raw_items():
            if name not in ("Host", "Sec-WebSocket-Protocol"):
                headers[name] = value
        protocol.send_request(Request(message.path, headers))
        return self.take()

    def upgrade(self, data: bytes) -> bool:
        """Take bytes of the response; True once the connection is upgraded. Raises UpgradeFailure or Malformed.

        The library gets only the head of a 101: it would wait for the end of a refusal's content. And it gets it to the
        letter of the rules, from which it allows no deviation.
        """
        try:
            found = self._heads.feed(data)
        except TooManyInterim as error:
            raise UpgradeFailure(ErrorKind.UPGRADE_REFUSED, str(error)) from None
        if found is None:
            return False
        if found.head.status != SWITCHING_PROTOCOLS:
            raise UpgradeFailure(ErrorKind.UPGRADE_REFUSED, f"the server answered {status_text(found.raw)}")
        self._switch(found.head, to_the_letter(found.head, found.raw) + found.rest)
        return True

    def frame(self, message: Message) -> bytes:
        """The message as one frame, masked anew each time (RFC 6455 §5.3)."""
        self.begun = False
        self._sent = message.payload
        protocol = self._protocol
        if message.is_text:
            protocol.send_text(message.payload)
        else:
            protocol.send_binary(message.payload)
        return self.take()

    def feed(self, data: bytes) -> bool:
        """Take bytes; True once a message is complete. `take` gives what has to be sent in reply to frames.

        Raises UpgradeFailure where the connection can't go on: the server closes it, or broke the protocol.
        """
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        complete = echoed = False
        if protocol.events:
            for frame in protocol.events_received():
                try:
                    if self._collect(frame) is not None and not complete:
                        complete, echoed = True, self.echoed
                except UpgradeFailure:
                    if not complete:
                        raise
                    break  # the answer came first, and the connection closes
            if complete:
                self.echoed = echoed  # the first message is the answer; any after it has no request
        # A close in the middle of a message ends the message, and the connection in good order.
        if protocol.parser_exc is not None and protocol.close_rcvd is None and not complete:
            raise _violation(protocol.parser_exc)
        if not self.begun and protocol.reader.buffer:
            self.begun = True
        return complete

    def take(self) -> bytes:
        """The bytes to send: messages, pongs, the answer to a close."""
        writes = self._protocol.writes
        if not writes:
            return b""
        data = writes[0] if len(writes) == 1 else b"".join(writes)
        writes.clear()
        return data

    def close(self) -> bytes:
        """Begin the close handshake (RFC 6455 §7.1.2); empty where it has begun."""
        if self.open:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
        return self.take()

    @property
    def open(self) -> bool:
        """Neither side has begun to close it."""
        return self._protocol.state is _OPEN and self._protocol.close_rcvd is None

    @property
    def closed(self) -> Close | None:
        """What the server's Close frame said; None where none came."""
        return self._protocol.close_rcvd

    @property
    def closing(self) -> bool:
        """This side began to close it."""
        return self._protocol.close_sent is not None and not self._protocol.close_rcvd_then_sent

    # Inside

    def _switch(self, head: ResponseHead, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        if protocol.handshake_exc is not None:
            raise _refusal(protocol.handshake_exc)
        protocol.events.pop(0)  # the response
        self.head = head
        self.subprotocol = protocol.subprotocol

    def _collect(self, frame: Any) -> bytes | bytearray | None:
        """Add a frame to the present message; gives the message's payload with its last one."""
        assert isinstance(frame, Frame)
        code = frame.opcode
        if code is _TEXT or code is _BINARY:
            self._text = code is _TEXT
        elif code is not _CONT:
            return None
        self.begun = True
        if not frame.fin:
            self._parts.append(bytes(frame.data))
            return None
        payload: bytes | bytearray = frame.data if not self._parts else b"".join((*self._parts, frame.data))  # type: ignore[assignment] # received data is no memoryview
        self._parts.clear()
        if self._text:
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                self._protocol.fail(CloseCode.INVALID_DATA)
                raise UpgradeFailure(
                    ErrorKind.WEBSOCKET_INVALID_UTF8, f"a text message is not UTF-8: {error.reason}"
                ) from None
        self.echoed = payload == self._sent
        return payload


def closed_by_server(close: Close) -> UpgradeFailure:
    """The server began the close handshake while a message was unanswered."""
    reason = f": {close.reason!r}" if close.reason else ""
    return UpgradeFailure(ErrorKind.WEBSOCKET_CLOSED, f"the server closed with code {int(close.code)}{reason}")


def _refusal(error: Exception) -> Exception:
    """Why a 101 did not upgrade the connection."""
    if isinstance(error, InvalidHeader) and error.name.lower() == _ACCEPT:
        return UpgradeFailure(ErrorKind.WEBSOCKET_WRONG_ACCEPT, "Sec-WebSocket-Accept does not answer our key")
    if isinstance(error, InvalidUpgrade):
        value = f" is {error.value[:_MAX_SHOWN_BYTES]!r}" if error.value else " is missing"
        return UpgradeFailure(ErrorKind.UPGRADE_WRONG_PROTOCOL, f"101, but its field {error.name}{value}")
    if isinstance(error, InvalidHandshake) and error.__cause__ is None:
        detail = f"101, but with something that was not asked for: {str(error)[:_MAX_SHOWN_BYTES]}"
        return UpgradeFailure(ErrorKind.UPGRADE_WRONG_PROTOCOL, detail)
    return Malformed(str(error.__cause__ or error))


def _violation(error: Exception) -> UpgradeFailure:
    """What the server did against RFC 6455."""
    if isinstance(error, PayloadTooBig):
        return UpgradeFailure(ErrorKind.WEBSOCKET_TOO_LARGE, str(error))
    if isinstance(error, UnicodeDecodeError):
        return UpgradeFailure(ErrorKind.WEBSOCKET_INVALID_UTF8, "the reason of a close is not UTF-8")
    if "masking" in str(error):
        return UpgradeFailure(ErrorKind.WEBSOCKET_MASKED, "a frame of the server's was masked")
    return UpgradeFailure(ErrorKind.WEBSOCKET_PROTOCOL, str(error) or type(error).__name__)
