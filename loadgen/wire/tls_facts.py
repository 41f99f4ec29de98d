"""What a TLS peer says of itself in its handshakes: certificates, tickets, alerts, as OpenSSL shows each message.

For contexts that only look: a context with a HandshakeLog calls Python for each message. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from loadgen.wire.openssl import ffi, lib

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304
"""Versions, as they are on the wire."""
CLOSE_NOTIFY = 0

# RFC 8446 §4: kinds of records, of handshake messages and of extensions.
_ALERT, _HANDSHAKE = 21, 22
_CLIENT_HELLO, _SERVER_HELLO, _NEW_SESSION_TICKET, _CERTIFICATE = 1, 2, 4, 11
_EARLY_DATA, _SUPPORTED_VERSIONS = 42, 43
_HEADER_BYTES = 4
# RFC 8446 §4.1.3: the random value of a ServerHello that is a HelloRetryRequest.
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One NewSessionTicket (RFC 8446 §4.6.1, RFC 5077 §3.3)."""

    lifetime_s: int
    """For how long it may be used, as the server says; with TLS 1.2 zero means that it does not say."""
    max_early_data_bytes: int = 0
    """How much a client may send before the handshake is done (0-RTT)."""


@dataclass(slots=True)
class HandshakeFacts:
    """What the peer said on one connection."""

    version: int = 0
    """The version of its ServerHello; 0 where none came."""
    session_id: bytes = b""
    """With TLS 1.2: what the session is called on the server; empty where the server keeps none."""
    asked_again: bool = False
    """It wanted another group (HelloRetryRequest), which costs a round trip."""
    certificates: list[bytes] = field(default_factory=list)
    """Its chain in DER, its own certificate first; empty on a resumed connection."""
    tickets: list[Ticket] = field(default_factory=list)
    alerts: list[int] = field(default_factory=list)
    """The numbers of its alerts (RFC 8446 §6), in order."""

    @property
    def lifetime_s(self) -> int:
        """For how long its tickets may be used, as it says; 0 where there are none, or it does not say."""
        return max((one.lifetime_s for one in self.tickets), default=0)

    def take(self, kind: int, message: bytes) -> None:
        """Take in one whole message of the peer's. kind: that of its record. One that makes no sense is left out."""
        try:
            if kind == _ALERT:
                self.alerts.append(message[1])
            elif kind == _HANDSHAKE:
                self._take_handshake(message[0], _Fields(message[_HEADER_BYTES:]))
        except IndexError:  # OpenSSL refuses it, too
            return

    def _take_handshake(self, message: int, fields: _Fields) -> None:
        if message == _SERVER_HELLO:
            self._take_hello(fields)
        elif message == _CERTIFICATE:
            self._take_certificates(fields)
        elif message == _NEW_SESSION_TICKET:
            self._take_ticket(fields)

    def _take_hello(self, fields: _Fields) -> None:
        version, random, session_id = fields.number(2), fields.take(32), fields.vector(1)
        fields.take(3)  # cipher and compression
        found = dict(_extensions(fields)) if fields.left else {}
        chosen = found.get(_SUPPORTED_VERSIONS)
        if random == _RETRY:
            self.asked_again = True
            return
        self.version = int.from_bytes(chosen, "big") if chosen else version
        self.session_id = b"" if chosen else session_id  # with TLS 1.3 it is an echo

    def _take_certificates(self, fields: _Fields) -> None:
        is_1_3 = self.version >= TLS_1_3
        if is_1_3:
            fields.vector(1)  # its context
        chain = _Fields(fields.vector(3))
        while chain.left:
            self.certificates.append(chain.vector(3))
            if is_1_3:
                chain.vector(2)  # its extensions

    def _take_ticket(self, fields: _Fields) -> None:
        lifetime_s = fields.number(4)
        if self.version < TLS_1_3:
            if fields.vector(2):  # RFC 5077 §3.3: an empty one says that there is none
                self.tickets.append(Ticket(lifetime_s))
            return
        fields.take(4)  # what its age is hidden with
        fields.vector(1)
        fields.vector(2)
        early = dict(_extensions(fields)).get(_EARLY_DATA, b"")
        self.tickets.append(Ticket(lifetime_s, int.from_bytes(early, "big")))


class HandshakeLog:
    """Keeps what peers say on the connections of one context, which must be opened one after another."""

    def __init__(self, context: Any) -> None:
        self.newest = HandshakeFacts()
        """Those of the connection that began last."""
        self._by_stream: dict[int, HandshakeFacts] = {}
        self._callback = ffi.callback("void(int, int, int, void *, size_t, SSL *, void *)", self._message)
        lib.SSL_CTX_set_msg_callback(context._context, self._callback)
        context.set_app_data(self)  # OpenSSL does not keep the callback alive

    def _message(self, sent: int, _version: int, kind: int, data: Any, size: int, stream: Any, _argument: Any) -> None:
        key = int(ffi.cast("uintptr_t", stream))
        message = bytes(ffi.buffer(data, size))
        if not sent:
            self._by_stream.setdefault(key, self.newest).take(kind, message)
        elif kind == _HANDSHAKE and message[:1] == bytes([_CLIENT_HELLO]):
            known = self._by_stream.get(key)
            # The address of a stream that is gone may be given again; a second hello of the same one is an answer.
            if known is None or known.version or not known.asked_again:
                self.newest = self._by_stream[key] = HandshakeFacts()


def early_random(record: bytes) -> bytes | None:
    """The random value of a ClientHello that offers early data (RFC 8446 §4.1.2, §4.2.10).

    record: the first bytes of a connection. None for another ClientHello, for one that is not whole, and for no TLS.
    """
    try:
        fields = _Fields(record)
        if fields.number(1) != _HANDSHAKE or fields.number(2) < TLS_1_0:
            return None
        message = _Fields(fields.vector(2))
        if message.number(1) != _CLIENT_HELLO:
            return None
        hello = _Fields(message.vector(3))
        hello.take(2)  # its version
        random = hello.take(32)
        for length_bytes in (1, 2, 1):  # session, ciphers, compression
            hello.vector(length_bytes)
        return random if any(kind == _EARLY_DATA for kind, _ in _extensions(hello)) else None
    except IndexError:
        return None


class _Fields:
    """Reads the fields of a message (RFC 8446 §3). Raises IndexError where it is too short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise IndexError
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, length_bytes: int) -> bytes:
        """Bytes whose number stands before them."""
        return self.take(self.number(length_bytes))


def _extensions(fields: _Fields) -> Iterator[tuple[int, bytes]]:
    block = _Fields(fields.vector(2))
    while block.left:
        yield block.number(2), block.vector(2)
