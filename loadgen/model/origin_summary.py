"""The types of one of several origins in one policy's part of `summary.json`. Computes nothing."""

from __future__ import annotations

from typing import TypedDict

from loadgen.model.named_request_summary import NamedLatency


class OriginConnections(TypedDict):
    """An origin's connections, warm-up included."""

    opened: int
    """How many were opened."""
    tls_full: int
    """With a full TLS handshake."""
    tls_resumed: int
    """With a resumed one."""
    requests_per_connection: float
    """Requests that were answered at least in part, by connections opened."""
    reuse_ratio: float
    """Share of the completed requests of the measured windows that were not the first on their connection."""


class OriginHandshake(TypedDict):
    """Handshakes of the kept samples of an origin (ns, means); null where none did that."""

    mean: int | None
    """All phases of it together."""
    dns: int | None
    """Looking up the name."""
    connect: int | None
    """TCP's handshake."""
    tunnel: int | None
    """The tunnel through a proxy."""
    tls: int | None
    """TLS's handshake."""
    upgrade: int | None
    """The upgrade to another protocol."""


class OriginSummary(TypedDict):
    """One of several origins that requests go to (`--urls`)."""

    origin: str
    """Scheme and authority, or the socket file in place of the authority."""
    requests: int
    """Completed in the measured windows."""
    failed: int
    """Failed or unfinished there."""
    answered_with_warmup: int
    """Answered at least in part, warm-up included, as the server's log has it."""
    connections: OriginConnections
    """Its connections."""
    handshake_ns: OriginHandshake
    """What a new connection cost (ns)."""
    latency_ns: NamedLatency
    """Latency (ns)."""
