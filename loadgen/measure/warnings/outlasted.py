"""Warnings about requests of the warm-up that lasted beyond the measured window. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.measure.stats.unserved import unserved_share
from loadgen.model.load import Load
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count, format_duration
from loadgen.model.warning_codes import WarningCode


def outlasted_warnings(summary: PolicySummary, load: Load) -> Iterator[tuple[WarningCode, str]]:
    """At most one."""
    connections = summary["connections"]
    lasted = connections["warmup_outlasted"]
    if unserved_share(summary):
        fast = format_duration(summary["latency_ns"]["p99"] or 0)
        yield (
            WarningCode.CONNECTIONS_UNSERVED,
            f"{connections.get('unserved', 0):,} of {count(connections['ideal'], 'connection')} got no response in a "
            f"whole measured window, and 99% of the requests on the others took less than {fast}: the server, or what "
            "is before it, serves only so many connections at a time, and those that are kept make others wait; raise "
            "its limit of connections, threads or workers, or use fewer connections, as with pool:N",
        )
    elif lasted:
        yield (
            WarningCode.WINDOW_OUTLASTED,
            f"{count(lasted, 'request')} of the warm-up lasted beyond the measured window, so no percentile shows "
            f"{'it' if lasted == 1 else 'them'}; use {load.longer_blocks}",
        )
