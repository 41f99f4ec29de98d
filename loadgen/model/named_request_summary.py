"""The types of one of several requests in one policy's part of `summary.json`. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class NamedLatency(TypedDict):
    """Latencies of the kept samples of one of several requests (ns); null where none was completed."""

    mean: int | None
    """Mean."""
    p50: int | None
    """Median."""
    p90: int | None
    """90th percentile."""
    p99: int | None
    """99th percentile."""
    max: int | None
    """Longest."""


class NamedRequestSummary(TypedDict):
    """One of several requests (`--urls`)."""

    name: str
    """Its name."""
    requests: int
    """Completed in the measured windows."""
    failed: int
    """Failed or unfinished there."""
    answered_with_warmup: int
    """Answered at least in part, warm-up included, as the server's log has it."""
    latency_ns: NamedLatency
    """Latency (ns)."""
