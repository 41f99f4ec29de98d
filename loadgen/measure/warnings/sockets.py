"""Warnings about a policy's sockets: ports that run out, SYNs sent again, full listen queues. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import PolicySummary

# Below this share of the ports, the next block may find none. Who held less than that much of them is the victim.
_FEW_PORTS_SHARE = 0.1
# One connection in so many that needed a second SYN shows at p99.9.
_OPENED_PER_SYN_RETRANSMIT = 1_000


def socket_warnings(name: str, one: PolicySummary) -> Iterator[tuple[str, str]]:
    """What a reader must know of a policy's sockets, as (code, message). one: the policy's part of the summary."""
    found = one["sockets"]
    left, ports, added = found["ports_left"], found["ports_range"], found["time_wait_client"] or 0
    if left is not None and ports and left < _FEW_PORTS_SHARE * ports <= added:
        yield (
            "ports_nearly_used_up",
            f"only {left:,} of {ports:,} local ports were left for connections to the target: those that the client "
            f"closed first keep theirs in TIME_WAIT, {added:,} of one block; add --source-ip or reuse connections more "
            f"than {name} does",
        )
    again, opened = found["syn_retransmits"], one["connections"]["opened"]
    if again and again * _OPENED_PER_SYN_RETRANSMIT >= opened:
        yield (
            "syn_retransmits",
            f"{again:,} SYNs were sent again (all programmes here counted) while {opened:,} connections were opened: "
            "a listen queue was full or packets were lost, and connect times of 1 s or 3 s are these repeats; "
            "raise the server's backlog or use fewer users",
        )
    overflows = found["listen_overflows"]
    if overflows:
        yield (
            "listen_overflows",
            f"the listen queue of a server on this machine was full {overflows:,} times, and a connection that came "
            "then had to wait for a second try; raise its backlog and net.core.somaxconn",
        )
