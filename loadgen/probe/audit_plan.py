"""What an audit is to look at, and how far it may go, as a value. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadgen.model.address_spread import FIRST
from loadgen.model.addressing import DEFAULT_ADDRESSING, Addressing
from loadgen.model.plan import Plan
from loadgen.model.proxy import Proxy
from loadgen.model.proxying import DEFAULT_PROXYING, Proxying
from loadgen.model.target import Target
from loadgen.model.tls_settings import DEFAULT_TLS, TlsSettings
from loadgen.model.units import NS_PER_S

EMBEDDED_IDLE_MAX_NS = 8 * NS_PER_S
"""How long the embedded target's idle connections are watched: it keeps them shortly, or for ever."""


QUICK_MAX_TIME_NS = 20 * NS_PER_S
"""The longest time of an audit before a load."""
_QUICK_IDLE_MAX_NS = 10 * NS_PER_S
_QUICK_TIMEOUT_NS = 5 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPlan:
    """The target, the way to it, and the limits."""

    target: Target
    headers: tuple[tuple[str, str], ...] = ()
    cacert: str | None = None
    insecure: bool = False
    tls: TlsSettings = DEFAULT_TLS
    proxy: Proxy | None = None
    proxying: Proxying = DEFAULT_PROXYING
    source_ips: tuple[str, ...] = ()
    addressing: Addressing = DEFAULT_ADDRESSING
    origin: Target | None = None
    """The server behind the target, which can be reached by itself too."""
    chain_gap_ns: int = 0
    """The mean gap between requests for which losses in the chain are predicted; 0 for the origin's idle timeout."""
    backend_header: str = ""
    """A response field that says which backend answered; empty for none."""
    timeout_ns: int = 5 * NS_PER_S
    """Deadline of each request."""
    idle_max_ns: int = 80 * NS_PER_S
    """How long an idle connection is watched at most."""
    max_time_ns: int = 120 * NS_PER_S
    """The whole audit ends by then."""
    max_requests: int = 1_050
    """Requests on one connection, at most."""

    @property
    def is_forwarded(self) -> bool:
        """A proxy forwards each request, on connections of its own; to a target with TLS it gives a tunnel instead."""
        if self.proxy is None:
            return False
        return not (self.target.is_tls or self.proxy.is_socks or self.addressing.leads_elsewhere(self.target))

    @classmethod
    def of(cls, plan: Plan) -> AuditPlan:
        """To look at what a comparison's plan loads; of a sweep's responses at those of the first size."""
        plan = plan.of_target(plan.targets[0].name if plan.targets else None)
        return cls(
            target=plan.target if plan.targets else replace(plan.target, path=plan.cells[0].path),
            headers=plan.headers,
            cacert=plan.cacert,
            insecure=plan.insecure,
            tls=plan.tls,
            proxy=plan.proxy,
            proxying=plan.proxying,
            source_ips=plan.source_ips,
            # An audit asks one server; its probes of addresses look at the others.
            addressing=replace(plan.addressing, addresses=FIRST, dns_ttl_ns=None),
            backend_header=plan.addressing.backend_header or "",
            timeout_ns=plan.load.timeout_ns,
        )

    @classmethod
    def before_load(cls, plan: Plan) -> AuditPlan:
        """The same, as far as it can be found out quickly, just before the plan's load."""
        found = cls.of(plan)
        return replace(
            found,
            timeout_ns=min(found.timeout_ns, _QUICK_TIMEOUT_NS),
            idle_max_ns=_QUICK_IDLE_MAX_NS,
            max_time_ns=QUICK_MAX_TIME_NS,
        )
