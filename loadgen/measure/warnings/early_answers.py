"""Whether responses came before all of their request was sent, which ends a connection. Warns of nothing itself."""

from __future__ import annotations

from loadgen.model.policy import HTTP1, ConnectionPolicy
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase

ANSWERED_EARLY = "responses came before all of their request was sent, and no other may follow it then (RFC 9112 §9.3)"
_RARELY = 0.5
"""Such responses leave no more reuse than this."""


def is_answered_early(summary: PolicySummary, policy: ConnectionPolicy) -> bool:
    """Whether most responses came so early, and the client closed their connections for that.

    Such a response has no `wait`. Where the rest of the request went in time, the connection was used again.
    """
    if policy.protocol != HTTP1 or policy.depth > 1 or summary["connections"]["reuse_ratio"] > _RARELY:
        return False
    return 2 * summary["phases_ns"][Phase.WAIT.value]["count"] < summary["requests"]
