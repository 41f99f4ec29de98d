"""The way to the target that all connections share: its addresses, or its proxy's, and its TLS context.

Opens nothing itself.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from loadgen.model.address_spread import FIRST, RANDOM
from loadgen.model.address_value_types import RECORD_TTL
from loadgen.model.addressing import DEFAULT_ADDRESSING, Addressing
from loadgen.model.authority import is_ipv6
from loadgen.model.endpoint import Endpoint, parse_dns_server
from loadgen.model.proxy import Proxy
from loadgen.model.route_plan import RoutePlan
from loadgen.model.target import Target
from loadgen.model.tls_settings import TlsSettings
from loadgen.wire import poller
from loadgen.wire.dns_resolver import DnsAnswer, resolve_by_dns
from loadgen.wire.early_data import EarlyTlsTransport
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.proxy.connect import CHALLENGE, ConnectRequest, ProxyLogin
from loadgen.wire.proxy.transport import TunnelRequest
from loadgen.wire.proxy.ways import announced_transport, proxied_transport
from loadgen.wire.resolver import resolve
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_contexts import TlsContexts
from loadgen.wire.transport import SocketAddress, TcpTransport, Transport

if TYPE_CHECKING:
    from loadgen.wire.proxy.secure import ProxyTls

RouteChange = tuple[int, list[SocketAddress], list[SocketAddress]]
"""When a look-up found other addresses than the one before (ns), those before and those since."""


class Route:
    """How to reach `target`."""

    def __init__(
        self, target: Target, addresses: Sequence[SocketAddress] = (), sources: tuple[str, ...] = (),
        proxy: Proxy | None = None, tunnels: bool = False, addressing: Addressing = DEFAULT_ADDRESSING,
        proxy_tls: ProxyTls | None = None,
    ) -> None:  # fmt: skip
        self.target = target
        self.addressing = addressing
        self.endpoint = addressing.endpoint(target, proxy)
        """What connections are opened to."""
        self.tls_context: Any = None
        """With HTTP/1.1 offered by ALPN: some servers refuse a client that offers nothing."""
        self.h2_context: Any = None
        """With HTTP/2 offered too."""
        self.turns: tuple[Any, ...] = ()
        """Both for each of several client certificates, which users take in turns; empty where there is one at most."""
        self.sends_early = False
        """A connection's first request is early data, where its session allows that."""
        self._contexts: TlsContexts | None = None
        self._settings: TlsSettings | None = None
        self.proxy = proxy
        """Connections go to this proxy instead of the target."""
        self.proxy_tls = proxy_tls
        """For the handshakes with the proxy; None where it is spoken to in clear."""
        self.proxy_protocol = 0
        """The version of the PROXY protocol whose header begins each connection; 0 for none."""
        self._far_address = ""
        """The target's own, which a proxy is told that takes addresses alone; empty until its name is looked up."""
        self.addresses = list(addresses) or self._known()
        """Those of the target, or of the proxy; empty until the first connection has resolved the name. Connections go
        to the first one."""
        self.sources = sources
        """Local addresses to connect from, those of a family in turns; empty to leave the choice to the kernel."""
        self._sources: dict[int, list[str]] = {
            family: found
            for family in (socket.AF_INET, socket.AF_INET6)
            if (found := [one for one in sources if is_ipv6(one) == (family == socket.AF_INET6)])
        }
        self.tunnels = tunnels
        """The proxy is asked for a tunnel (CONNECT, SOCKS); else requests are sent to the proxy itself."""
        self.login = ProxyLogin("")
        """The credentials for the proxy, and whether it has asked for them."""
        self._dropped: list[SocketAddress] = []
        self._spread = addressing.addresses
        self._next = -1
        self._skipped = 0
        self._once: SocketAddress | None = None
        # Addresses are kept for a time that is known, or that each answer says.
        self._keeps = addressing.dns_ttl_ns is not None and not self.endpoint.is_fixed
        self._ttl_ns = addressing.dns_ttl_ns or 0
        self._resolve: Any = None
        if addressing.asks_dns and not self.endpoint.is_fixed:
            server = None if addressing.dns_server is None else parse_dns_server(addressing.dns_server)
            self._resolve = partial(resolve_by_dns, server=server)
        self._looked_up_ns = 0
        self._waiting: list[Callable[[list[SocketAddress] | OSError], None]] = []
        self._changes: list[RouteChange] = []
        self._turn = 0
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
    def peer(self) -> tuple[str, int]:
        """Host and port that connections go to."""
        return self.endpoint.host, self.endpoint.port

    @property
    def family(self) -> int:
        """The address family that the name is looked up for."""
        return self.addressing.family

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

    def has_addresses(self, now_ns: int, look_up: bool) -> bool:
        """Whether a connection that begins now needs no look-up. look_up: its policy wants one each time.

        Where addresses may be kept for some time, such a policy's are too.
        """
        if not self.addresses or (look_up and not self._keeps):
            return False
        return not self._keeps or now_ns - self._looked_up_ns < self._ttl_ns

    def next_address(self) -> SocketAddress:
        """Where the next connection goes."""
        addresses = self.addresses
        once, self._once = self._once, None
        if once is not None:
            return once
        if self._spread == FIRST or len(addresses) == 1:
            return addresses[0]
        if self._spread == RANDOM:
            return random.choice(addresses)  # noqa: S311 # no secret
        self._next += 1
        return addresses[self._next % len(addresses)]

    def look_up(self, callback: Callable[[list[SocketAddress] | OSError], None]) -> None:
        """Ask the resolver; calls back in the loop. One answer is for all that ask before it is there."""
        if not self._keeps:
            self._ask(callback)
            return
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            self._ask(self._found)

    def _ask(self, callback: Callable[[list[SocketAddress] | OSError], None]) -> None:
        """For a proxy that takes addresses alone, the target's name is looked up before its own."""
        find = self._resolve or resolve
        far = self._far_end()
        if far is None:
            find(*self.peer, callback, self.family)
            return

        def found_target(found: list[SocketAddress] | OSError) -> None:
            if isinstance(found, OSError):
                callback(OSError(found.errno, f"the target {far}: {found.strerror}"))
                return
            self._far_address = found[0][1][0]
            find(*self.peer, callback, self.family)

        find(far.host, far.port, found_target, self.family)

    def _far_end(self) -> Endpoint | None:
        """What has to be looked up besides, because the proxy takes addresses alone; None for nothing."""
        if self.proxy is None or not self.proxy.takes_addresses:
            return None
        end = self.addressing.endpoint(self.target)
        return None if end.is_fixed else end

    def _found(self, found: list[SocketAddress] | OSError) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback(found)

    def set_addresses(self, found: list[SocketAddress], now_ns: int = 0) -> SocketAddress:
        """Keep the addresses that the resolver found by `now_ns`; returns the one to connect to.

        Raises OSError where no source address is of the family of any of them.
        """
        if isinstance(found, DnsAnswer) and self.addressing.dns_ttl_ns == RECORD_TTL:
            self._ttl_ns = found.ttl_ns
        if self._sources:
            found = [address for address in found if address[0] in self._sources]
            if not found:
                versions = "IPv6" if socket.AF_INET6 in self._sources else "IPv4"
                raise OSError(None, f"{self.endpoint.host} has no {versions} address, and --source-ip is one")
        usable = [address for address in found if address not in self._dropped] or found
        if self._looked_up_ns and set(usable) != set(self.addresses):
            self._changes.append((now_ns, list(self.addresses), list(usable)))
        self._looked_up_ns = now_ns
        self.addresses[:] = usable
        return self.next_address()

    def take_changes(self) -> list[RouteChange]:
        """Look-ups since the last call that found other addresses than the one before."""
        found, self._changes = self._changes, []
        return found

    def skip_address(self) -> bool:
        """The address that the run's first request went to does not answer: try another; False where none is left.

        Where connections go to one address alone, the first that answers is that from now on. Else it stays one of
        them: what it costs that some do not answer is measured.
        """
        self._skipped += 1
        if self._spread == FIRST:
            if len(self.addresses) < 2:
                return False
            self._dropped.append(self.addresses.pop(0))
            return True
        if self._skipped >= len(self.addresses):
            self._skipped = 0
            return False
        self._once = self.addresses[self._skipped]
        return True

    def restore_addresses(self) -> None:
        """Addresses that were dropped may answer by now: use them again, in the order in which they were found."""
        self.addresses[:0] = self._dropped
        self._dropped.clear()

    def next_source(self) -> Mapping[int, str] | None:
        """The address to connect from, for each family that has one; None where the kernel chooses."""
        if not self._sources:
            return None
        turn = self._turn
        self._turn = turn + 1
        return {family: found[turn % len(found)] for family, found in self._sources.items()}

    def tunnel(self) -> TunnelRequest:
        """A new request for a tunnel to the target, or to what --connect-to names in its place."""
        end = self.addressing.endpoint(self.target)
        if self.proxy is None or not self.proxy.is_socks:
            return ConnectRequest(end.authority, self.login)
        from loadgen.wire.proxy.socks import SocksRequest  # with a library that few runs need

        addresses = end.addresses if self.proxy.takes_addresses else ()
        return SocksRequest(self._far_address or (addresses or (end.host,))[0], end.port, self.proxy)

    def transport(self, session: Any = None, offers_h2: bool = False, user: int = 0, request: Any = None) -> Transport:
        """A new, unconnected stream. session: a TLS session to offer. offers_h2: offer HTTP/2 too, by ALPN.

        user: whose it is, of several client certificates. request: what will be sent first.
        """
        hub = poller.of_hub()
        if self.tls_context is None and self.proxy is None and not self.sources and not self.proxy_protocol:
            return TcpTransport(hub)
        if self.tls_context is None:
            return self._in_clear(hub)
        context = self.h2_context if offers_h2 else self.tls_context
        if self.turns:
            context = self.turns[user % len(self.turns)][1 if offers_h2 else 0]
        early = request if self.sends_early and session is not None else None
        return self.tls_transport(context, self.server_name, session, early)

    def tls_transport(self, context: Any, server_name: bytes, session: Any = None, early: Any = None) -> TlsTransport:
        """A new stream with TLS by this context. early: the request that is sent as early data, where it is."""
        hub, source = poller.of_hub(), self.next_source()
        if self.proxy is not None:
            tls = (context, server_name, session)
            found: TlsTransport = proxied_transport(hub, self.proxy_tls, self.tunnel(), tls, source)
        elif self.proxy_protocol:
            found = announced_transport(hub, self.proxy_protocol, (context, server_name, session), early, source)
        elif early is not None:
            found = EarlyTlsTransport(hub, context, server_name, session, early, source)
        else:
            found = TlsTransport(hub, context, server_name, session, source=source)
        return found

    def _in_clear(self, hub: Any) -> Transport:
        """A new stream without TLS with the target."""
        source = self.next_source()
        found = TcpTransport(hub, source=source)
        if self.proxy is not None:
            found = proxied_transport(hub, self.proxy_tls, self.tunnel() if self.tunnels else None, None, source)
        elif self.proxy_protocol:
            found = announced_transport(hub, self.proxy_protocol, None, None, source)
        return found

    def _known(self) -> list[SocketAddress]:
        """The addresses of connections, where no resolver has to be asked for anything."""
        return [] if self._far_end() is not None else _known(self.endpoint)


def _known(endpoint: Endpoint) -> list[SocketAddress]:
    """The addresses that no resolver has to be asked for."""
    if endpoint.socket:
        return [(socket.AF_UNIX, (endpoint.socket,))]
    return [
        (socket.AF_INET6, (text, endpoint.port, 0, 0)) if is_ipv6(text) else (socket.AF_INET, (text, endpoint.port))
        for text in endpoint.addresses
    ]
