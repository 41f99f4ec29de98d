"""OpenSSL's calls on the hot path: straight to its functions where compiled, by cffi where not. Knows no connection.

pyOpenSSL makes each stream and names its failures; only its wrappers around these few calls are left out. They would
allocate 16 KiB for each read, and raise an exception for each "would block". The addresses of the functions come from
the same library that pyOpenSSL uses. The names that are defined nowhere here are C's, from openssl.pxd.
"""
# mypy: disable-error-code="name-defined"
# ruff: noqa: F821

from __future__ import annotations

from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

lib = Binding().lib
ffi = Binding().ffi

DONE, WAITS_TO_READ, WAITS_TO_WRITE = 0, -1, -2
"""What a call gives, where that is no number of bytes."""
NO_ALERT = -1
# Integers of C, where compiled.
_DONE, _WAITS_TO_READ, _WAITS_TO_WRITE = DONE, WAITS_TO_READ, WAITS_TO_WRITE
_SSL_ERROR_WANT_READ, _SSL_ERROR_WANT_WRITE = 2, 3
_FIRST_ALERT = 1000  # SSL_AD_REASON_OFFSET: a reason above it is an alert of the peer's, with its number added
_MAX_WRITE_BYTES = 1 << 30  # OpenSSL counts in C's int

_room = ffi.new("char[]", 32 * 1024)  # a record has at most 16 KiB and its frame
_COMPILED = not __file__.endswith(".py")


def _address(function: str) -> int:
    return int(ffi.cast("uintptr_t", ffi.addressof(lib, function)))


def _addresses() -> tuple[int, ...]:
    """Where OpenSSL's functions are; zeros where they are not to be called directly, or can't be found."""
    functions = ("SSL_do_handshake", "SSL_read", "SSL_write", "SSL_get_error")
    try:
        return tuple(map(_address, functions)) if _COMPILED else (0,) * len(functions)
    except (AttributeError, TypeError, ValueError, ffi.error):  # another version of cryptography
        return (0,) * len(functions)


_DO_HANDSHAKE, _READ, _WRITE, _GET_ERROR = _addresses()
_IS_DIRECT = _READ != 0


class TlsStream:
    """One of OpenSSL's streams. Its calls raise SSL.Error where OpenSSL reports more than that it has to wait."""

    __slots__ = ("_address", "_input", "_output", "_ssl", "alert", "connection")

    def __init__(self, connection: SSL.Connection) -> None:
        self.connection = connection
        """pyOpenSSL's object. It frees the stream when it goes, so that it must live as long as this one."""
        # Where its bytes come from and go to, once `detach` was called.
        self._input: Any = None
        self._output: Any = None
        self.alert = NO_ALERT
        """The number of the alert by which the peer failed it last (RFC 8446 §6); NO_ALERT where it was none."""
        self._ssl: Any = connection._ssl
        self._address = int(ffi.cast("uintptr_t", self._ssl)) if _IS_DIRECT else 0

    def do_handshake(self) -> int:
        """The next step of the handshake: DONE, WAITS_TO_READ or WAITS_TO_WRITE."""
        result = c_do_handshake(_DO_HANDSHAKE, self._address) if _IS_DIRECT else lib.SSL_do_handshake(self._ssl)
        return _DONE if result > 0 else self._explain(result)

    def read(self, buffer: bytearray) -> int:
        """Read at most one record into the buffer, which must have room for one: how many bytes, or WAITS_TO_…."""
        if _IS_DIRECT:
            result = c_read(_READ, self._address, PyByteArray_AS_STRING(buffer), PyByteArray_GET_SIZE(buffer))
        else:
            result = lib.SSL_read(self._ssl, ffi.from_buffer(buffer), len(buffer))
        return result if result > 0 else self._explain(result)

    def write(self, data: bytes | memoryview) -> int:
        """Write once: how many bytes were taken, or WAITS_TO_…."""
        if _IS_DIRECT:
            result = c_write(_WRITE, self._address, data)
        else:
            result = lib.SSL_write(self._ssl, ffi.from_buffer(data), min(len(data), _MAX_WRITE_BYTES))
        return result if result > 0 else self._explain(result)

    def detach(self) -> None:
        """Let go of the socket: from now on the caller moves the stream's own bytes, by `feed` and `take`."""
        self._input, self._output = lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())
        for memory in (self._input, self._output):
            lib.BIO_set_mem_eof_return(memory, -1)  # empty means to wait
        lib.SSL_set_bio(self._ssl, self._input, self._output)  # it frees them with the stream

    def feed(self, record: bytes) -> None:
        """Bytes that came from the peer."""
        lib.BIO_write(self._input, record, len(record))

    def take(self) -> bytes:
        """Bytes to be sent to the peer: those of at most one record, which each write makes."""
        size = lib.BIO_read(self._output, _room, len(_room))
        return bytes(ffi.buffer(_room, size)) if size > 0 else b""

    def _explain(self, result: int) -> int:
        """WAITS_TO_…, or raises what pyOpenSSL makes of the failure."""
        code = 0
        if _IS_DIRECT:
            code = c_errno()
            reason = c_get_error(_GET_ERROR, self._address, result)
        else:
            reason = lib.SSL_get_error(self._ssl, result)
        if reason == _SSL_ERROR_WANT_READ:
            return _WAITS_TO_READ
        if reason == _SSL_ERROR_WANT_WRITE:
            return _WAITS_TO_WRITE
        # Read before pyOpenSSL takes the failure: its exceptions have words, which do not always say "alert".
        self.alert = max(NO_ALERT, lib.ERR_GET_REASON(lib.ERR_peek_error()) - _FIRST_ALERT)
        if _IS_DIRECT:
            ffi.errno = code  # pyOpenSSL takes it from cffi, which did not see the call
        try:
            self.connection._raise_ssl_error(self._ssl, result)
        finally:
            # It leaves the reason of a failed system call in this thread's queue, and OpenSSL would take that for the
            # reason of the next call that has to wait, on any stream.
            lib.ERR_clear_error()
        raise SSL.Error([("", "", "no reason was given")])


def reason_of(error: SSL.Error) -> str:
    """What OpenSSL says went wrong, for people."""
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(str(reason[-1]) for reason in reasons) or "unknown failure"
