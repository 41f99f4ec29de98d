"""Warnings explained by what an audit of the target found out (`--probe`): one table. Decides about no warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loadgen.model.audit import AuditRecord, FindingValue, Verdict
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1, HTTP2, WEBSOCKET
from loadgen.model.units import count, format_duration
from loadgen.model.warning_codes import WarningCode

Values = Mapping[str, FindingValue]


@dataclass(frozen=True, slots=True)
class _Explanation:
    """A finding, the warnings that it may explain, and the sentence; empty where the finding does not explain it."""

    finding: str
    protocols: tuple[str, ...]
    """Those of policies that it tells something about."""
    codes: tuple[WarningCode, ...]
    sentence: Callable[[Values, Cell, Plan], str]
    """Goes on after `this server` or `this proxy`."""


def _max_requests(values: Values, _cell: Cell, _plan: Plan) -> str:
    fewest, most = _whole(values, "min_closed_after"), _whole(values, "max_closed_after")
    if fewest is None or most is None:
        return ""
    number = count(most, "request") if fewest == most else f"{fewest:,} to {count(most, 'request')}"
    silent = "" if values.get("announced", True) else " and does not announce the end"
    return f"allows {number} per connection{silent}"


def _http2_max_requests(values: Values, _cell: Cell, _plan: Plan) -> str:
    answered = _whole(values, "answered")
    if answered is None or "more_than" in values:
        return ""
    silent = "" if values.get("goaway", True) else " and sends no GOAWAY before the end"
    return f"allows {count(answered, 'request')} per HTTP/2 connection{silent}"


def _max_lifetime(values: Values, _cell: Cell, plan: Plan) -> str:
    lifetime_ns = _whole(values, "lifetime_ns")
    if lifetime_ns is None or lifetime_ns > plan.load.block_ns:
        return ""
    return f"ends a connection at an age of {format_duration(lifetime_ns)}"


def _idle_timeout(values: Values, cell: Cell, plan: Plan) -> str:
    timeout_ns = _whole(values, "min_ns")
    if timeout_ns is None or timeout_ns > _unused_ns(cell, plan):
        return ""
    return f"closes connections that are idle for {format_duration(timeout_ns)}"


def _stale_window(values: Values, cell: Cell, plan: Plan) -> str:
    safe_ns = _whole(values, "safe_idle_ns")
    if not safe_ns or safe_ns > _unused_ns(cell, plan):
        return ""
    return f"loses no request on a connection that was idle for at most {format_duration(safe_ns)}"


def _unused_ns(cell: Cell, plan: Plan) -> int:
    """For how long a connection may be left unused; up to a block's length where arrivals or a pool decide it."""
    return plan.load.block_ns if cell.rate_rps or cell.policy.pool else max(cell.policy.gap_ns, plan.load.think_ns)


def _close_ignored(values: Values, _cell: Cell, _plan: Plan) -> str:
    tried, closed = _whole(values, "connections"), _whole(values, "closed")
    if not tried or closed is None or closed == tried:
        return ""
    return f"closed {closed} of {count(tried, 'connection')} that it was asked to close"


def _tls_not_resumed(values: Values, _cell: Cell, _plan: Plan) -> str:
    resumed, offers = _whole(values, "resumed"), _whole(values, "offers")
    if not offers or resumed is None or resumed == offers:
        return ""
    backends = _whole(values, "backends")
    farm = f", as about {count(backends, 'backend')} without shared keys would" if backends else ""
    return f"resumed {resumed} of {count(offers, 'session')} that it was offered{farm}"


def _speaks_no_http2(values: Values, _cell: Cell, _plan: Plan) -> str:
    ways = {"alpn": "by ALPN", "prior": "by prior knowledge", "upgrade": "by upgrade"}
    way = values.get("way")
    return f"speaks HTTP/2 {ways[way]} alone" if isinstance(way, str) and way in ways else "speaks no HTTP/2"


_HTTP = (HTTP1, *HTTP2)
_NOT_REUSED = (WarningCode.CONNECTIONS_NOT_IDEAL, WarningCode.CLOSED_EARLY, WarningCode.STALE_CONNECTIONS)
EXPLANATIONS = (
    _Explanation("max_requests", (HTTP1,), _NOT_REUSED, _max_requests),
    _Explanation("http2_max_requests", HTTP2, _NOT_REUSED, _http2_max_requests),
    _Explanation("max_lifetime", _HTTP, _NOT_REUSED, _max_lifetime),
    _Explanation("idle_timeout", (HTTP1,), (*_NOT_REUSED, WarningCode.GAP_OVER_TIMEOUT), _idle_timeout),
    _Explanation("http2_idle_timeout", HTTP2, _NOT_REUSED, _idle_timeout),
    _Explanation("websocket_idle_timeout", (WEBSOCKET,), _NOT_REUSED, _idle_timeout),
    _Explanation("stale_window", (HTTP1,), (WarningCode.STALE_CONNECTIONS,), _stale_window),
    _Explanation("close_honoured", (HTTP1,), (WarningCode.SERVER_IGNORED_CLOSE,), _close_ignored),
    _Explanation("tls_resumption", (*_HTTP, WEBSOCKET), (WarningCode.TLS_NOT_RESUMED,), _tls_not_resumed),
    _Explanation("http2_settings", HTTP2, (WarningCode.UPGRADE_DECLINED,), _speaks_no_http2),
)
"""Which finding explains which warnings."""


def explained(code: WarningCode, message: str, cell: Cell, plan: Plan, audit: AuditRecord | None) -> str:
    """The message of a cell's warning, with what an audit found out that explains it."""
    if audit is None:
        return message
    found = {name: one["values"] for name, one in audit["findings"].items() if one["verdict"] != Verdict.UNKNOWN.value}
    known = [
        sentence
        for one in EXPLANATIONS
        if code in one.codes and cell.policy.protocol in one.protocols and one.finding in found
        if (sentence := one.sentence(found[one.finding], cell, plan))
    ]
    peer = "proxy" if plan.asks_proxy(cell.policy) else "server"
    return f"{message}; the audit found that this {peer} {' and '.join(known)}" if known else message


def _whole(values: Values, name: str) -> int | None:
    """A number among the values, which may come from a text editor; None where there is none."""
    value = values.get(name)
    return value if type(value) is int else None
