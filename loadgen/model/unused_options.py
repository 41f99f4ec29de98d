"""Refuses options that say how to do what a run does nowhere. Knows where connections go, and opens none."""

from __future__ import annotations

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import WEBSOCKET


def check_used(plan: Plan) -> None:
    """Raise PlanError where an option of the plan can have no effect.

    --insecure, --cacert and --retry-stale are left alone: they say what may happen, not what is to happen, and one
    script gives them for http and https, and for each policy in turn, as with curl.
    """
    plan.addressing.check_used(plan.each_target, tuple(map(plan.proxy_to, plan.each_target)))
    policies = [cell.policy for cell in plan.cells]
    if plan.trailers and all(one.protocol == WEBSOCKET or one.http_version == "1.0" for one in policies):
        raise PlanError(f"--trailers is never used: the policy {policies[0].name} speaks a protocol without trailers")
