"""Warnings about reuse itself: connections that were not reused as the policy meant, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loadgen.model.cell import Cell
from loadgen.model.policy import UNLIMITED, ConnectionPolicy
from loadgen.model.sample import ClosedBy, Ending
from loadgen.model.units import NS_PER_S, format_duration

# A policy of K requests per connection that came to less than this share of K did not happen as meant.
_WELL_BELOW = 0.9
_ENDED_BY_SERVER_SHARE = 0.05
_SERVER_ENDINGS = {ending.label for ending in Ending if ending.closed_by is ClosedBy.SERVER}


def server_endings(connections: dict[str, Any]) -> dict[str, int]:
    """How the server ended connections, {label: count}."""
    return {label: count for label, count in connections["endings"].items() if label in _SERVER_ENDINGS}


def ended_by_server(connections: dict[str, Any]) -> bool:
    """The server ended more connections than chance explains, so the policy did not decide their length."""
    count, opened = int(connections["closed_by"]["server"]), int(connections["opened"])
    return count > _ENDED_BY_SERVER_SHARE * opened


def idle_warnings(one: dict[str, Any], cell: Cell, plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What comes of connections that rest too long."""
    if not cell.policy.reuses:
        return
    connections = one["connections"]
    timeout_s = connections["server_announced"]["keep_alive_timeout_s"]
    gap_ns = max(cell.policy.idle_ns, plan["think_ns"])
    if timeout_s is not None and gap_ns and gap_ns >= timeout_s * NS_PER_S:
        yield (
            "idle_over_timeout",
            f"connections rest {format_duration(gap_ns)} between two requests, and the server announced that it closes "
            f"them after {format_duration(timeout_s * NS_PER_S)} (Keep-Alive: timeout): expect reconnects or stale "
            "connections",
        )
    stale = one["errors"].get("stale_connection", 0)
    if stale:
        repeated = f" ({connections['retried']:,} were sent once more)" if connections["retried"] else ""
        advice = "" if plan["retry_stale"] else ", or let idempotent requests be sent once more with --retry-stale"
        yield (
            "stale_connections",
            f"{stale:,} requests met a connection that the server had closed{repeated}; keep the client's idle time "
            f"below the server's timeout{advice}",
        )


def reuse_warnings(connections: dict[str, Any], policy: ConnectionPolicy) -> Iterator[tuple[str, str]]:
    """Connections that did not do what the policy says."""
    if policy.reuses and policy.obeys:
        yield from _lengths(connections, policy)
    if connections["server_ignored_close"]:
        yield (
            "server_ignored_close",
            f"on {connections['server_ignored_close']:,} connections the server neither announced nor did the close "
            "that was asked for",
        )
    if connections["tls_resumed"] and not policy.resumes_tls:
        yield (
            "tls_resumed_unasked",
            f"{connections['tls_resumed']:,} handshakes were resumed though none should be",
        )
    if policy.resumes_tls and connections["tls_full"] > connections["ideal"]:
        yield (
            "tls_not_resumed",
            f"{connections['tls_full']:,} handshakes were full ones: the server did not resume every session",
        )


def _lengths(connections: dict[str, Any], policy: ConnectionPolicy) -> Iterator[tuple[str, str]]:
    """Whether connections lived as long as the policy lets them."""
    opened, ideal, carried = connections["opened"], connections["ideal"], connections["requests_per_connection"]
    limited = policy.requests != UNLIMITED
    if not limited and not policy.lifetime_ns:
        if opened != ideal:
            how = _listed(server_endings(connections))
            yield (
                "connections_not_ideal",
                f"{opened:,} connections were opened, perfect reuse takes {ideal:,}; "
                f"the server ended {connections['closed_by']['server']:,}{how and f' ({how})'}",
            )
        return
    short = not limited or carried < _WELL_BELOW * policy.requests
    if short and ended_by_server(connections):
        yield (
            "closed_early",
            f"connections carried {carried:,.4g} requests each, for the server ended "
            f"{connections['closed_by']['server']:,} of {opened:,}: {_listed(server_endings(connections))}",
        )
    elif limited and short and 0 < opened <= ideal:
        yield (
            "never_recycled",
            f"no connection came to its {policy.requests:,} requests in a block, so none was replaced; "
            "use a longer --block",
        )


def _listed(endings: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {label}" for label, count in endings.items())
