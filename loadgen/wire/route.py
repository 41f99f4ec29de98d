"""The way to the target that all connections share: its addresses, or its proxy's, and its TLS context.

Opens nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loadgen.model.proxy import Proxy
from loadgen.model.route_plan import RoutePlan
from loadgen.model.target import Target
from loadgen.model.tls_settings import TlsSettings
from loadgen.wire import poller
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.proxy.connect import CHALLENGE, ConnectRequest, ProxyLogin
from loadgen.wire.proxy.transport import TunnelTcpTransport, TunnelTlsTransport
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_contexts import TlsContexts
from loadgen.wire.transport import SocketAddress, TcpTransport, Transport


class Route:
    """How to reach `target`."""

    def __init__(
        self, target: Target, addresses: Sequence[SocketAddress] = (), sources: tuple[str, ...] = (),
        proxy: Proxy | None = None, tunnels: bool = False,
    ) -> None:  # fmt: skip
        self.target = target
        self.tls_context: Any = None
        """With HTTP/1.1 offered by ALPN: some servers refuse a client that offers nothing."""
        self.h2_context: Any = None
        """With HTTP/2 offered too."""
        self.turns: tuple[Any, ...] = ()
        """Both for each of several client certificates, which users take in turns; empty where there is one at most."""
        self._contexts: TlsContexts | None = None
        self._settings: TlsSettings | None = None
        self.addresses = list(addresses)
        """Those of the target, or of the proxy; empty until the first connection has resolved the name. Connections go
        to the first one."""
        self.sources = sources
        """Local addresses to connect from, taken in turns; empty to leave the choice to the kernel."""
        self.proxy = proxy
        """Connections go to this proxy instead of the target."""
        self.tunnels = tunnels
        """The proxy is asked for a tunnel (CONNECT); else requests are sent to the proxy itself."""
        self.login = ProxyLogin("")
        """The credentials for the proxy, and whether it has asked for them."""
        self._dropped: list[SocketAddress] = []
        self._turn = 0
        self.server_name = b""
        """For the TLS handshake (SNI); empty for none (RFC 6066 §3: an IP literal is none)."""

    @classmethod
    def of(cls, plan: RoutePlan) -> Route:
        """The way to the plan's target. Raises PlanError where its certificates can't be used."""
        target, proxy = plan.target, plan.proxy
        route = cls(target, sources=plan.source_ips, proxy=proxy)
        if proxy is not None:
            route.login = ProxyLogin(proxy.authorization)
        if target.is_tls:
            route.tunnels = True
            if plan.tls.sends_name and (plan.tls.sni or not target.is_ip_literal):
                route.server_name = plan.tls.server_name(target.tls_name).encode("ascii")
            route._contexts = TlsContexts(plan)
            route.use_tls(plan.tls)
        return route

    def use_tls(self, settings: TlsSettings) -> None:
        """Offer this in the handshakes from now on. Raises PlanError where the TLS library can't."""
        if self._contexts is None or settings == self._settings:
            return
        pairs = self._contexts.of(settings)
        self._settings = settings
        self.tls_context, self.h2_context = pairs[0]
        self.turns = pairs if len(pairs) > 1 else ()

    @property
    def peer(self) -> tuple[str, int]:
        """Host and port that connections go to."""
        found = self.proxy or self.target
        return found.host, found.port

    @property
    def proxy_fields(self) -> tuple[tuple[str, str], ...]:
        """The fields for the proxy in a request sent to it: credentials, once it has asked (RFC 9110 §11.7.2)."""
        if self.proxy is None or self.tunnels or not self.login.authorization:
            return ()
        return (("Proxy-Authorization", self.login.authorization),)

    def challenged(self, head: ResponseHead | None) -> bool:
        """Whether this head, if any, is a challenge of the proxy's, to be answered with `proxy_fields` as they are now.

        Raises UpgradeFailure where there is nothing to answer it with.
        """
        if head is None or head.status != CHALLENGE or self.proxy is None or self.tunnels:
            return False
        self.login.challenged(head, sent=self.login.wanted)
        return True

    def set_addresses(self, found: list[SocketAddress]) -> SocketAddress:
        """Keep the addresses that the resolver found; returns the one to connect to."""
        usable = [address for address in found if address not in self._dropped]
        self.addresses[:] = usable or found
        return self.addresses[0]

    def drop_address(self) -> None:
        """The first address does not answer: do not use it any more."""
        self._dropped.append(self.addresses.pop(0))

    def restore_addresses(self) -> None:
        """Addresses that were dropped may answer by now: use them again, in the order in which they were found."""
        self.addresses[:0] = self._dropped
        self._dropped.clear()

    def transport(self, session: Any = None, offers_h2: bool = False, user: int = 0) -> Transport:
        """A new, unconnected stream. session: a TLS session to offer. offers_h2: offer HTTP/2 too, by ALPN.

        user: whose it is, of several client certificates.
        """
        hub = poller.of_hub()
        if self.tls_context is None and self.proxy is None and not self.sources:
            return TcpTransport(hub)
        source = None
        if self.sources:
            source = self.sources[self._turn % len(self.sources)]
            self._turn += 1
        tunnel = ConnectRequest(self.target.authority, self.login) if self.proxy is not None and self.tunnels else None
        if self.tls_context is None:
            return TcpTransport(hub, source=source) if tunnel is None else TunnelTcpTransport(hub, tunnel, source)
        context = self.h2_context if offers_h2 else self.tls_context
        if self.turns:
            context = self.turns[user % len(self.turns)][1 if offers_h2 else 0]
        if tunnel is None:
            return TlsTransport(hub, context, self.server_name, session, source=source)
        return TunnelTlsTransport(hub, tunnel, context, self.server_name, session, source)
