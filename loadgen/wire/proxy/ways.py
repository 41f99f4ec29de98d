"""Which transport leads to the target by a proxy, or begins with a header that names the client. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loadgen.wire.poller import Poller
from loadgen.wire.proxy.announced import AnnouncedEarlyTlsTransport, AnnouncedTcpTransport, AnnouncedTlsTransport
from loadgen.wire.proxy.transport import TunnelRequest, TunnelTcpTransport, TunnelTlsTransport
from loadgen.wire.transport import TcpTransport

if TYPE_CHECKING:
    from loadgen.wire.proxy.secure import ProxyTls

Tls = tuple[Any, bytes, Any]
"""Of the target: the context, the name to ask for, the session to offer."""


def proxied_transport(
    hub: Poller, proxy_tls: ProxyTls | None, tunnel: TunnelRequest | None, tls: Tls | None,
    source: Mapping[int, str] | None,
) -> TcpTransport:  # fmt: skip
    """A stream by a proxy. proxy_tls: the proxy is spoken to over TLS. tunnel: it is asked for one.

    tls: the target is spoken to over TLS, in a tunnel.
    """
    if proxy_tls is None:
        if tunnel is None:
            return TcpTransport(hub, source=source)
        return TunnelTcpTransport(hub, tunnel, source) if tls is None else TunnelTlsTransport(hub, tunnel, *tls, source)
    from loadgen.wire.proxy.secure import SecureProxyTransport
    from loadgen.wire.proxy.tls_in_tls import TlsInTlsTransport

    outer = SecureProxyTransport(hub, proxy_tls, tunnel, source)
    return outer if tls is None else TlsInTlsTransport(hub, outer, *tls)


def announced_transport(
    hub: Poller, version: int, tls: Tls | None, early: bytes | None, source: Mapping[int, str] | None
) -> TcpTransport:
    """A stream that begins with a header of the PROXY protocol. early: the request that is sent as early data."""
    if tls is None:
        return AnnouncedTcpTransport(hub, version, source)
    if early is not None:
        return AnnouncedEarlyTlsTransport(hub, version, *tls, early, source)
    return AnnouncedTlsTransport(hub, version, *tls, source)
