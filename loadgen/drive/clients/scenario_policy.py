"""Which connection policies a scenario's users can have, and what they make of them. Opens nothing."""

from __future__ import annotations

from loadgen.model.exceptions import PlanError
from loadgen.model.policy import HTTP2, WEBSOCKET, ConnectionPolicy, parse_policy

# Where a policy names no number of streams: the server's SETTINGS_MAX_CONCURRENT_STREAMS does (RFC 9113 §5.1.2).
_MAX_STREAMS = 100_000


def scenario_policy(text: str) -> ConnectionPolicy:
    """Read the policy of a scenario's users. Raises PlanError, also for one that they can't have."""
    policy = parse_policy(text)
    if policy.protocol == WEBSOCKET:
        raise PlanError(
            f"the policy {policy.name!r} is not for scenarios; `self.client.websocket(path)` opens a WebSocket under "
            "any other"
        )
    if not policy.fits_scenarios:
        raise PlanError(
            f"the policy {policy.name!r} is not for scenarios: nothing is opened before their users come; a SwarmUser "
            "can have it"
        )
    return policy


def calls_at_once(policy: ConnectionPolicy) -> int:
    """How many calls may be in flight on a connection.

    With HTTP/2 that is for the scenario and the server to say, unless the policy says it (`streams:S`), has several
    connections for it (`pool:N`), or has the connection rest, or end, after each.
    """
    says = any(part.startswith("streams:") for part in policy.name.split("+"))
    pools = policy.pool and not policy.coalesces
    if policy.protocol not in HTTP2 or says or pools or not policy.reuses or policy.gap_ns:
        return policy.depth
    return max(policy.depth, _MAX_STREAMS)
