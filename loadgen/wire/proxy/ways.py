"""Which transport leads to the target by a proxy, or begins with a header that names the client. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loadgen.wire.poller import Poller
from loadgen.wire.proxy.announced import AnnouncedEarlyTlsTransport, AnnouncedTcpTransport, AnnouncedTlsTransport
from loadgen.wire.proxy.transport import (
    TunnelEarlyTlsTransport,
    TunnelRequest,
    TunnelTcpTransport,
    TunnelTlsTransport,
)
from loadgen.wire.transport import TcpTransport

if TYPE_CHECKING:
    from loadgen.wire.proxy.secure import ProxyTls

Tls = tuple[Any, bytes]
"""Of the target: the context, and the name to ask for."""


def proxied_transport(
    hub: Poller, proxy_tls: ProxyTls | None, tunnel: TunnelRequest | None, tls: Tls | None,
    source: Mapping[int, str] | None, session: Any = None, early: Any = None, user: int = 0,
) -> TcpTransport:  # fmt: skip
    """A stream by a proxy. proxy_tls: the proxy is spoken to over TLS. tunnel: it is asked for one.

    tls: the target is spoken to over TLS, in a tunnel. session: what the user's last connection ended with. early: the
    request that is sent as early data. user: whose it is, of several client certificates for the proxy.
    """
    if proxy_tls is None:
        return _through(hub, tunnel, tls, source, session, early)
    from loadgen.wire.proxy.secure import SecureProxyTransport
    from loadgen.wire.proxy.tls_in_tls import TlsInTlsTransport

    outer = SecureProxyTransport(hub, proxy_tls, tunnel, source, session, user)
    if tls is None:
        return outer
    inner = None if session is None else session.target
    return TlsInTlsTransport(hub, outer, *tls, inner, None if inner is None else early)


def _through(
    hub: Poller, tunnel: TunnelRequest | None, tls: Tls | None, source: Mapping[int, str] | None, session: Any,
    early: Any,
) -> TcpTransport:  # fmt: skip
    """The same by a proxy that is spoken to in clear."""
    if tunnel is None:
        return TcpTransport(hub, source=source)
    if tls is None:
        return TunnelTcpTransport(hub, tunnel, source)
    if early is not None:
        return TunnelEarlyTlsTransport(hub, tunnel, *tls, session, early, source)
    return TunnelTlsTransport(hub, tunnel, *tls, session, source)


def announced_transport(
    hub: Poller, version: int, tls: Tls | None, source: Mapping[int, str] | None, session: Any, early: Any
) -> TcpTransport:
    """A stream that begins with a header of the PROXY protocol. session, early: as above."""
    if tls is None:
        return AnnouncedTcpTransport(hub, version, source)
    if early is not None:
        return AnnouncedEarlyTlsTransport(hub, version, *tls, session, early, source)
    return AnnouncedTlsTransport(hub, version, *tls, session, source)
