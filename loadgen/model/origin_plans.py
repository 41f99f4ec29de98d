"""A run's plan as each origin of its requests has it: with its own way there, its own requests. Opens nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loadgen.model.origins import requests_to
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy, check_run
from loadgen.model.proxying import Proxying
from loadgen.model.target import Target
from loadgen.model.tls_settings import DEFAULT_TLS


def plan_of_origin(plan: Plan, origin: Target) -> Plan:
    """The plan of what goes to this origin alone, which need not be one that the plan's requests name.

    The proxy is used where it is for this host, and what is about TLS where the origin has that. Raises PlanError where
    connections can't go there as the plan says.
    """
    plan.addressing.check(origin, plan.proxy_to(origin), plan.source_ips)
    for cell in plan.cells:
        check_run(cell.policy, plan.conditions(cell, origin))
    fields: dict[str, Any] = {} if origin.is_tls else _in_clear(plan)
    if plan.proxy is not None and plan.proxy_to(origin) is None:
        fields |= {"proxy": None, "proxying": Proxying(protocol=plan.proxying.protocol)}
    requests = requests_to(origin, plan.target, plan.requests)
    return plan.part(target=origin, targets=(), requests=requests, **fields)


def plans_by_origin(plan: Plan) -> list[Plan]:
    """The plan as each of its origins has it, in their order; itself where there is one."""
    origins = plan.origins
    return [plan] if len(origins) == 1 else [plan_of_origin(plan, one) for one in origins]


def peers_of(plan: Plan, policy: ConnectionPolicy) -> str:
    """What the policy's connections lead to, in a reader's words: the proxy, the server, or either."""
    asks = {one.asks_proxy(policy) for one in plans_by_origin(plan)}
    return " or ".join(word for word, is_peer in (("proxy", True), ("server", False)) if is_peer in asks)


def _in_clear(plan: Plan) -> dict[str, Any]:
    """The fields without TLS."""
    return {
        "policies": tuple(one.in_clear for one in plan.policies),
        "axes": replace(plan.axes, **dict.fromkeys(plan.axes.of_tls(), ())),
        "tls": DEFAULT_TLS,
    }
