"""Warnings about reuse itself: connections that were not reused as the policy says, and why. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.measure.labels import exchange_word, listed
from loadgen.measure.stats.endings import ended_by_server, server_endings
from loadgen.measure.warnings.early_answers import ANSWERED_EARLY, is_answered_early
from loadgen.model.cell import Cell
from loadgen.model.connections_summary import ConnectionsSummary
from loadgen.model.errors import ErrorKind, Layer
from loadgen.model.leniency import CLOSING
from loadgen.model.load import Load
from loadgen.model.origin_plans import peers_of
from loadgen.model.plan import Plan
from loadgen.model.policy import WEBSOCKET, ConnectionPolicy, single_use_policy
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Ending
from loadgen.model.units import NS_PER_S, count, format_duration, plain_number
from loadgen.model.warning_codes import WarningCode

Found = Iterator[tuple[WarningCode, str]]

# A policy of K requests per connection did not happen as meant if connections carried less than this share of K.
_WELL_BELOW = 0.9
_STALE = tuple(kind.label for kind in ErrorKind if kind.is_stale)
# Errors after which the client closes a connection that was open.
_GIVING_UP = frozenset(
    kind.label
    for kind in ErrorKind
    if kind.ending is Ending.CLIENT_GAVE_UP and kind.layer not in (Layer.DNS, Layer.TCP, Layer.CLIENT)
)
_IDLE = (Ending.SERVER_IDLE_FIN, Ending.SERVER_IDLE_RST, Ending.SERVER_IDLE_RESPONSE)
# Fewer that ended after the same number of requests may have done so by chance.
_MIN_ENDED = 3
# Connections that carried no more than this on average ended after their first request.
_ABOUT_ONE = 1.1


def gap_warnings(summary: PolicySummary, cell: Cell, plan: Plan) -> Found:
    """Connections that are left unused for too long between two requests."""
    if not cell.policy.reuses:
        return
    connections, is_websocket = summary["connections"], cell.policy.protocol == WEBSOCKET
    timeout_s = connections["server_announced"]["keep_alive_timeout_s"]
    gap_ns = max(cell.policy.gap_ns, plan.load.think_ns)
    peer = peers_of(plan, cell.policy)
    unused_ns = [limit.longest_ns(timeout_s) for limit in cell.policy.closes_unused]
    closes_first = any(longest_ns is not None and longest_ns < gap_ns for longest_ns in unused_ns)
    if None in unused_ns:
        yield (
            WarningCode.NOTHING_ANNOUNCED,
            f"the {peer} announced no idle timeout (Keep-Alive: timeout), so there was none to honour; max-idle:T "
            "closes unused connections whatever is announced",
        )
    # Keep-Alive in the response to an upgrade says nothing about the WebSocket that follows.
    if timeout_s is not None and not is_websocket and gap_ns and gap_ns >= timeout_s * NS_PER_S and not closes_first:
        yield (
            WarningCode.GAP_OVER_TIMEOUT,
            f"connections are left unused for {format_duration(gap_ns)} between two requests, and the {peer} announced "
            f"that it closes them after {format_duration(timeout_s * NS_PER_S)} (Keep-Alive: timeout); expect "
            "reconnects or stale connections",
        )
    stale = sum(summary["errors"].get(label, 0) for label in _STALE)
    if stale and cell.policy.honours_close:  # to ignore a close means to try connections that the server has closed
        retried = connections["retried"]
        repeated = f" ({min(retried, stale):,} of them were sent once more)" if retried else ""
        yield (
            WarningCode.STALE_CONNECTIONS,
            f"{count(stale, exchange_word(cell.policy.protocol))} met a connection that the {peer} had closed"
            f"{_crossed(summary)}{repeated}; {_stale_advice(cell, plan, connections, peer)}",
        )


def _crossed(summary: PolicySummary) -> str:
    crossed = summary["errors"].get(ErrorKind.CROSSED_BY_CLOSE.label, 0)
    return f" or was just closing ({crossed:,} crossed a response such as a 408)" if crossed else ""


def _how_ended(connections: ConnectionsSummary) -> str:
    """How the server ended connections, with the statuses of the responses that it sent for that."""
    statuses = ", ".join(
        f"{count:,} × {status if int(status) else 'not known'}"
        for status, count in connections["idle_statuses"].items()
    )
    found = {
        f"{label}{_each_after(connections, label)}": number for label, number in server_endings(connections).items()
    }
    return listed(found) + (f"; statuses on idle connections: {statuses}" if statuses else "")


def _each_after(connections: ConnectionsSummary, label: str) -> str:
    """After how many requests all connections were closed as announced, where that is one number: the server's limit.

    What is closed when idle is not closed for the number of its requests.
    """
    found = connections.get("ended_after", {}).get(label)
    if (
        label != Ending.SERVER_ANNOUNCED.label
        or found is None
        or found["min"] != found["max"]
        or connections["endings"][label] < _MIN_ENDED
    ):
        return ""
    return f" after {count(found['max'], 'request')} each"


def _when_closed(connections: ConnectionsSummary, what: str) -> str:
    """When the server closes connections that are in use, and what a client can do about that."""
    found = connections.get("ended_after", {}).get(Ending.SERVER_STALE.label)
    if found is None or connections["endings"].get(Ending.SERVER_STALE.label, 0) < _MIN_ENDED:
        return f"it closes connections after some {what}s: use recycle:K with a K below that"
    if found["min"] == found["max"]:
        return f"it closes connections after {count(found['max'], what)}: use recycle:{found['max']}"
    return (
        f"it closes connections in use after no fixed number of {what}s ({found['min']:,} to {found['max']:,}), as "
        "when it restarts, or limits their age: use lifetime:T with a T below that age"
    )


def _stale_advice(cell: Cell, plan: Plan, connections: ConnectionsSummary, peer: str) -> str:
    policy, what = cell.policy, exchange_word(cell.policy.protocol)
    # Arrivals, and users of a pool that has more connections than they need, leave connections unused.
    busy = not cell.rate_rps and policy.pool <= cell.users and not policy.gap_ns and not plan.load.think_ns
    if busy and connections["requests_per_connection"] < _ABOUT_ONE:  # no K is below that
        return f"it closes connections after one {what} without announcing it: use {single_use_policy(policy.protocol)}"
    if policy.depth > 1:
        return (
            "it closes connections while requests are in flight on them: with recycle:K keep their number at or below "
            f"the {peer}'s limit"
        )
    # HTTP does not say whether a WebSocket message may be sent twice.
    repeats = plan.retry_stale or policy.protocol == WEBSOCKET
    again = "" if repeats else ", or let idempotent requests be sent once more with --retry-stale"
    if busy:
        return f"{_when_closed(connections, what)}{again}"
    return f"keep the gap between two requests below the {peer}'s idle timeout{again}"


def reuse_warnings(summary: PolicySummary, cell: Cell, plan: Plan) -> Found:
    """Connections that did not do what the policy says."""
    connections, policy, peer = summary["connections"], cell.policy, peers_of(plan, cell.policy)
    if policy.reuses and not _cut_by_faults(summary) and not is_answered_early(summary, policy):
        yield from _never_used(connections, policy, plan.load, _block_ns(summary, plan.load))
    if policy.reuses and policy.honours_close:
        yield from _lengths(summary, policy, peer, plan.load, _closed_in_gaps(connections, policy, plan.load))
    if connections["server_ignored_close"] and policy.protocol != WEBSOCKET:  # which has no such option
        yield (
            WarningCode.SERVER_IGNORED_CLOSE,
            f"on {count(connections['server_ignored_close'], 'connection')} the client asked for a close, and the "
            f"{peer} neither announced one nor closed",
        )
    if connections["tls_resumed"] and not policy.resumes_tls:
        yield (
            WarningCode.TLS_RESUMED_UNASKED,
            f"{count(connections['tls_resumed'], 'TLS handshake')} resumed a session, though this policy asks for full "
            "handshakes",
        )
    # Each user has a TLS session of its own, so with a pool each user needs one full handshake.
    full = cell.users * summary["blocks"] if policy.pool and not cell.rate_rps else connections["ideal"]
    made = {
        "server": (connections["tls_full"], connections["tls_resumed"]),
        "proxy": (connections.get("proxy_full_handshakes", 0), connections.get("proxy_resumed_handshakes", 0)),
    }
    for who, (handshakes, resumed) in made.items():
        if policy.resumes_tls and handshakes > full:
            yield (
                WarningCode.TLS_NOT_RESUMED,
                f"{handshakes:,} TLS handshakes{' with the proxy' if who == 'proxy' else ''} were full, where {full:,} "
                f"would do: the {who} resumed {_how_many_sessions(resumed, handshakes - full)}",
            )
    if policy.early_data:
        yield from _early_data(connections)


def _how_many_sessions(resumed: int, refused: int) -> str:
    if not resumed:
        return "no session"
    found = f"{resumed:,} of the {resumed + refused:,} sessions"
    return found + (", as backends do that don't share the keys of their tickets" if refused * 4 > resumed else "")


def _early_data(connections: ConnectionsSummary) -> Found:
    """What a policy with early data did not get."""
    early = connections.get("early_data")
    if early is None or early["accepted"]:
        return
    rejected = early["rejected"]
    why = f"it rejected all of {rejected:,}" if rejected else "its sessions allow none"
    yield WarningCode.NO_EARLY_DATA, f"the server took no request as early data: {why}"


def _cut_by_faults(summary: PolicySummary) -> bool:
    """Whether the client closed most connections for what came on them; a longer block would change nothing then."""
    distrusted = sum(summary["lenient"].get(kind.label, 0) for kind in CLOSING)
    cut = summary["unasked_bytes"]["connections"] + sum(summary["errors"].values()) + distrusted
    return 2 * cut > summary["connections"]["opened"]


def _block_ns(summary: PolicySummary, load: Load) -> int:
    """How long a block was; where it had a number of requests, what it took on average."""
    if load.requests is None:
        return load.block_ns
    return load.warmup_ns + round(summary["seconds"] / max(1, summary["blocks"]) * NS_PER_S)


def _never_used(connections: ConnectionsSummary, policy: ConnectionPolicy, load: Load, block_ns: int) -> Found:
    """A block that is too short for the policy to show: it measured something else than the policy's name says."""
    if ended_by_server(connections):
        return
    block, counted_ns = format_duration(block_ns), block_ns - load.warmup_ns
    gap_ns = max(policy.gap_ns, load.think_ns)
    timeout_s = connections["server_announced"]["keep_alive_timeout_s"]
    limits = [(longest_ns, limit) for limit in policy.limits if (longest_ns := limit.longest_ns(timeout_s)) is not None]
    limit_ns, limit = min(limits, key=lambda found: found[0], default=(None, None))
    if not connections["reuse_ratio"] and limit_ns is not None and limit is not None and limit_ns < counted_ns:
        yield (
            WarningCode.NEVER_USED,
            f"nothing was reused: before a second request each connection had passed its {limit.noun} of "
            f"{format_duration(limit_ns)}; use a longer {limit.noun.partition(',')[0]}",
        )
    elif not connections["reuse_ratio"] or gap_ns >= counted_ns:
        unused = f": connections are left unused for {format_duration(gap_ns)} between two requests"
        what, why = "little" if connections["reuse_ratio"] else "nothing", unused if gap_ns >= counted_ns else ""
        yield WarningCode.NEVER_USED, f"{what} was reused within a {block} block{why}; use {load.longer_blocks}"
    elif limit_ns is not None and limit is not None and not limit.is_of_idle_time and limit_ns >= counted_ns:
        yield (
            WarningCode.NEVER_USED,
            f"almost no connection reached its {format_duration(limit_ns)} {limit.noun} within a {block} block; "
            f"use {load.longer_blocks}",
        )


