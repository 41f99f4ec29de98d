"""The summary as rows of text, for the shell, Markdown and HTML alike."""

from __future__ import annotations

from typing import Any

from loadgen.model.units import format_duration

HEADINGS = ("policy", "req/s", "p50", "p99", "handshake", "connections", "errors")
PHASES = ("queue", "dns", "connect", "tls", "upgrade", "send", "wait", "receive")
_HANDSHAKE = ("dns", "connect", "tls", "upgrade")


def rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row a policy, under HEADINGS. `handshake` is the mean of what a request paid that opened a connection."""
    table: list[tuple[str, ...]] = []
    for name, one in summary["policies"].items():
        connections, latency = one["connections"], one["latency_ns"]
        table.append(
            (
                name,
                f"{one['throughput_rps']:,.0f}",
                duration(latency["p50"]),
                duration(latency["p99"]),
                duration(handshake_ns(one)),
                f"opened {connections['opened']:,} (ideal {connections['ideal']:,})",
                f"{sum(one['errors'].values()):,}",
            )
        )
    return table


def markdown(summary: dict[str, Any]) -> str:
    """Verdict and table for a page in Markdown: an issue, a README, a CI log."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows(summary)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"> {summary['verdict']}\n\n{table}\n"


def phase_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row a policy: its name, then the mean of each phase where it happened, in the order of PHASES."""
    return [
        (name, *(duration(one["phases_ns"][phase]["mean"]) for phase in PHASES))
        for name, one in summary["policies"].items()
    ]


def handshake_ns(policy: dict[str, Any]) -> float | None:
    """Mean of dns + connect + tls + upgrade over the requests that paid them; None where none did."""
    paid = [policy["phases_ns"][phase] for phase in _HANDSHAKE]
    most = max(one["count"] for one in paid)
    return sum(one["count"] * one["mean"] for one in paid if one["count"]) / most if most else None


def duration(value_ns: float | None) -> str:
    """A duration for a table's cell; a dash where it is absent."""
    return "–" if value_ns is None else format_duration(value_ns)
