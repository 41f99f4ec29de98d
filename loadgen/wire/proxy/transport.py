"""Transports that reach their peer through a proxy's tunnel: TCP to the proxy, CONNECT or SOCKS, then as without one.

Only the end of its answer separates what the proxy says from the tunnel's own bytes. So bytes are peeked at first, and
only those of the proxy's answer are read. Knows no HTTP and no SOCKS itself; the request for the tunnel does.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Protocol

from loadgen.wire.early_data import EarlyTlsTransport
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.poller import Poller
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import BEGIN_TUNNEL, WANT_READ, WANT_WRITE, Step, TcpTransport

_PEEK_BYTES = 64 * 1024


class TunnelRequest(Protocol):
    """What one connection says to the proxy before its tunnel is open: `ConnectRequest`, or `SocksRequest`."""

    begun: bool
    open: bool
    challenged: bool
    outgoing: bytes

    def feed(self, data: bytes) -> int: ...
    def closed(self) -> UpgradeFailure: ...


class _TunnelSteps(TcpTransport):
    """The steps that come before those of the transport it is mixed into."""

    __slots__ = ()
    _tunnel: TunnelRequest

    def establish(self) -> Step:
        tunnel = self._tunnel
        if tunnel.open:
            return super().establish()
        if not tunnel.begun:
            TcpTransport.establish(self)
            tunnel.begun = True
            return BEGIN_TUNNEL
        try:
            step = self._exchange_heads(tunnel)
        except OSError:
            if tunnel.challenged:
                raise tunnel.closed() from None
            raise
        return super().establish() if step is None else step

    def _exchange_heads(self, tunnel: TunnelRequest) -> Step | None:
        """Send what is still unsent, read what has come; None once the tunnel is open."""
        sock: Any = self.socket
        while not tunnel.open:
            try:
                if tunnel.outgoing:
                    tunnel.outgoing = tunnel.outgoing[sock.send(tunnel.outgoing) :]
                    return WANT_WRITE if tunnel.outgoing else WANT_READ
                data = sock.recv(_PEEK_BYTES, socket.MSG_PEEK)
            except BlockingIOError:
                return WANT_WRITE if tunnel.outgoing else WANT_READ
            if not data:
                raise tunnel.closed()
            sock.recv(tunnel.feed(data))
        return None


class TunnelTcpTransport(_TunnelSteps):
    """Plain TCP through a proxy's tunnel."""

    __slots__ = ("_tunnel",)

    def __init__(self, poller: Poller, tunnel: TunnelRequest, source: Mapping[int, str] | None = None) -> None:
        super().__init__(poller, source=source)
        self._tunnel = tunnel


class TunnelTlsTransport(_TunnelSteps, TlsTransport):
    """TLS with the target through a proxy's tunnel."""

    __slots__ = ("_tunnel",)

    def __init__(
        self, poller: Poller, tunnel: TunnelRequest, context: Any, server_name: bytes, session: Any = None,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        TlsTransport.__init__(self, poller, context, server_name, session, source=source)
        self._tunnel = tunnel


class TunnelEarlyTlsTransport(_TunnelSteps, EarlyTlsTransport):
    """The same, whose first request is early data."""

    __slots__ = ("_tunnel",)

    def __init__(
        self, poller: Poller, tunnel: TunnelRequest, context: Any, server_name: bytes, session: Any, request: bytes,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        EarlyTlsTransport.__init__(self, poller, context, server_name, session, request, source)
        self._tunnel = tunnel