def _given_up(summary: PolicySummary) -> str:
    """How many connections the client closed for what came on them, or did not come, and what that was."""
    given_up = summary["connections"]["endings"].get(Ending.CLIENT_GAVE_UP.label, 0)
    if not given_up:
        return ""
    reasons = [kind.label for kind in CLOSING if summary["lenient"].get(kind.label)]
    reasons += ["bytes that no request asked for"] if summary["unasked_bytes"]["connections"] else []
    reasons += [label for label in summary["errors"] if label in _GIVING_UP]
    why = f" because of {', '.join(reasons)}" if reasons else ""
    return f", and loadgen {given_up:,}{why}"


def _on_average(carried: float, what: str) -> str:
    number = plain_number(carried, 4)
    return f"{number} {what}{'' if number == '1' else 's'} on average"


def _closed_in_gaps(connections: ConnectionsSummary, policy: ConnectionPolicy, load: Load) -> str:
    """That the gap is too long for the server's idle timeout, where that is why it ended most of its connections."""
    gap_ns, ended = max(policy.gap_ns, load.think_ns), server_endings(connections)
    idle = sum(ended.get(ending.label, 0) for ending in _IDLE)
    if not gap_ns or 2 * idle <= sum(ended.values()):
        return ""
    announced_s = connections["server_announced"]["keep_alive_timeout_s"]
    though = ""
    if announced_s is not None and announced_s * NS_PER_S > gap_ns:
        though = f", though it announced {format_duration(announced_s * NS_PER_S)} (Keep-Alive: timeout)"
    return f", while they were left unused for {format_duration(gap_ns)} between two requests{though}"


