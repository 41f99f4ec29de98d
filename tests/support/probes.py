"""Plans for probes, and the fields that the probe of a proxy sends."""

from __future__ import annotations

from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target

SENT = ["X-Loadgen-Hop", "TE", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization"]


def plan_for(url: str, proxy: str, policies: str = "persistent") -> Plan:
    return Plan(parse_target(url), parse_policies(policies), proxy=parse_proxy(proxy), load=Load(timeout_ns=10**9))
