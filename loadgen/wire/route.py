"""The way to the target that all connections share: besides addresses its TLS contexts, and its proxy's tunnel.

Opens nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from loadgen.model.addressing import DEFAULT_ADDRESSING, Addressing
from loadgen.model.proxy import Proxy
from loadgen.model.route_plan import RoutePlan
from loadgen.model.target import Target
from loadgen.model.tls_settings import TlsSettings
from loadgen.wire import poller
from loadgen.wire.address_race import AddressRace
from loadgen.wire.client_certificates import ClientCertificate
from loadgen.wire.early_data import EarlyTlsTransport
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.proxy.connect import CHALLENGE, ConnectRequest, ProxyLogin
from loadgen.wire.proxy.transport import TunnelRequest
from loadgen.wire.proxy.ways import Tls, announced_transport, proxied_transport
from loadgen.wire.route_addresses import RouteAddresses
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_contexts import TlsContexts
from loadgen.wire.transport import SocketAddress, TcpTransport, Transport

if TYPE_CHECKING:
    from loadgen.wire.proxy.secure import ProxyTls


class Route(RouteAddresses):
    """How to reach `target`."""

    def __init__(
        self, target: Target, addresses: Sequence[SocketAddress] = (), sources: tuple[str, ...] = (),
        proxy: Proxy | None = None, tunnels: bool = False, addressing: Addressing = DEFAULT_ADDRESSING,
        proxy_tls: ProxyTls | None = None,
    ) -> None:  # fmt: skip
        RouteAddresses.__init__(self, target, addresses, sources, proxy, addressing)
        self.tls_context: Any = None
        """With HTTP/1.1 offered by ALPN: some servers refuse a client that offers nothing."""
        self.h2_context: Any = None
        """With HTTP/2 offered too."""
        self.turns: tuple[Any, ...] = ()
        """Both for each of several client certificates, which users take in turns; empty where there is one at most."""
        self.sends_early = False
        """A connection's first request is early data, where its session allows that."""
        self.early_methods: frozenset[bytes] | None = None
        """Requests of other methods are never early data; None: whoever sends them knows that they may be."""
        self._contexts: TlsContexts | None = None
        self._settings: TlsSettings | None = None
        self.proxy_tls = proxy_tls
        """For the handshakes with the proxy; None where it is spoken to in clear."""
        self.proxy_protocol = 0
        """The version of the PROXY protocol whose header begins each connection; 0 for none."""
        self.tunnels = tunnels
        """The proxy is asked for a tunnel (CONNECT, SOCKS); else requests are sent to the proxy itself."""
        self.login = ProxyLogin("")
        """The credentials for the proxy, and whether it has asked for them."""
        self.socket_options: tuple[tuple[int, int, Any], ...] = ()
        """What is set of each connection's socket before it opens, as setsockopt takes it."""
        self.server_name = b""
        """For the TLS handshake (SNI); empty for none (RFC 6066 §3: an IP literal is none)."""

    @classmethod
    def of(cls, plan: RoutePlan) -> Route:
        """The way to the plan's target. Raises PlanError where its certificates can't be used."""
        target, proxy = plan.target, plan.proxy
        route = cls(target, sources=plan.source_ips, proxy=proxy, addressing=plan.addressing)
        if proxy is not None:
            route.login = ProxyLogin(proxy.authorization)
            route.tunnels = proxy.is_socks or plan.addressing.leads_elsewhere(target)
            if proxy.is_tls:
                from loadgen.wire.proxy.secure import ProxyTls  # few runs have such a proxy

                route.proxy_tls = ProxyTls(proxy, plan.proxying)
        route.proxy_protocol = plan.proxying.protocol or 0
        if target.is_tls:
            route.tunnels = True
            if plan.tls.sends_name and (plan.tls.sni or not target.is_ip_literal):
                route.server_name = plan.tls.server_name(target.tls_name).encode("ascii")
            route._contexts = TlsContexts(plan)
            route.use_tls(plan.tls)
        return route

    def use_tls(self, settings: TlsSettings, sends_early: bool = False) -> None:
        """Offer this in the handshakes from now on. Raises PlanError where the TLS library can't.

        sends_early: see the field.
        """
        if self._contexts is None or (settings, sends_early) == (self._settings, self.sends_early):
            return
        pairs = self._contexts.of(settings, sends_early)
        self.sends_early = sends_early
        self._settings = settings
        self.tls_context, self.h2_context = pairs[0]
        self.turns = pairs if len(pairs) > 1 else ()

    @property
    def certificate(self) -> ClientCertificate | None:
        """The first user's client certificate, if any."""
        return None if self._contexts is None else self._contexts.certificate

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

    def tunnel(self) -> TunnelRequest:
        """A new request for a tunnel to the target, or to what --connect-to names in its place."""
        end = self.target_end
        if self.proxy is None or not self.proxy.is_socks:
            return ConnectRequest(end.authority, self.login)
        from loadgen.wire.proxy.socks import SocksRequest  # with a library that few runs need

        addresses = end.addresses if self.proxy.takes_addresses else ()
        return SocksRequest(self.found_target or (addresses or (end.host,))[0], end.port, self.proxy)

    def transport(self, session: Any = None, offers_h2: bool = False, user: int = 0, request: Any = None) -> Transport:
        """A new, unconnected stream. session: a TLS session to offer. offers_h2: offer HTTP/2 too, by ALPN.

        user: whose it is, of several client certificates. request: what will be sent first.
        """
        if self.race_delay_ns:
            make = partial(self.attempt, session, offers_h2, user, request)
            return AddressRace(poller.of_hub(), self.race_order, self.race_delay_ns, self.races, make)
        return self.attempt(session, offers_h2, user, request)

    def attempt(self, session: Any = None, offers_h2: bool = False, user: int = 0, request: Any = None) -> Transport:
        """The same for one address: that of the connection, or one of several that it tries."""
        if self.tls_context is None:
            if self.proxy is None and not self.sources and not self.proxy_protocol:
                return TcpTransport(poller.of_hub())
            return self._by_another_way(None, session, None, user)
        context = self.h2_context if offers_h2 else self.tls_context
        if self.turns:
            context = self.turns[user % len(self.turns)][1 if offers_h2 else 0]
        early = request if self.sends_early and session is not None and self._may_be_early(request) else None
        return self.tls_transport(context, self.server_name, session, early, user)

    def tls_transport(
        self, context: Any, server_name: bytes, session: Any = None, early: Any = None, user: int = 0
    ) -> Transport:
        """A new stream with TLS by this context. early: the request that is sent as early data, where it is."""
        if self.proxy is None and not self.proxy_protocol and early is None:
            return TlsTransport(poller.of_hub(), context, server_name, session, source=self.next_source())
        return self._by_another_way((context, server_name), session, early, user)

    def _may_be_early(self, request: Any) -> bool:
        methods = self.early_methods
        return methods is None or (isinstance(request, bytes) and request.partition(b" ")[0] in methods)

    def _by_another_way(self, tls: Tls | None, session: Any, early: Any, user: int) -> Transport:
        """A new stream that is more than TCP, or TCP and TLS, to the target. tls: None where that is in clear."""
        hub, source = poller.of_hub(), self.next_source()
        if self.proxy is not None:
            tunnel = self.tunnel() if self.tunnels or tls is not None else None
            return proxied_transport(hub, self.proxy_tls, tunnel, tls, source, session, early, user)
        if self.proxy_protocol:
            return announced_transport(hub, self.proxy_protocol, tls, source, session, early)
        if tls is None:
            return TcpTransport(hub, source=source)
        return EarlyTlsTransport(hub, *tls, session, early, source)
