"""TLS with the target inside TLS with its proxy: the inner records are what the outer session carries.

The inner session has no socket. Its records are moved by this transport, so that nothing is held back that the loop
does not know of: each read takes all that has come. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from OpenSSL import SSL

from loadgen.model.errors import ErrorKind
from loadgen.wire.early_data import EarlyTlsTransport
from loadgen.wire.errors import Failure, TlsFailure
from loadgen.wire.poller import READ_SIZE, Poller
from loadgen.wire.proxy.secure import ProxiedSession
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import BEGIN_TLS, OPEN, WANT_READ, WANT_WRITE, WOULD_BLOCK, SocketAddress, Step

# Of one record of the outer session (RFC 8446 §5.1): what is read at once must fit in the buffer with what was left.
_MAX_RECORD_BYTES = 16 * 1024
# Integers of C, where compiled.
_WOULD_BLOCK = WOULD_BLOCK


class TlsInTlsTransport(EarlyTlsTransport):
    """outer: the way to the proxy and its tunnel, a SecureProxyTransport. request: as that of EarlyTlsTransport."""

    __slots__ = ("_outer", "_record")

    def __init__(
        self, poller: Poller, outer: Any, context: SSL.Context, server_name: bytes, session: Any = None,
        request: bytes | None = None,
    ) -> None:  # fmt: skip
        EarlyTlsTransport.__init__(self, poller, context, server_name, session, request)
        self._outer = outer
        # Where one inner record is read to, before it is put behind those that were read before it.
        self._record = bytearray(READ_SIZE)

    @property
    def socket(self) -> Any:
        return self._outer.socket

    @property
    def session(self) -> ProxiedSession:
        """The sessions to offer next time: the proxy's, and the target's."""
        return ProxiedSession(self._outer.session.proxy, super().session)

    @property
    def proxy_flags(self) -> int:
        """How the handshake with the proxy was done, as ConnectionFlags."""
        return int(self._outer.proxy_flags)

    def connect(self, address: SocketAddress, callback: Callable[[], None]) -> int:
        self._outer.stamps_arrivals, self._outer.options = self.stamps_arrivals, self.options
        begun_ns: int = self._outer.connect(address, callback)
        self.connected_ns = self._outer.connected_ns
        return begun_ns

    def establish(self) -> Step:
        if self._stream is None:
            step: Step = self._outer.establish()
            if step is not OPEN:
                return step
            self._begin_inside()
            return BEGIN_TLS
        while True:
            try:
                step = EarlyTlsTransport.establish(self)
            except TlsFailure:
                with suppress(OSError, Failure):
                    self._flush()  # the alert
                raise
            if not self._flush():
                return WANT_WRITE
            if step is OPEN:
                return OPEN
            size = self._take_in()
            if size == _WOULD_BLOCK:
                return WANT_READ
            if size == 0:
                raise TlsFailure(ErrorKind.TLS_FAILED, "the peer ended the connection: Unexpected EOF", by_peer=True)

    def receive(self) -> int:
        read = self._read_records()
        while read == _WOULD_BLOCK:
            size = self._take_in()
            if size == _WOULD_BLOCK:
                return _WOULD_BLOCK
            if size == 0:
                self.is_cut_off = True
                return 0
            read = self._read_records()
        return read

    def send(self, data: bytes | memoryview) -> int:
        """The same data must come again until it is sent, as with a detached stream of TlsTransport."""
        if self._broken is not None:
            raise self._broken
        taken = self._take_early()
        if taken:
            return taken
        if not self._outgoing:
            self._taken_bytes = self._write_stream(data)
        return self._taken_bytes if self._flush() else _WOULD_BLOCK

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self._outer.watch(event, callback)

    def close(self) -> None:
        TlsTransport.close(self)
        self._outer.close()

    def end_writing(self) -> None:
        self._notify()
        self._outer.end_writing()

    # Inside

    def _begin_inside(self) -> None:
        """Make the inner stream: once the tunnel is open, and before the handshake's first byte, so in no phase."""
        stream = self._begin(None)
        stream.detach()
        rest = self._outer.take_rest()
        if rest:
            stream.feed(rest)
        self._begun = True

    def _notify(self) -> None:
        stream = self._stream
        if stream is not None and self._up and self._broken is None:
            with suppress(SSL.Error, OSError, Failure):
                stream.connection.shutdown()
                self._flush()

    def _take_in(self) -> int:
        """Hand what the outer session has to the inner one: how many bytes, 0 at its end, or WOULD_BLOCK."""
        size: int = self._outer.receive()
        if size > 0:
            self._open_stream().feed(bytes(memoryview(self.buffer)[:size]))
        return size

    def _read_records(self) -> int:
        """Read all whole records that are there into the buffer; WOULD_BLOCK where there is none, 0 at the end."""
        whole = 0
        buffer, self.buffer = self.buffer, self._record
        try:
            while whole <= READ_SIZE - _MAX_RECORD_BYTES:
                size = self._read_stream()
                if size <= 0:
                    return whole or size
                buffer[whole : whole + size] = self._record[:size]
                whole += size
        finally:
            self.buffer = buffer
        return whole

    def _flush(self) -> bool:
        """Send the inner session's records; False while some are left."""
        stream = self._open_stream()
        while True:
            if not self._outgoing:
                self._outgoing = stream.take()
            if not self._outgoing:
                return True
            sent = self._outer.send(self._outgoing)
            self._outgoing = self._outgoing[max(0, sent) :]
            if self._outgoing:
                return False
