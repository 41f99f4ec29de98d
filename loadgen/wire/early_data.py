"""TLS whose first request is early data (0-RTT, RFC 8446 §2.3): sent with the ClientHello, before any answer.

Only where the offered session allows it. What the server did not take is sent again once the handshake is done (RFC
8446 §4.2.10). Decides nothing about what may be sent so: early data can be replayed by others.
"""
# mypy: disable-error-code="name-defined"
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadgen.model.records import ConnectionFlag
from loadgen.wire.openssl import ffi, lib
from loadgen.wire.poller import Poller
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import OPEN, WANT_WRITE, Step

_WAITS = (2, 3)  # SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE
# RFC 8446 §4: a record of handshake messages; a message of the server's; the extension by which it takes early data.
_HANDSHAKE, _ENCRYPTED_EXTENSIONS, _EARLY_DATA = 22, 8, 42
_MESSAGE = "void(*)(int, int, int, void *, size_t, SSL *, void *)"
_COMPILED = not __file__.endswith(".py")

# OpenSSL tells only of messages whether a server took early data: the bindings have no SSL_get_early_data_status.
_taken = ffi.new("int *")


def _note(sent: int, _version: int, kind: int, data: Any, size: int, _stream: Any, taken: Any) -> None:
    """c_note in pure Python."""
    if sent or kind != _HANDSHAKE:
        return
    message = bytes(ffi.buffer(data, size))
    at = 6
    while message[0] == _ENCRYPTED_EXTENSIONS and at + 4 <= size:
        if int.from_bytes(message[at : at + 2], "big") == _EARLY_DATA:
            ffi.cast("int *", taken)[0] = 1
        at += 4 + int.from_bytes(message[at + 2 : at + 4], "big")


_watcher: Any = ffi.cast(_MESSAGE, c_note_address()) if _COMPILED else ffi.callback(_MESSAGE, _note)


def watch_early_data(context: Any) -> None:
    """Notice on this context's connections whether a server takes early data; to be called before there is one."""
    lib.SSL_CTX_set_msg_callback(context._context, _watcher)
    lib.SSL_CTX_set_msg_callback_arg(context._context, _taken)


class EarlyTlsTransport(TlsTransport):
    """A client's TLS that sends `request` as early data; the same bytes must be the first that `send` gets.

    request: None for no early data.
    """

    __slots__ = ("_early", "_is_accepted", "_is_written", "early_flags")

    def __init__(
        self, poller: Poller, context: Any, server_name: bytes, session: Any, request: bytes | None,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        TlsTransport.__init__(self, poller, context, server_name, session, source=source)
        is_allowed = request is not None and len(request) <= lib.SSL_SESSION_get_max_early_data(session._session)
        # What is sent early, until `send` gets it; None where the session does not allow it.
        self._early: bytes | None = request if is_allowed else None
        self._is_written = self._is_accepted = False
        self.early_flags = 0
        """What became of it, as ConnectionFlags."""

    def establish(self) -> Step:
        if not self._begun:
            return TlsTransport.establish(self)
        if self._early is not None and not self._is_written and not self._write_early():
            return WANT_WRITE
        _taken[0] = 0
        step = TlsTransport.establish(self)
        if _taken[0]:
            self._is_accepted = True
        if step is OPEN and self._early is not None:
            self.early_flags = int(
                ConnectionFlag.EARLY_ACCEPTED if self._is_accepted else ConnectionFlag.EARLY_REJECTED
            )
        return step

    def send(self, data: bytes | memoryview) -> int:
        taken = self._take_early()
        return taken if taken else TlsTransport.send(self, data)

    def _take_early(self) -> int:
        """How many bytes of what is sent first the server has already; 0 where it has none."""
        early, self._early = self._early, None
        if early is None:
            return 0
        if self._is_accepted:
            return len(early)
        self.early_flags |= int(ConnectionFlag.EARLY_REPLAYED)
        return 0

    def _write_early(self) -> bool:
        """Send the ClientHello with the request behind it; False where the socket takes no more now."""
        stream = self._open_stream().connection._ssl
        written = ffi.new("size_t *")
        result = lib.SSL_write_early_data(stream, self._early, len(self._early or b""), written)
        if result == 1:
            self._is_written = True
        elif lib.SSL_get_error(stream, result) in _WAITS:
            return False
        else:
            self._early = None  # the handshake will say why
            lib.ERR_clear_error()
        return True
