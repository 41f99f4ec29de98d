"""A server's TLS that takes early data (0-RTT, RFC 8446 §2.3): requests before the client's handshake is done.

They are answered at once, which is what they are for; the handshake's end and tickets come behind the response. Knows
no HTTP.
"""

from __future__ import annotations

import time
from enum import Enum
from socket import MSG_PEEK
from typing import Any

from OpenSSL import SSL

from loadgen.wire.openssl import WAITS_TO_READ, TlsStream, ffi, lib
from loadgen.wire.poller import Poller
from loadgen.wire.replay_guard import ReplayGuard
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_facts import early_random
from loadgen.wire.transport import OPEN, WANT_READ, WANT_WRITE, WOULD_BLOCK, Step

MAX_EARLY_DATA_BYTES = 16 * 1024
"""What a session allows. It is no more than one record."""

_HELLO_BYTES = 16 * 1024 + 5  # a record and its frame
_GOT, _FINISHED = 1, 2  # SSL_READ_EARLY_DATA_SUCCESS, SSL_READ_EARLY_DATA_FINISH
_NO_ANTI_REPLAY = 1 << 24  # SSL_OP_NO_ANTI_REPLAY, which the bindings do not name
_room = ffi.new("char[]", MAX_EARLY_DATA_BYTES)
_size = ffi.new("size_t *")


class EarlyOutcome(Enum):
    """What became of a client's early data."""

    NONE = ""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REPLAYED = "replayed"  # rejected, because the same ClientHello had come before


def allow_early_data(context: SSL.Context) -> None:
    """The context's sessions allow early data. A ReplayGuard must decide on it: OpenSSL's own is off."""
    lib.SSL_CTX_set_max_early_data(context._context, MAX_EARLY_DATA_BYTES)
    context.set_options(_NO_ANTI_REPLAY)


class EarlyReadingTransport(TlsTransport):
    """An accepted connection. It is open as soon as early data has come, or else once the handshake is done."""

    __slots__ = ("_early", "_guard", "_has_seen_hello", "_reads_early", "outcome")

    def __init__(self, poller: Poller, context: SSL.Context, guard: ReplayGuard, accepted: Any) -> None:
        TlsTransport.__init__(self, poller, context, None, accepted=accepted)
        self._guard = guard
        self._has_seen_hello = False
        # Early data may still come.
        self._reads_early = False
        # What came, until it is received.
        self._early = b""
        self.outcome = EarlyOutcome.NONE
        """Known once the transport is open."""

    @property
    def is_shaking_hands(self) -> bool:
        """The handshake is not done, though requests may have been answered."""
        return not self._up

    def establish(self) -> Step:
        if not self._has_seen_hello and not self._see_hello():
            return WANT_READ
        if self._reads_early:
            waits = self._read_early()
            if self._early:
                self.outcome = EarlyOutcome.ACCEPTED
                return OPEN
            if waits:
                return WANT_READ if waits == WAITS_TO_READ else WANT_WRITE
        return TlsTransport.establish(self)

    def receive(self) -> int:
        if self._reads_early and not self._early:
            self._read_early()
        early, self._early = self._early, b""
        if early:
            self.buffer[: len(early)] = early
            return len(early)
        if self._reads_early or (not self._up and TlsTransport.establish(self) is not OPEN):
            return WOULD_BLOCK
        return TlsTransport.receive(self)

    def send(self, data: bytes | memoryview) -> int:
        if self._up:
            return TlsTransport.send(self, data)
        stream = self._open_stream()
        result = lib.SSL_write_early_data(stream.connection._ssl, ffi.from_buffer(data), len(data), _size)
        if result == 1:
            return int(_size[0])
        self._explain(stream)
        return WOULD_BLOCK

    def _see_hello(self) -> bool:
        """Whether early data is offered, and may be taken; False where nothing has come yet.

        A ClientHello that comes in pieces is not read again: its early data is rejected, as a server always may.
        """
        hello = b""
        try:
            hello = self.socket.recv(_HELLO_BYTES, MSG_PEEK)
        except BlockingIOError:
            return False
        self._has_seen_hello = True
        random = early_random(hello)
        if random is not None:
            self._reads_early = self._guard.admits(random, time.monotonic_ns())
            self.outcome = EarlyOutcome.REJECTED if self._reads_early else EarlyOutcome.REPLAYED
        return True

    def _read_early(self) -> int:
        """Take in early data that has come. Gives what it waits for, as TlsStream does; 0 where there is no need."""
        stream = self._stream
        if stream is None:
            stream = self._begin(self._descriptor)
        result = lib.SSL_read_early_data(stream.connection._ssl, _room, len(_room), _size)
        if result == _GOT:
            self._early += bytes(ffi.buffer(_room, _size[0]))
            return 0
        if result == _FINISHED:
            self._reads_early = False
            return 0
        return self._explain(stream)

    def _explain(self, stream: TlsStream) -> int:
        """What a call waits for that did not succeed. Raises TlsFailure or OSError where it failed."""
        try:
            return stream._explain(0)
        except SSL.SysCallError as error:
            raise OSError(error.args[0], error.args[-1]) from None
        except SSL.Error as error:
            raise self._failure(error) from None