def _lengths(summary: PolicySummary, policy: ConnectionPolicy, peer: str, load: Load, in_gaps: str) -> Found:
    """Whether connections lived as long as the policy lets them. in_gaps: when the server ended them."""
    connections = summary["connections"]
    opened, ideal, carried = connections["opened"], connections["ideal"], connections["requests_per_connection"]
    limited, what = policy.limits_requests, exchange_word(policy.protocol)
    how = _how_ended(connections)
    if policy.keeps_open:
        if opened != ideal:
            yield (
                WarningCode.CONNECTIONS_NOT_IDEAL,
                f"{opened:,} connections were opened, perfect reuse takes {ideal:,}; "
                f"the {peer} closed {connections['closed_by']['server']:,}{how and f' ({how})'}{in_gaps}"
                f"{_given_up(summary)}{f'; {ANSWERED_EARLY}' if is_answered_early(summary, policy) else ''}",
            )
        return
    short = not limited or carried < _WELL_BELOW * policy.requests
    if short and ended_by_server(connections):
        yield (
            WarningCode.CLOSED_EARLY,
            f"connections carried only {_on_average(carried, what)}, because the {peer} closed "
            f"{connections['closed_by']['server']:,} of {opened:,}: {how}{in_gaps}",
        )
    elif short and is_answered_early(summary, policy):
        yield (
            WarningCode.CLOSED_EARLY,
            f"connections carried only {_on_average(carried, what)}, because {ANSWERED_EARLY}",
        )
    elif limited and short and 0 < opened <= ideal:
        yield (
            WarningCode.NEVER_RECYCLED,
            f"no connection reached its {policy.requests:,} {what}s within a block, so none was replaced; "
            f"use {load.longer_blocks}",
        )
