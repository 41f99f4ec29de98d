"""A warning about requests that waited for a delayed acknowledgement. Finds none itself."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy import ConnectionPolicy
from loadgen.model.policy.parts.tcp import holds_back
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import share_text
from loadgen.model.warning_codes import WarningCode


def delayed_ack_warnings(policy: ConnectionPolicy, summary: PolicySummary) -> Iterator[tuple[WarningCode, str]]:
    """At most one."""
    share = summary.get("delayed_ack_share", 0.0)
    if not share:
        return
    own = "without tcp-nagle the client does not hold back; " if holds_back(policy) else ""
    yield (
        WarningCode.NAGLE_DELAYS,
        f"{share_text(share)} of the requests took the 40 ms of a delayed acknowledgement (the pattern of Nagle's "
        f"algorithm): one side holds back the rest of a message until its beginning is acknowledged; {own}"
        "set TCP_NODELAY in the server, or have it write head and body at once",
    )
