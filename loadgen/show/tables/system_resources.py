"""Tables of what connections cost beside time: the kernel's sockets, and the server's CPU, memory and sockets."""

from __future__ import annotations

from loadgen.model.summary import Summary
from loadgen.model.units import share_text
from loadgen.show.formatting import ABSENT, duration, integer
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table

_SOCKETS = (
    "policy", "TIME_WAIT peak", "added by client", "added by server", "ports left", "SYN retransmits",
    "listen overflows", "TCP rtt p50", "cwnd p50", "TCP retransmits",
)  # fmt: skip
_SERVER = ("policy", "CPU per request", "CPU share of a core", "memory", "open sockets")


def sockets(summary: Summary) -> Table:
    """What the kernel counted; no rows where it gave no counts."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        found = one["sockets"]
        if all(value is None for value in found.values()):
            continue
        ports = integer(found["ports_left"])
        rows.append(
            (
                name,
                integer(found["time_wait_peak"]),
                integer(found["time_wait_client"]),
                integer(found["time_wait_server"]),
                f"{ports} of {found['ports_range']:,}" if found["ports_range"] else ports,
                integer(found["syn_retransmits"]),
                integer(found["listen_overflows"]),
                duration(found["tcp_rtt_ns_p50"]),
                integer(found["tcp_cwnd_p50"]),
                integer(found["tcp_retransmits"]),
            )
        )
    return Table(_SOCKETS, rows)


def server(summary: Summary) -> Table:
    """What the requests cost the server; no rows where it was not watched."""
    return Table(
        _SERVER,
        [
            (
                name,
                duration(found["cpu_ns_per_request"]),
                ABSENT if found["cpu_share"] is None else share_text(found["cpu_share"]),
                ABSENT if found["rss_bytes"] is None else f"{found['rss_bytes'] / 1e6:,.1f} MB",
                integer(found["sockets"]),
            )
            for name, one in policies_in_order(summary)
            if (found := one["server"])
        ],
    )
