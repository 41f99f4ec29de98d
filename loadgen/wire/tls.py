"""TLS over a TcpTransport, by OpenSSL: verified chains and names, full or resumed handshakes. Knows no HTTP.

pyOpenSSL rather than ssl: a full handshake takes about a fifth less CPU, and a session is passed on without a copy.
Some calls that pyOpenSSL does not wrap are taken from the bindings that it is built on.
"""

from __future__ import annotations

import errno
import ipaddress
from contextlib import suppress
from typing import Any

from OpenSSL import SSL

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.wire.errors import TlsFailure
from loadgen.wire.openssl import DONE, WAITS_TO_READ, TlsStream, ffi, lib
from loadgen.wire.poller import Poller
from loadgen.wire.transport import BEGIN_TLS, OPEN, WANT_READ, WANT_WRITE, WOULD_BLOCK, Step, TcpTransport

# The classical groups, as the C tools offer them. OpenSSL's default adds an ML-KEM key share, which costs the client
# CPU even if the server does not use it. Each run records what was negotiated.
_GROUPS = b"X25519:P-256:P-384:P-521"
_NAME_MISMATCHES = {62, 63, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, _EMAIL_, _IP_ADDRESS_
H2_OR_HTTP1 = (b"h2", b"http/1.1")
# Integers of C, where compiled.
_DONE, _WAITS_TO_READ, _WOULD_BLOCK = DONE, WAITS_TO_READ, WOULD_BLOCK


def client_context(host: str, cacert: str | None, insecure: bool, alpn: tuple[bytes, ...] = ()) -> SSL.Context:
    """A context that trusts the system's authorities, or only those in `cacert`, and checks the name `host`.

    alpn: protocols to offer (RFC 7301), the preferred one first; empty for no such extension.
    Raises PlanError where `cacert` can't be used.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # The policy decides which session is offered, so there is no cache.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    lib.SSL_CTX_set1_curves_list(context._context, _GROUPS)
    if alpn:
        context.set_alpn_protos(list(alpn))
    if insecure:
        context.set_verify(SSL.VERIFY_NONE)
        return context
    if cacert is None:
        context.set_default_verify_paths()
    else:
        try:
            context.load_verify_locations(cacert)
        except SSL.Error:
            raise PlanError(f"--cacert {cacert}: no PEM certificate can be read from it") from None
    context.set_verify(SSL.VERIFY_PEER)
    parameters = lib.SSL_CTX_get0_param(context._context)
    try:
        packed = ipaddress.ip_address(host).packed
    except ValueError:
        lib.X509_VERIFY_PARAM_set1_host(parameters, host.encode("ascii"), 0)
    else:
        lib.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))
    return context


class TlsTransport(TcpTransport):
    """TLS on one connection: a client's where `server_name` is given or empty, a server's where it is None."""

    __slots__ = ("_begun", "_broken", "_context", "_server_name", "_session", "_stream", "_up")

    def __init__(
        self,
        poller: Poller,
        context: SSL.Context,
        server_name: bytes | None,
        session: Any = None,
        accepted: Any = None,
        source: str | None = None,
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
        TcpTransport.__init__(self, poller, accepted, source)

    def _begin(self) -> TlsStream:
        """Make the TLS stream: once TCP is up and before the handshake's first byte, so in no phase."""
        connection = SSL.Connection(self._context, self._descriptor)  # type: ignore[arg-type] # it takes a number, too
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
            TcpTransport.establish(self)
            self._begin()
            self._begun = True
            return BEGIN_TLS
        stream = self._stream
        if stream is None:
            stream = self._begin()
        try:
            outcome = stream.do_handshake()
        except SSL.SysCallError as error:
            raise TlsFailure(ErrorKind.TLS_FAILED, f"the peer ended the connection: {error.args[-1]}") from None
        except SSL.Error as error:
            raise self._failure(error) from None
        if outcome == _DONE:
            self._up = True
            return OPEN
        return WANT_READ if outcome == _WAITS_TO_READ else WANT_WRITE

    @property
    def resumed(self) -> bool:
        """The handshake really resumed a session."""
        return bool(lib.SSL_session_reused(self._open_stream().connection._ssl))

    @property
    def session(self) -> Any:
        """The session to offer next time; with TLS 1.3 it exists only once data has come (RFC 8446 §4.6.1)."""
        return self._open_stream().connection.get_session()

    def describe(self) -> dict[str, str | None]:
        """Protocol version, cipher and key exchange group that were negotiated."""
        connection = self._open_stream().connection
        return {
            "version": connection.get_protocol_version_name(),
            "cipher": connection.get_cipher_name(),
            "group": connection.get_group_name(),
        }

    @property
    def alpn(self) -> str:
        """The protocol that was agreed on (RFC 7301), empty for none."""
        return str(self._open_stream().connection.get_alpn_proto_negotiated(), "ascii", "replace")

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None and self._up:
            # RFC 8446 §6.1: close_notify before closing. Without it OpenSSL does not resume the session either.
            with suppress(SSL.Error):
                stream.connection.shutdown()
        self._session = None
        TcpTransport.close(self)

    def receive(self) -> int:
        if self._broken is not None:
            raise self._broken
        try:
            size = self._open_stream().read(self.buffer)
        except SSL.ZeroReturnError:
            return 0
        except SSL.SysCallError as error:
            if error.args[0] == -1:
                return 0  # closed without close_notify: HTTP's own framing says whether anything is missing
            raise OSError(error.args[0], error.args[1]) from None
        except SSL.Error as error:
            raise self._failure(error) from None
        return size if size > 0 else _WOULD_BLOCK

    def send(self, data: bytes | memoryview) -> int:
        try:
            size = self._open_stream().write(data)
        except SSL.ZeroReturnError:
            raise self._break(errno.EPIPE, "the peer closed the TLS session") from None
        except SSL.SysCallError as error:
            raise self._break(error.args[0] if error.args[0] > 0 else errno.EPIPE, str(error.args[-1])) from None
        except SSL.Error as error:
            raise self._failure(error) from None
        return size if size > 0 else _WOULD_BLOCK

    def _open_stream(self) -> TlsStream:
        """The stream, while the socket is this connection's: its number may be another's as soon as it is closed."""
        if self._stream is None:
            raise OSError("the transport is closed")
        return self._stream

    def _break(self, code: int, detail: str) -> OSError:
        """A write failed for good: OpenSSL must not be called for this stream any more."""
        self._broken = OSError(code, detail)
        return self._broken

    def _failure(self, error: SSL.Error) -> TlsFailure:
        code = lib.SSL_get_verify_result(self._open_stream().connection._ssl)
        if code and not self._up:
            reason = ffi.string(lib.X509_verify_cert_error_string(code)).decode()
            kind = ErrorKind.TLS_WRONG_NAME if code in _NAME_MISMATCHES else ErrorKind.TLS_UNTRUSTED
            return TlsFailure(kind, reason)
        reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
        return TlsFailure(ErrorKind.TLS_FAILED, "; ".join(str(reason[-1]) for reason in reasons) or "unknown failure")
