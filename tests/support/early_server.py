"""A server's end of a TLS connection that takes early data, or rejects it; and sessions that allow some."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from OpenSSL import SSL

from loadgen.wire.openssl import ffi, lib
from tests.support.tls_handshakes import handshake

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class EarlyServer:
    """On a socket that does not block. reads_early: it takes early data, as it allows it; else it rejects it."""

    def __init__(self, context: SSL.Context, sock: Any, *, reads_early: bool) -> None:
        self._socket = sock
        self._stream = SSL.Connection(context, sock)
        self._stream.set_accept_state()
        self._reads_early = reads_early
        self.early = b""
        self.data = b""

    def close(self) -> None:
        with suppress(SSL.Error):
            self._stream.shutdown()  # without it OpenSSL forgets the session
        self._socket.close()

    def step(self) -> None:
        """Go on as far as it goes now; answers once it has a request."""
        if self._reads_early:
            room, size = ffi.new("char[]", 4096), ffi.new("size_t *")
            while (result := lib.SSL_read_early_data(self._stream._ssl, room, len(room), size)) == 1:
                self.early += bytes(ffi.buffer(room, size[0]))
            lib.ERR_clear_error()
            self._reads_early = result != 2  # SSL_READ_EARLY_DATA_FINISH
            if self._reads_early:
                return
        with suppress(SSL.WantReadError):
            self._stream.do_handshake()
            if not self.data:
                self.data = self.early or self._stream.recv(4096)
                self._stream.sendall(b"x")


def early_session(client: SSL.Context, server: SSL.Context) -> Any:
    """A session by which a client of this context may send early data to that server, where its context allows some."""
    one, other = handshake(client, server)
    with suppress(SSL.WantReadError):
        one.recv(1)  # takes in the tickets
    found = one.get_session()
    for side in (one, other):
        side.shutdown()  # as above
    return found
