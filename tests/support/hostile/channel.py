"""A server's socket in clear or in TLS, blocking, that can do wrong on purpose; counts its bytes. Knows no HTTP."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

_PIECE_BYTES = 65536
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Channel:
    """In clear."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.bytes_sent = 0
        self.bytes_received = 0
        self.is_reset = False
        """By this side."""
        self.is_deaf = False
        """What still comes can't be read as what it is: TLS is over in both directions."""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.bytes_sent += len(data)

    def receive(self) -> bytes:
        """The next bytes; empty once the client has closed."""
        data = self._socket.recv(_PIECE_BYTES)
        self.bytes_received += len(data)
        return data

    def peek(self) -> bytes:
        """What has come, in clear or not, and stays to be received; waits until there is something."""
        return self._socket.recv(_PIECE_BYTES, socket.MSG_PEEK)

    def send_in_clear(self, data: bytes) -> None:
        self._socket.sendall(data)

    def notify(self) -> None:
        """TLS alone has a message for this."""

    def finish(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._socket.close()
        self.is_reset = True


class TlsChannel(Channel):
    """In TLS. The records go through memory, so this side can send whatever it likes between them."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(connection)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def shake_hands(self) -> None:
        """Raises ssl.SSLError, or ConnectionResetError where the client closes."""
        while True:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill():
                    raise ConnectionResetError("the client closed in the handshake") from None
            finally:
                self._flush()

    @property
    def protocol(self) -> str | None:
        """What ALPN has chosen."""
        return self._tls.selected_alpn_protocol()

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()
        self.bytes_sent += len(data)

    def receive(self) -> bytes:
        while self.is_deaf:
            if not self._socket.recv(_PIECE_BYTES):
                return b""
        while True:
            try:
                data = self._tls.read(_PIECE_BYTES)
                self.bytes_received += len(data)
                return data
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    def notify(self) -> None:
        with suppress(ssl.SSLError):  # the client's own close_notify has not come yet
            self._tls.unwrap()
        self._flush()
        self.is_deaf = True

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def _fill(self) -> int:
        data = self._socket.recv(_PIECE_BYTES)
        self._incoming.write(data)
        return len(data)
