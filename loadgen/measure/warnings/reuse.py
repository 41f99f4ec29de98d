"""Warnings about reuse itself: connections that were not reused as the policy meant, and why."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.measure.labels import exchange_word, listed, plain_number
from loadgen.measure.stats.endings import ended_by_server, server_endings
from loadgen.measure.warnings.proxy import is_sent_requests
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.policy import WEBSOCKET, ConnectionPolicy, single_use_policy
from loadgen.model.policy_summary import ConnectionsSummary, PolicySummary
from loadgen.model.run_record import PlanRecord
from loadgen.model.units import NS_PER_S, count, format_duration

# A policy of K requests per connection that came to less than this share of K did not happen as meant.
_WELL_BELOW = 0.9
# Connections that carried no more than this, on the average, ended after their first request.
_ABOUT_ONE = 1.1


def idle_warnings(one: PolicySummary, cell: Cell, plan: PlanRecord) -> Iterator[tuple[str, str]]:
    """What comes of connections that rest too long."""
    if not cell.policy.reuses:
        return
    connections, is_websocket = one["connections"], cell.policy.protocol == WEBSOCKET
    timeout_s = connections["server_announced"]["keep_alive_timeout_s"]
    gap_ns = max(cell.policy.gap_ns, plan["think_ns"])
    peer = _peer(cell.policy, plan)
    # What a response that upgrades says of keeping connections alive says nothing of the WebSocket.
    if timeout_s is not None and not is_websocket and gap_ns and gap_ns >= timeout_s * NS_PER_S:
        yield (
            "idle_over_timeout",
            f"connections rest {format_duration(gap_ns)} between two requests, and the {peer} announced that it closes "
            f"them after {format_duration(timeout_s * NS_PER_S)} (Keep-Alive: timeout): expect reconnects or stale "
            "connections",
        )
    stale = one["errors"].get("stale_connection", 0)
    if stale and cell.policy.honours_close:  # to ignore a close is to try what the server has closed
        retried = connections["retried"]
        repeated = f" ({min(retried, stale):,} of them were sent once more)" if retried else ""
        met = count(stale, exchange_word(cell.policy.protocol))
        yield (
            "stale_connections",
            f"{met} met a connection that the {peer} had closed{repeated}; "
            f"{_stale_advice(cell, plan, connections['requests_per_connection'], peer)}",
        )


def _peer(policy: ConnectionPolicy, plan: PlanRecord) -> str:
    """Whose connections the policy uses, as a reader knows it. plan: as a run's folder holds it."""
    return "proxy" if plan.get("proxy") and is_sent_requests(Plan.from_json(plan), policy) else "server"


def _stale_advice(cell: Cell, plan: PlanRecord, carried: float, peer: str) -> str:
    """carried: requests on a connection, the mean."""
    policy, what = cell.policy, exchange_word(cell.policy.protocol)
    # Arrivals, and users of a pool that has more connections than they need, leave connections idle.
    busy = not cell.rate_rps and policy.pool <= cell.users and not policy.gap_ns and not plan["think_ns"]
    if busy and carried < _ABOUT_ONE:  # nothing can be kept below that
        return f"it ends connections after one {what} without saying so: use {single_use_policy(policy.protocol)}"
    if policy.depth > 1:
        return (
            "it ends connections while requests are in flight on them: with recycle:K keep their number at or below "
            f"the {peer}'s limit"
        )
    # Whether a message may be sent twice is not for HTTP to say.
    told = plan["retry_stale"] or policy.protocol == WEBSOCKET
    again = "" if told else ", or let idempotent requests be sent once more with --retry-stale"
    if busy:
        return f"it ends connections after some {what}s: use recycle:K with a K below that{again}"
    return f"keep the client's idle time below the {peer}'s timeout{again}"


def reuse_warnings(one: PolicySummary, cell: Cell, plan: PlanRecord) -> Iterator[tuple[str, str]]:
    """Connections that did not do what the policy says."""
    connections, policy, peer = one["connections"], cell.policy, _peer(cell.policy, plan)
    if policy.reuses:
        yield from _never_used(connections, policy, plan)
    if policy.reuses and policy.honours_close:
        yield from _lengths(connections, policy, peer)
    if connections["server_ignored_close"] and policy.protocol != WEBSOCKET:  # which has no such option
        yield (
            "server_ignored_close",
            f"on {connections['server_ignored_close']:,} connections the {peer} neither announced nor did the close "
            "that was asked for",
        )
    if connections["tls_resumed"] and not policy.resumes_tls:
        yield (
            "tls_resumed_unasked",
            f"{connections['tls_resumed']:,} handshakes were resumed though none should be",
        )
    # A session is a user's own: of a pool's connections each user still needs one full handshake.
    owners = cell.users * one["blocks"] if policy.pool and not cell.rate_rps else connections["ideal"]
    if policy.resumes_tls and connections["tls_full"] > owners:
        yield (
            "tls_not_resumed",
            f"{connections['tls_full']:,} handshakes were full ones: the server did not resume every session",
        )


def _never_used(
    connections: ConnectionsSummary, policy: ConnectionPolicy, plan: PlanRecord
) -> Iterator[tuple[str, str]]:
    """A block too short for the policy to show: it measured something else than its name says."""
    if ended_by_server(connections):
        return
    block, counted_ns = format_duration(plan["block_ns"]), plan["block_ns"] - plan["warmup_ns"]
    gap_ns = max(policy.gap_ns, plan["think_ns"])
    limit = min(policy.limits, key=lambda limit: limit.limit_ns, default=None)
    if not connections["reuse_ratio"] and limit is not None and limit.limit_ns < counted_ns:
        yield (
            "never_used",
            f"nothing was reused: before a second request each connection had passed its {limit.noun} of "
            f"{format_duration(limit.limit_ns)}; use a longer {limit.noun}",
        )
    elif not connections["reuse_ratio"] or gap_ns >= counted_ns:
        why = f": connections rest {format_duration(gap_ns)} between two requests" if gap_ns >= counted_ns else ""
        what = "little" if connections["reuse_ratio"] else "nothing"
        yield "never_used", f"{what} was reused within a block of {block}{why}; use a longer --block"
    elif limit is not None and limit.limit_ns >= counted_ns:
        yield (
            "never_used",
            f"almost no connection reached its {format_duration(limit.limit_ns)} {limit.noun} within a {block} block; "
            "use a longer --block",
        )


def _lengths(connections: ConnectionsSummary, policy: ConnectionPolicy, peer: str) -> Iterator[tuple[str, str]]:
    """Whether connections lived as long as the policy lets them."""
    opened, ideal, carried = connections["opened"], connections["ideal"], connections["requests_per_connection"]
    limited, what = policy.limits_requests, exchange_word(policy.protocol)
    if policy.keeps_open:
        if opened != ideal:
            how = listed(server_endings(connections))
            yield (
                "connections_not_ideal",
                f"{opened:,} connections were opened, perfect reuse takes {ideal:,}; "
                f"the {peer} ended {connections['closed_by']['server']:,}{how and f' ({how})'}",
            )
        return
    short = not limited or carried < _WELL_BELOW * policy.requests
    if short and ended_by_server(connections):
        yield (
            "closed_early",
            f"connections carried {plain_number(carried, 4)} {what}s each, for the {peer} ended "
            f"{connections['closed_by']['server']:,} of {opened:,}: {listed(server_endings(connections))}",
        )
    elif limited and short and 0 < opened <= ideal:
        yield (
            "never_recycled",
            f"no connection came to its {policy.requests:,} {what}s in a block, so none was replaced; "
            "use a longer --block",
        )
