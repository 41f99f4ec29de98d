"""TLS over a TcpTransport, by OpenSSL: verified chains and names, full or resumed handshakes. Knows no HTTP.

pyOpenSSL rather than ssl: a full handshake takes about a fifth less CPU, and a session is passed on without a copy.
Some calls that pyOpenSSL does not wrap are taken from the bindings that it is built on.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from OpenSSL import SSL

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import RESETS, TlsFailure
from loadgen.wire.openssl import DONE, WAITS_TO_READ, TlsStream, ffi, lib, reason_of
from loadgen.wire.poller import Poller
from loadgen.wire.tls_alerts import kind_of_alert
from loadgen.wire.transport import BEGIN_TLS, OPEN, WANT_READ, WANT_WRITE, WOULD_BLOCK, Step, TcpTransport

# Of what OpenSSL finds wrong with a certificate: X509_V_ERR_HOSTNAME_MISMATCH, _EMAIL_, _IP_ADDRESS_;
# _CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED.
_KINDS_BY_REASON = {
    **dict.fromkeys((62, 63, 64), ErrorKind.TLS_WRONG_NAME),
    **dict.fromkeys((9, 10), ErrorKind.TLS_EXPIRED),
}
# RFC 8446 §5.1: the content of a record, and the frame before it.
_MAX_RECORD_BYTES, _HEADER_BYTES = 16 * 1024, 5
# Integers of C, where compiled.
_DONE, _WAITS_TO_READ, _WOULD_BLOCK = DONE, WAITS_TO_READ, WOULD_BLOCK


class TlsTransport(TcpTransport):
    """TLS on one connection: a client's where `server_name` is given or empty, a server's where it is None."""

    __slots__ = (
        "_begun", "_broken", "_context", "_incoming", "_is_between_records", "_is_detached", "_outgoing",
        "_server_name", "_session", "_stream", "_taken_bytes", "_up",
    )  # fmt: skip

    def __init__(
        self,
        poller: Poller,
        context: SSL.Context,
        server_name: bytes | None,
        session: Any = None,
        accepted: Any = None,
        source: Mapping[int, str] | None = None,
    ) -> None:
        self._context = context
        self._server_name = server_name
        # The session to offer, if any.
        self._session = session
        # OpenSSL's connection, made once TCP is open; that it is open; and that the handshake is done.
        self._stream: TlsStream | None = None
        self._begun = accepted is not None
        self._up = False
        # The error of a write that failed for good.
        self._broken: OSError | None = None
        # OpenSSL has read whole records so far.
        self._is_between_records = False
        # This transport moves the stream's bytes (see `_send_detached`): an incomplete record that came, one that is
        # not sent in full, and how many bytes of the caller's are in it.
        self._is_detached = False
        self._incoming = self._outgoing = b""
        self._taken_bytes = 0
        TcpTransport.__init__(self, poller, accepted, source)

    def _begin(self, descriptor: int | None) -> TlsStream:
        """Make the TLS stream: before the handshake's first byte, so in no phase. descriptor: None for no socket."""
        connection = SSL.Connection(self._context, descriptor)  # type: ignore[arg-type] # it takes a number, too
        if self._server_name is None:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
            # RFC 6066 §3: an IP literal is no server name.
            if self._server_name:
                connection.set_tlsext_host_name(self._server_name)
            if self._session is not None:
                connection.set_session(self._session)
        stream = self._stream = TlsStream(connection)
        return stream

    def establish(self) -> Step:
        if not self._begun:
            self._establish_tcp()
            self._begin(self._descriptor)
            self._begun = True
            return BEGIN_TLS
        stream = self._stream
        if stream is None:
            stream = self._begin(self._descriptor)
        try:
            outcome = stream.do_handshake()
        except SSL.SysCallError as error:
            raise _ended_by_peer(error.args[-1]) from None
        except SSL.Error as error:
            raise self._failure(error) from None
        if outcome == _DONE:
            self._up = self._is_between_records = True
            return OPEN
        return WANT_READ if outcome == _WAITS_TO_READ else WANT_WRITE

    @property
    def resumed(self) -> bool:
        """The handshake really resumed a session."""
        return bool(lib.SSL_session_reused(self._open_stream().connection._ssl))

    @property
    def session(self) -> Any:
        """The session to offer next time; with TLS 1.3 it exists only once data has come (RFC 8446 §4.6.1).

        None where it is a ticket of TLS 1.3 and the context takes none: OpenSSL keeps those that come all the same.
        """
        connection = self._open_stream().connection
        if lib.SSL_CTX_get_options(self._context._context) & lib.SSL_OP_NO_TICKET and _is_1_3(connection):
            return None
        return connection.get_session()

    def describe(self) -> dict[str, str | None]:
        """What was negotiated, and what became of the client's certificate."""
        connection = self._open_stream().connection
        return {
            "version": connection.get_protocol_version_name(),
            "cipher": connection.get_cipher_name(),
            "group": connection.get_group_name(),
            "alpn": self.alpn or None,
            "client_certificate": _client_certificate(self._context),
        }

    @property
    def alpn(self) -> str:
        """The protocol that was agreed on (RFC 7301), empty for none."""
        return str(self._open_stream().connection.get_alpn_proto_negotiated(), "ascii", "replace")

    def close(self) -> None:
        self._notify()
        self._session = self._stream = None
        TcpTransport.close(self)

    def end_writing(self) -> None:
        self._notify()
        TcpTransport.end_writing(self)

    def _notify(self) -> None:
        """Say close_notify before closing (RFC 8446 §6.1). Without it OpenSSL does not resume the session either."""
        stream = self._stream
        if stream is not None and self._up and self._broken is None:
            with suppress(SSL.Error, OSError):
                stream.connection.shutdown()
                if self._is_detached and not self._outgoing:
                    TcpTransport.send(self, stream.take())

    def receive(self) -> int:
        if self._is_detached:
            return self._receive_detached()
        if self._broken is not None:
            raise self._broken
        return self._read_stream()

    def send(self, data: bytes | memoryview) -> int:
        if self._broken is not None:
            raise self._broken
        if self._is_detached or (len(data) > _MAX_RECORD_BYTES and self._may_detach()):
            return self._send_detached(data)
        return self._write_stream(data)

    def _read_stream(self) -> int:
        try:
            size = self._open_stream().read(self.buffer)
        except SSL.ZeroReturnError:
            return 0
        except SSL.SysCallError as error:
            if error.args[0] == -1:
                self.is_cut_off = True  # closed without close_notify (RFC 8446 §6.1)
                return 0
            raise OSError(error.args[0], error.args[1]) from None
        except SSL.Error as error:
            raise self._failure(error) from None
        self._is_between_records = size > 0
        return size if size > 0 else _WOULD_BLOCK

    def _write_stream(self, data: bytes | memoryview) -> int:
        try:
            size = self._open_stream().write(data)
        except SSL.ZeroReturnError:
            raise self._break(errno.EPIPE, "the peer closed the TLS session") from None
        except SSL.SysCallError as error:
            raise self._break(error.args[0] if error.args[0] > 0 else errno.EPIPE, str(error.args[-1])) from None
        except SSL.Error as error:
            raise self._failure(error) from None
        return size if size > 0 else _WOULD_BLOCK

    def _may_detach(self) -> bool:
        """It is a client's, which may be refused; and no record is half read, so that the next byte begins one."""
        return self._server_name is not None and self._is_between_records

    def _send_detached(self, data: bytes | memoryview) -> int:
        """Send one record at a time. The same data must come again until it is sent: that is what `data` begins with.

        OpenSSL does not read any more once a write of its own has failed. A server that refuses a long body answers and
        closes, so that a write may fail before the answer is read: OpenSSL must not be the one who writes.
        """
        stream = self._open_stream()
        if not self._is_detached:
            stream.detach()
            self._is_detached = True
        if not self._outgoing:
            self._taken_bytes = self._write_stream(data)
            self._outgoing = stream.take()
        try:
            sent = TcpTransport.send(self, self._outgoing)
        except OSError as error:
            raise self._break(error.errno or errno.EPIPE, error.strerror or str(error)) from None
        self._outgoing = self._outgoing[max(0, sent) :]
        return _WOULD_BLOCK if self._outgoing else self._taken_bytes

    def _receive_detached(self) -> int:
        """Read from the socket record by record, so that nothing is held back that the loop does not know of."""
        while True:
            size = self._read_stream()
            if size != _WOULD_BLOCK:
                return size
            header = self._incoming[:_HEADER_BYTES]
            wanted = _HEADER_BYTES + (int.from_bytes(header[3:], "big") if len(header) == _HEADER_BYTES else 0)
            try:
                data = self.socket.recv(wanted - len(self._incoming))
            except BlockingIOError:
                return _WOULD_BLOCK
            if not data:
                self.is_cut_off = True
                return 0
            self._incoming += data
            if len(self._incoming) == wanted > _HEADER_BYTES:
                self._open_stream().feed(self._incoming)
                self._incoming = b""

    def _establish_tcp(self) -> None:
        try:
            TcpTransport.establish(self)
        except OSError as error:
            if error.errno in RESETS:  # accepted, and reset before the handshake began
                raise _ended_by_peer(error.strerror or str(error)) from None
            raise

    def _open_stream(self) -> TlsStream:
        """The stream, while the socket is this connection's: its number may be another's as soon as it is closed."""
        if self._stream is None:
            raise OSError("the transport is closed")
        return self._stream

    def _break(self, code: int, detail: str) -> OSError:
        """A write failed for good. A stream that OpenSSL wrote for must not be read any more either."""
        self._broken = OSError(code, detail)
        return self._broken

    def _failure(self, error: SSL.Error) -> TlsFailure:
        stream = self._open_stream()
        code = lib.SSL_get_verify_result(stream.connection._ssl)
        alert = stream.alert
        if code and not self._up and alert < 0 and self._context.get_verify_mode() != SSL.VERIFY_NONE:
            reason = ffi.string(lib.X509_verify_cert_error_string(code)).decode()
            return TlsFailure(_KINDS_BY_REASON.get(code, ErrorKind.TLS_UNTRUSTED), reason)
        detail = reason_of(error)
        if alert < 0:
            return TlsFailure(ErrorKind.TLS_FAILED, detail)
        return TlsFailure(kind_of_alert(alert, _client_certificate(self._context)), detail, by_peer=True)


def _is_1_3(connection: SSL.Connection) -> bool:
    return bool(lib.SSL_version(connection._ssl) == SSL.TLS1_3_VERSION)


def _client_certificate(context: Any) -> str | None:
    """What became of the client's certificate: `sent`, `missing` where a server asked for one in vain, or None."""
    if not getattr(context, "certificate_asked", False):
        return None
    return "sent" if context.has_certificate else "missing"


def _ended_by_peer(how: str) -> TlsFailure:
    return TlsFailure(ErrorKind.TLS_FAILED, f"the peer ended the connection: {how}", by_peer=True)
