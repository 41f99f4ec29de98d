"""The types of what a policy cost the kernel and the server, in its part of `summary.json`. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class SocketsSummary(TypedDict):
    """What the kernel counted over the blocks of a policy. Null where it did not tell."""

    time_wait_peak: int | None
    """Sockets in TIME_WAIT in the network namespace, the highest of all blocks."""
    time_wait_client: int | None
    """Sockets that one block added in TIME_WAIT on the client's side, the highest of all blocks."""
    time_wait_server: int | None
    """The same on the server's side, where that is on this machine."""
    sockets_peak: int | None
    """TCP sockets in use in the network namespace, the highest of all blocks."""
    syn_retransmits: int | None
    """SYN segments retransmitted, of all programs."""
    listen_overflows: int | None
    """Connections that found a full listen queue, of all servers on this machine."""
    listen_drops: int | None
    """Connection requests that were dropped, of all servers on this machine."""
    retransmits: int | None
    """TCP segments retransmitted, of all programs."""
    ports_range: int | None
    """Local ports that connections to the target can use."""
    ports_left: int | None
    """Of these, free at the end of a block, the lowest of all blocks."""
    tcp_rtt_ns_p50: int | None
    """TCP's own round-trip time, median of a share of the connections (ns)."""
    tcp_cwnd_p50: int | None
    """TCP's congestion window, median of a share of the connections (segments)."""
    tcp_retransmits: int | None
    """Segments retransmitted on the connections that were looked at."""
    tcp_sampled: int | None
    """How many connections were looked at."""


class ServerSummary(TypedDict):
    """What the server's process spent on a policy (`--server-pid`, or the embedded target)."""

    cpu_ns_per_request: float | None
    """CPU time per answered request (ns)."""
    cpu_share: float | None
    """CPU time per wall time, 1 is a whole core."""
    rss_bytes: int | None
    """Resident memory, the highest of all blocks (bytes)."""
    sockets: int | None
    """Open sockets at the end of a block, the highest of all blocks."""
    sockets_per_request: float | None
    """Sockets open at the end of a block for each request of it."""
    socket_ns_per_request: float | None
    """How long the server keeps a socket open for one request (ns), whatever the length of a block."""
