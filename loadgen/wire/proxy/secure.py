"""Transports to a proxy over TLS: requests go to the proxy itself, or through a tunnel that it opens (RFC 9110 §9.3.6).

All of it, TCP aside, is the phase `tunnel`: `tls` is the target's. A handshake with the proxy is always a full one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import Proxy
from loadgen.model.proxying import Proxying
from loadgen.wire.errors import TlsFailure, UpgradeFailure
from loadgen.wire.poller import Poller
from loadgen.wire.proxy.transport import TunnelRequest
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import HTTP1_ALONE, client_context
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

# What a failure of the handshake is called where the peer is the proxy.
_OF_PROXY = {
    ErrorKind.TLS_UNTRUSTED: ErrorKind.PROXY_UNTRUSTED,
    ErrorKind.TLS_WRONG_NAME: ErrorKind.PROXY_WRONG_NAME,
}


class ProxyTls:
    """What the handshakes with a run's proxy have in common."""

    __slots__ = ("context", "server_name")

    def __init__(self, proxy: Proxy, proxying: Proxying) -> None:
        """Raises PlanError where its authorities can't be read."""
        host = proxy.host.removesuffix(".")
        self.context = client_context(
            host, proxying.cacert, proxying.insecure, HTTP1_ALONE, cacert_flag="--proxy-cacert"
        )
        # RFC 6066 §3: an IP literal is no server name.
        self.server_name = b"" if proxy.is_ip_literal else host.encode("ascii")


class SecureProxyTransport(TlsTransport):
    """TLS with the proxy. tunnel: what to ask it for before the stream is open; None where requests go to it."""

    __slots__ = ("_callback", "_is_secured", "_rest", "_tunnel")

    def __init__(
        self, poller: Poller, proxy_tls: ProxyTls, tunnel: TunnelRequest | None,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        TlsTransport.__init__(self, poller, proxy_tls.context, proxy_tls.server_name, source=source)
        self._tunnel = tunnel
        self._is_secured = False
        # What came behind the proxy's answer: the tunnel's first bytes.
        self._rest = b""
        self._callback: Callable[[], None] | None = None

    def establish(self) -> Step:
        if not self._is_secured:
            try:
                step = TlsTransport.establish(self)
            except TlsFailure as error:
                kind = _OF_PROXY.get(error.kind, ErrorKind.PROXY_TLS_FAILED)
                raise UpgradeFailure(kind, f"{error}", by_peer=error.by_peer) from None
            if step is not OPEN:
                return BEGIN_TUNNEL if step is BEGIN_TLS else step
            self._is_secured = True
        if self._tunnel is None or self._tunnel.open:
            return OPEN
        return self._ask(self._tunnel)

    def receive(self) -> int:
        rest, self._rest = self._rest, b""
        if rest:
            self.buffer[: len(rest)] = rest
            return len(rest)
        return TlsTransport.receive(self)

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
                sent = TlsTransport.send(self, tunnel.outgoing)
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
            return TlsTransport.receive(self)
        except OSError:
            if self._tunnel is not None and self._tunnel.challenged:
                raise self._tunnel.closed() from None
            raise
        except TlsFailure as error:
            raise UpgradeFailure(ErrorKind.PROXY_TLS_FAILED, f"{error}", by_peer=error.by_peer) from None
