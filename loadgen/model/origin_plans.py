"""A run's plan as each origin of its requests has it: with its own way there, its own requests. Opens nothing."""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.origins import requests_to
from loadgen.model.plan import Plan
from loadgen.model.target import Target
from loadgen.model.tls_settings import DEFAULT_TLS


def plan_of_origin(plan: Plan, origin: Target) -> Plan:
    """The plan of what goes to this origin alone, which need not be one that the plan's requests name.

    The proxy is used where it is for this host, and what is about TLS where the origin has that. Raises PlanError.
    """
    found = plan if plan.proxy_to(origin) == plan.proxy else plan.without_proxy()
    found = found if origin.is_tls else _in_clear(found, origin)
    return replace(found, target=origin, targets=(), requests=requests_to(origin, plan.target, plan.requests))


def plans_by_origin(plan: Plan) -> list[Plan]:
    """The plan as each of its origins has it, in their order; itself where there is one."""
    origins = plan.origins
    return [plan] if len(origins) == 1 else [plan_of_origin(plan, one) for one in origins]


def _in_clear(plan: Plan, origin: Target) -> Plan:
    """It without TLS, which a plan for a target in clear can't have."""
    policies = tuple(one.in_clear for one in plan.policies)
    axes = replace(plan.axes, **dict.fromkeys(plan.axes.of_tls(), ()))
    return replace(plan, target=origin, targets=(), requests=(), policies=policies, tls=DEFAULT_TLS, axes=axes)
