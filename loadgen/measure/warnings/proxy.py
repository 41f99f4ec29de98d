"""The proxy between client and target: which policies' requests it is sent itself. Measures nothing."""

from __future__ import annotations

from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy


def is_sent_requests(plan: Plan, policy: ConnectionPolicy) -> bool:
    """The plan's proxy gets this policy's requests itself, in absolute-form: connections and answers are its own."""
    return plan.proxy is not None and not plan.tunnels(policy)
