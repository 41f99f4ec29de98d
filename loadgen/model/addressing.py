"""Which addresses connections go to, as one value. Resolves and opens nothing."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from loadgen.model.address_spread import FIRST
from loadgen.model.address_value_types import RECORD_TTL
from loadgen.model.authority import is_ip_literal, is_ipv6, plain_address
from loadgen.model.endpoint import ConnectRule, Endpoint, ResolveRule, endpoint
from loadgen.model.exceptions import PlanError
from loadgen.model.options import default
from loadgen.model.proxy import Proxy
from loadgen.model.target import Target


@dataclass(frozen=True, slots=True)
class Addressing:
    """Without any of its values, connections go to the first address of the URL's host, or of the proxy's."""

    connect_to: tuple[ConnectRule, ...] = default("connect_to")
    """Of those that fit the first one counts."""
    resolve: tuple[ResolveRule, ...] = default("resolve")
    ipv4: bool = default("ipv4")
    """Names are looked up for IPv4 addresses alone."""
    ipv6: bool = default("ipv6")
    addresses: str = default("addresses")
    """Which of them new connections go to: one of SPREADS."""
    happy_eyeballs_ns: int | None = default("happy_eyeballs")
    """New connections try several of them, each this much after the one before (RFC 8305); None: they try one."""
    dns_ttl_ns: int | None = default("dns_ttl")
    """The name is looked up again for a new connection once its addresses are this old, 0: as old as the records of
    DNS say; None: once a run."""
    dns_server: str | None = default("dns_server")
    """Address and port of the DNS server that is asked; None: the system's resolver."""
    backend_header: str | None = default("backend_header")
    """The response field that says which backend answered."""

    def __post_init__(self) -> None:
        if self.ipv4 and self.ipv6:
            raise PlanError("--ipv4 and --ipv6 contradict each other; give one of them")
        if self.happy_eyeballs_ns is None:
            return
        if self.ipv4 or self.ipv6:
            flag = "--ipv4" if self.ipv4 else "--ipv6"
            raise PlanError(f"--happy-eyeballs lets IPv6 and IPv4 race, and {flag} leaves one of them; give one option")
        if self.addresses != FIRST:
            raise PlanError(
                f"--happy-eyeballs tries addresses in its own order, and --addresses {self.addresses} in another; "
                "give one of them"
            )

    @property
    def varies(self) -> bool:
        """Connections may go to several addresses, or come to several backends that say who they are."""
        return (
            self.addresses != FIRST
            or self.happy_eyeballs_ns is not None
            or self.dns_ttl_ns is not None
            or bool(self.backend_header)
        )

    @property
    def asks_dns(self) -> bool:
        """DNS servers are asked, not the system's resolver, which tells no TTL."""
        return self.dns_ttl_ns == RECORD_TTL or self.dns_server is not None

    @property
    def family(self) -> int:
        """The address family that names are looked up for, as getaddrinfo takes it."""
        if self.ipv4:
            return socket.AF_INET
        return socket.AF_INET6 if self.ipv6 else socket.AF_UNSPEC

    def endpoint(self, target: Target, proxy: Proxy | None = None) -> Endpoint:
        """Where connections go. With a proxy, --connect-to is for the end of its tunnel: the endpoint without proxy."""
        if proxy is not None:
            return endpoint(proxy.host, proxy.port, (), self.resolve)
        if target.socket:
            return Endpoint(target.host, 0, target.socket)
        return endpoint(target.host, target.port, self.connect_to, self.resolve)

    def rule_for(self, target: Target) -> ConnectRule | None:
        """The rule of --connect-to that counts for connections to the target; None where none does."""
        if target.socket:
            return None
        return next((rule for rule in self.connect_to if rule.fits(target.host, target.port)), None)

    def leads_elsewhere(self, target: Target) -> bool:
        """Connections for the target go to another host or port than its URL names."""
        found = self.endpoint(target)
        return (found.host, found.port) != (target.host, target.port)

    def check(self, target: Target, proxy: Proxy | None, source_ips: tuple[str, ...]) -> None:
        """Raise PlanError where connections can't go where these values send them."""
        to = self.endpoint(target, proxy)
        if target.socket and (rule := next((one for one in self.connect_to if not one.from_host), None)):
            raise PlanError(f"the URL names a socket file, and --connect-to {rule} another end; give one")
        if proxy is not None and self.endpoint(target).socket:
            raise PlanError(f"a proxy can't reach {self.endpoint(target)} of this machine; leave --proxy out")
        if to.socket:
            if source_ips:
                raise PlanError(f"--source-ip is for TCP, and connections go to {to}")
            return
        if self.happy_eyeballs_ns is not None and len({is_ipv6(one) for one in source_ips}) == 1:
            raise PlanError(
                f"--happy-eyeballs lets IPv6 and IPv4 race, and --source-ip {source_ips[0]} leaves one of them; "
                "give a source address of each family"
            )
        for flag, is_given, version in (("--ipv4", self.ipv4, 4), ("--ipv6", self.ipv6, 6)):
            if not is_given:
                continue
            if is_ip_literal(to.host) and not to.addresses and ipaddress.ip_address(to.host).version != version:
                raise PlanError(f"{flag} contradicts {to.host}, which is an IPv{10 - version} address")
            if source_ips and all(ipaddress.ip_address(one).version != version for one in source_ips):
                raise PlanError(f"{flag} contradicts --source-ip {source_ips[0]}, an IPv{10 - version} address")

    def check_used(self, targets: tuple[Target, ...], proxies: tuple[Proxy | None, ...]) -> None:
        """Raise PlanError where a rule is for none of these targets: it was meant for one, and misses it.

        proxies: that of each target.
        """
        for rule in self.connect_to:
            if not any(rule.fits(target.host, target.port) for target in targets if not target.socket):
                where = f"{self.endpoint(targets[0])}" if targets[0].socket else targets[0].authority
                raise PlanError(f"--connect-to {rule} is never used: the URL is for {where}")
        ends = [self.endpoint(target, proxy) for target, proxy in zip(targets, proxies, strict=True)]
        ends += [
            self.endpoint(target)
            for target, proxy in zip(targets, proxies, strict=True)
            if proxy is not None and proxy.takes_addresses
        ]
        what = "a socket file" if ends[0].socket else "one address"
        if self.happy_eyeballs_ns is not None and all(end.is_fixed and len(end.addresses) < 2 for end in ends):
            raise PlanError(f"--happy-eyeballs is never used: connections go to {ends[0]}, which is {what}")
        where = str(ends[0]) if ends[0].socket else ends[0].host  # the embedded target has no port yet
        if self.addresses != FIRST and all(end.is_fixed and len(end.addresses) < 2 for end in ends):
            raise PlanError(f"--addresses {self.addresses} is never used: connections go to {where}, which is {what}")
        lookups = {"--dns-ttl": self.dns_ttl_ns is not None, "--dns-server": self.dns_server is not None}
        flag = next((flag for flag, is_given in lookups.items() if is_given), "")
        if flag and all(end.is_fixed for end in ends):
            raise PlanError(f"{flag} is never used: connections go to {where}, and no name is looked up")
        for one in self.resolve:
            if not any(one.fits(end.host, end.port) for end in ends):
                raise PlanError(f"--resolve {one} is never used: connections go to {ends[0]}")


DEFAULT_ADDRESSING = Addressing()


def check_source(text: str) -> None:
    """Raise PlanError where a value of --source-ip is no address that a connection can come from."""
    try:
        plain_address(text)
    except ValueError as error:
        raise PlanError(f"--source-ip {error}") from None
