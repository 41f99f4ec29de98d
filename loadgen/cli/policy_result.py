"""One policy's figures as attributes, for Python: what an assertion compares. Reads no file."""

from __future__ import annotations

from loadgen.model.policy_summary import PolicySummary


class PolicyResult:
    """The figures of a policy; `summary` has all of them."""

    def __init__(self, name: str, summary: PolicySummary) -> None:
        self.name = name
        self.summary = summary
        """Its part of `summary.json`."""

    @property
    def requests(self) -> int:
        """Requests that were answered."""
        return self.summary["requests"]

    @property
    def errors(self) -> int:
        """Requests that failed, of every kind."""
        return sum(self.summary["errors"].values())

    @property
    def error_ratio(self) -> float:
        """The share of the requests begun that failed; 0 where none was begun."""
        return self.errors / self.summary["started"] if self.summary["started"] else 0.0

    @property
    def throughput_rps(self) -> float:
        """Answered requests per second."""
        return self.summary["throughput_rps"]

    @property
    def reuse_ratio(self) -> float:
        """The share of complete requests that were not the first on their connection."""
        return self.summary["connections"]["reuse_ratio"]

    @property
    def connections_opened(self) -> int:
        """Connections that were opened."""
        return self.summary["connections"]["opened"]

    @property
    def tls_full(self) -> int:
        """Full TLS handshakes."""
        return self.summary["connections"]["tls_full"]

    @property
    def tls_resumed(self) -> int:
        """Resumed TLS handshakes."""
        return self.summary["connections"]["tls_resumed"]

    @property
    def mean_ms(self) -> float | None:
        """Mean latency (ms); None where no request was complete, as with the percentiles."""
        return _milliseconds(self.summary["latency_ns"]["mean"])

    @property
    def p50_ms(self) -> float | None:
        """Median latency (ms)."""
        return _milliseconds(self.summary["latency_ns"]["p50"])

    @property
    def p99_ms(self) -> float | None:
        """99th percentile of the latency (ms)."""
        return _milliseconds(self.summary["latency_ns"]["p99"])

    def __repr__(self) -> str:
        return (
            f"<{self.name}: {self.requests:,} requests, {self.errors:,} errors, "
            f"{self.connections_opened:,} connections, reuse_ratio {self.reuse_ratio:.4g}, "
            f"p50 {self.p50_ms} ms, p99 {self.p99_ms} ms>"
        )


def _milliseconds(value_ns: int | None) -> float | None:
    return None if value_ns is None else value_ns / 1e6
