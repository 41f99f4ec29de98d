"""Refuses options that say how to do what a run does nowhere. Knows where connections go, and opens none."""

from __future__ import annotations

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP2, WEBSOCKET


def check_used(plan: Plan, *, embedded: bool = False, others_speak_tls: bool = False) -> None:
    """Raise PlanError where an option of the plan can have no effect.

    embedded: the target will be a process of the run. others_speak_tls: a server besides the targets is trusted as they
    are, and reached over TLS.
    """
    if not others_speak_tls:
        _check_trust(plan, embedded)
    plan.addressing.check_used(plan.each_target, tuple(map(plan.proxy_to, plan.each_target)))
    policies = [cell.policy for cell in plan.cells]
    if plan.retry_stale and not any(one.reuses or one.protocol in HTTP2 for one in policies):
        raise PlanError(f"--retry-stale is never used: the policy {policies[0].name} reuses no connection")
    if plan.trailers and all(one.protocol == WEBSOCKET or one.http_version == "1.0" for one in policies):
        raise PlanError(f"--trailers is never used: the policy {policies[0].name} speaks a protocol without trailers")


def _check_trust(plan: Plan, embedded: bool) -> None:
    """Options that say how servers' certificates are verified."""
    flag = "--insecure" if plan.insecure else "--cacert" if plan.cacert else ""
    if not flag or any(one.is_tls for one in plan.each_target):
        return
    if embedded:
        raise PlanError(f"{flag} is for TLS, and the embedded target is in clear; give --tls too")
    raise PlanError(f"{flag} is for TLS, and {plan.each_target[0]} is in clear; use an https URL")
