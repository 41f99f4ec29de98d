"""Warnings about requests of the warm-up that lasted beyond the measured window. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.measure.stats.unserved import unserved_share
from loadgen.model.load import Load
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count, format_duration, share_text
from loadgen.model.warning_codes import WarningCode

# Above this share of reused connections the policy keeps them.
_MIN_REUSED = 0.5


def outlasted_warnings(summary: PolicySummary, load: Load) -> Iterator[tuple[WarningCode, str]]:
    """At most one."""
    connections = summary["connections"]
    lasted = connections["warmup_outlasted"]
    if share := unserved_share(summary):
        unserved, fast = connections.get("unserved", 0), format_duration(summary["latency_ns"]["p99"] or 0)
        yield (
            WarningCode.CONNECTIONS_UNSERVED,
            f"{count(unserved, 'connection')}, {share_text(share, 0)} of those in use at a time, got no response in a "
            f"whole measured window, and 99% of the requests on the others took less than {fast}: "
            f"{_why(summary, unserved)}",
        )
    elif lasted:
        yield (
            WarningCode.WINDOW_OUTLASTED,
            f"{count(lasted, 'request')} of the warm-up lasted beyond the measured window, so no percentile shows "
            f"{'it' if lasted == 1 else 'them'}; use {load.longer_blocks}",
        )


def _why(summary: PolicySummary, unserved: int) -> str:
    """What may be the cause, and what to do."""
    if (summary["sockets"]["syn_retransmits"] or 0) * 2 >= unserved:
        return (
            "a listen queue was full, or the server serves only so many connections at a time; raise its backlog, and "
            "its limit of connections, threads or workers, or use fewer users"
        )
    if summary["connections"]["reuse_ratio"] > _MIN_REUSED:
        return (
            "the server, or what is before it, serves only so many connections at a time, and those that are kept make "
            "others wait; raise its limit of connections, threads or workers, or use fewer connections, as with pool:N"
        )
    return (
        "the server, or what is before it, serves only so many connections at a time, or some requests are much slower "
        "than others; raise its limit of connections, threads or workers, or use fewer users"
    )
