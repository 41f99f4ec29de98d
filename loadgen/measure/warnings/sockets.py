"""Warnings about a policy's sockets: ports that run out, SYN retransmits, full listen queues. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

# If less than this share of the ports is left, the next block may find none. A policy whose own sockets in TIME_WAIT
# are fewer than that share of the ports did not use them up.
_FEW_PORTS_SHARE = 0.1
# If one in this many connections needed a second SYN, it shows at p99.9.
_OPENED_PER_SYN_RETRANSMIT = 1_000


def socket_warnings(name: str, summary: PolicySummary) -> Iterator[tuple[WarningCode, str]]:
    """Warnings about the sockets of the policy of this name."""
    found = summary["sockets"]
    left, ports, added = found["ports_left"], found["ports_range"], found["time_wait_client"] or 0
    if left is not None and ports and left < _FEW_PORTS_SHARE * ports <= added:
        yield (
            WarningCode.PORTS_NEARLY_USED_UP,
            f"only {left:,} of {ports:,} local ports were left for connections to the target: a connection that the "
            f"client closes first keeps its port in TIME_WAIT, and one block added {added:,} of these; add --source-ip "
            f"or reuse connections more than {name} does",
        )
    again, opened = found["syn_retransmits"], summary["connections"]["opened"]
    if again and again * _OPENED_PER_SYN_RETRANSMIT >= opened:
        yield (
            WarningCode.SYN_RETRANSMITS,
            f"{count(again, 'SYN')} had to be retransmitted (by all programs on this machine), with "
            f"{count(opened, 'connection')} opened: a listen queue was full or packets were lost, which adds 1 s or "
            "3 s to a connect time; "
            "raise the server's backlog or use fewer users",
        )
    overflows = found["listen_overflows"]
    if overflows:
        yield (
            WarningCode.LISTEN_OVERFLOWS,
            f"the listen queue of a server on this machine was full {count(overflows, 'time')}, and a connection that "
            "came then had to try again; raise its backlog and net.core.somaxconn",
        )
