"""Transports to a proxy over TLS: requests go to the proxy itself, or through a tunnel that it opens (RFC 9110 §9.3.6).

All of it, TCP aside, is the phase `tunnel`: `tls` is the target's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gevent

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import Proxy
from loadgen.model.proxying import Proxying
from loadgen.model.records import ConnectionFlag
from loadgen.wire.client_certificates import load_certificates
from loadgen.wire.errors import TlsFailure, UpgradeFailure
from loadgen.wire.poller import Poller
from loadgen.wire.proxy.transport import TunnelRequest
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import HTTP1_ALONE, ClientContext, client_context
from loadgen.wire.transport import (
    BEGIN_TLS,
    BEGIN_TUNNEL,
    OPEN,
    READ,
    WANT_READ,
    WANT_WRITE,
    WOULD_BLOCK,
    Step,
)

# What a failure of TLS is called where the peer is the proxy.
_OF_PROXY = {
    ErrorKind.TLS_UNTRUSTED: ErrorKind.PROXY_UNTRUSTED,
    ErrorKind.TLS_WRONG_NAME: ErrorKind.PROXY_WRONG_NAME,
    ErrorKind.TLS_EXPIRED: ErrorKind.PROXY_EXPIRED,
    ErrorKind.TLS_CERTIFICATE_REQUIRED: ErrorKind.PROXY_CERTIFICATE_REQUIRED,
    ErrorKind.TLS_CERTIFICATE_REFUSED: ErrorKind.PROXY_CERTIFICATE_REFUSED,
}


class ProxyTls:
    """What the handshakes with a run's proxy have in common."""

    __slots__ = ("_contexts", "server_name")

    def __init__(self, proxy: Proxy, proxying: Proxying) -> None:
        """Raises PlanError where its authorities, or the client's certificates, can't be used."""
        host = proxy.host.removesuffix(".")
        self._contexts: list[ClientContext] = []
        for certificate in load_certificates(proxying.identity) or (None,):
            like = self._contexts[0] if self._contexts else None
            context = client_context(
                host, proxying.cacert, proxying.insecure, HTTP1_ALONE, certificate=certificate, like=like,
                cacert_flag="--proxy-cacert",
            )  # fmt: skip
            self._contexts.append(context)
        # RFC 6066 §3: an IP literal is no server name.
        self.server_name = b"" if proxy.is_ip_literal else host.encode("ascii")

    def context(self, user: int = 0) -> ClientContext:
        """That of a user: of several client certificates they take one each, in turns."""
        return self._contexts[user % len(self._contexts)]


class ProxiedSession(NamedTuple):
    """What a user offers next: to the proxy, and to the target inside the tunnel."""

    proxy: Any
    target: Any = None
    """None where the target is spoken to in clear."""


class SecureProxyTransport(TlsTransport):
    """TLS with the proxy. tunnel: what to ask it for before the stream is open; None where requests go to it.

    session: what this user's last connection ended with. user: whose connection it is.
    """

    __slots__ = ("_callback", "_is_secured", "_rest", "_tunnel", "proxy_flags")

    def __init__(
        self, poller: Poller, proxy_tls: ProxyTls, tunnel: TunnelRequest | None,
        source: Mapping[int, str] | None = None, session: ProxiedSession | None = None, user: int = 0,
    ) -> None:  # fmt: skip
        offered = None if session is None else session.proxy
        TlsTransport.__init__(self, poller, proxy_tls.context(user), proxy_tls.server_name, offered, source=source)
        self._tunnel = tunnel
        self._is_secured = False
        self.proxy_flags = 0
        """How the handshake with the proxy was done, as ConnectionFlags; 0 until it is."""
        # What came behind the proxy's answer: the tunnel's first bytes.
        self._rest = b""
        self._callback: Callable[[], None] | None = None

    @property
    def session(self) -> ProxiedSession:
        """The session to offer the proxy next time."""
        return ProxiedSession(super().session)

    def establish(self) -> Step:
        if not self._is_secured:
            try:
                step = TlsTransport.establish(self)
            except TlsFailure as error:
                raise _of_proxy(error) from None
            if step is not OPEN:
                return BEGIN_TUNNEL if step is BEGIN_TLS else step
            self._is_secured = True
            self.proxy_flags = int(ConnectionFlag.PROXY_TLS | (ConnectionFlag.PROXY_TLS_RESUMED if self.resumed else 0))
        if self._tunnel is None or self._tunnel.open:
            return OPEN
        return self._ask(self._tunnel)

    def receive(self) -> int:
        rest, self._rest = self._rest, b""
        if rest:
            self.buffer[: len(rest)] = rest
            return len(rest)
        try:
            return TlsTransport.receive(self)
        except TlsFailure as error:  # with TLS 1.3 also what the proxy says of the client's certificate
            raise _of_proxy(error) from None

    def send(self, data: bytes | memoryview) -> int:
        try:
            return TlsTransport.send(self, data)
        except TlsFailure as error:
            raise _of_proxy(error) from None

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self._callback = callback if event == READ else None
        TlsTransport.watch(self, event, callback)
        if self._rest and event == READ:  # the kernel has nothing more to tell of
            gevent.get_hub().loop.run_callback(self._tell, callback)

    def take_rest(self) -> bytes:
        """The tunnel's first bytes, for another layer above this one."""
        rest, self._rest = self._rest, b""
        return rest

    def _tell(self, callback: Callable[[], None]) -> None:
        if self._rest and self._callback is callback:
            callback()

    def _ask(self, tunnel: TunnelRequest) -> Step:
        """Send what is still unsent, read what has come, until the tunnel is open."""
        tunnel.begun = True
        while not tunnel.open:
            if tunnel.outgoing:
                sent = self.send(tunnel.outgoing)
                tunnel.outgoing = tunnel.outgoing[max(0, sent) :]
                if tunnel.outgoing:
                    return WANT_WRITE
            size = self._hear()
            if size == WOULD_BLOCK:
                return WANT_READ
            if size == 0:
                raise tunnel.closed()
            data = bytes(memoryview(self.buffer)[:size])
            taken = tunnel.feed(data)
            self._rest = data[taken:]
        return OPEN

    def _hear(self) -> int:
        try:
            return self.receive()
        except OSError:
            if self._tunnel is not None and self._tunnel.challenged:
                raise self._tunnel.closed() from None
            raise


def _of_proxy(error: TlsFailure) -> UpgradeFailure:
    kind = _OF_PROXY.get(error.kind, ErrorKind.PROXY_TLS_FAILED)
    return UpgradeFailure(kind, f"{error}", by_peer=error.by_peer)
