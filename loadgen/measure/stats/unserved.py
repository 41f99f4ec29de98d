"""Connections that a server did not serve while it served others at once. Words nothing.

A server, or a proxy, with so many threads, workers or connections at a time lets those beyond wait until one of the
others closes. Kept connections don't close, so these wait through a whole window, and no percentile shows them. So do
those whose SYNs are lost because a listen queue is full: each new try comes later than the one before.
"""

from __future__ import annotations

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import NS_PER_S

_MIN_SHARE = 0.1
# Where the others' requests take a good part of the window too, the server is just slow.
_WINDOWS_PER_P99 = 4


def unserved_share(summary: PolicySummary) -> float:
    """Share of the connections in use at a time that got no response in a whole window; 0 where it shows nothing."""
    connections = summary["connections"]
    unserved = connections.get("unserved", 0)
    if not unserved:
        return 0.0
    share, p99_ns = min(1.0, unserved / max(1, connections["ideal"])), summary["latency_ns"]["p99"]
    window_ns = summary["seconds"] / max(1, summary["blocks"]) * NS_PER_S
    are_others_fast = p99_ns is not None and p99_ns * _WINDOWS_PER_P99 < window_ns
    return share if share >= _MIN_SHARE and are_others_fast else 0.0
