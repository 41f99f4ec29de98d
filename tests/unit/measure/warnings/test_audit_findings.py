"""Warnings that an audit explains: which finding, in which words, and when it explains nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from loadgen.measure.warnings.audit_findings import EXPLANATIONS, explained
from loadgen.model.audit import AuditRecord
from loadgen.model.cell import Cell
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.model.warning_codes import WarningCode
from loadgen.probe.registry import PROBES

NOT_IDEAL, STALE = WarningCode.CONNECTIONS_NOT_IDEAL, WarningCode.STALE_CONNECTIONS


def planned(policy: str, *, proxy: str = "", **load: Any) -> tuple[Cell, Plan]:
    plan = Plan(
        parse_target("http://h/"),
        parse_policies(policy),
        Load(block_ns=2 * NS_PER_S, **load),
        proxy=parse_proxy(proxy) if proxy else None,
    )
    return plan.cells[0], plan


def audited(name: str, verdict: str = "ok", **values: Any) -> AuditRecord:
    """An audit with one finding; only what is read of it."""
    return cast(AuditRecord, {"findings": {name: {"verdict": verdict, "values": values}}})


def explanation(code: WarningCode, found: AuditRecord | None, policy: str = "persistent", **load: Any) -> str:
    cell, plan = planned(policy, **load)
    return explained(code, "it is so", cell, plan, found).removeprefix("it is so")


REQUESTS = {"min_closed_after": 1_000, "max_closed_after": 1_000, "announced": True}


def test_the_limit_of_requests_explains_connections_beyond_the_ideal() -> None:
    found = audited("max_requests", **REQUESTS)
    assert explanation(NOT_IDEAL, found) == "; the audit found that this server allows 1,000 requests per connection"
    by_proxy = explanation(NOT_IDEAL, found, proxy="http://127.0.0.1:3128")
    assert "that this proxy allows 1,000 requests" in by_proxy
    uneven = audited("max_requests", min_closed_after=5, max_closed_after=9, announced=False)
    assert explanation(STALE, uneven).endswith("allows 5 to 9 requests per connection and does not announce the end")


def test_two_findings_are_one_sentence() -> None:
    found = audited("max_requests", **REQUESTS)
    found["findings"] |= audited("max_lifetime", lifetime_ns=NS_PER_S)["findings"]
    text = explanation(NOT_IDEAL, found)
    assert text.endswith("allows 1,000 requests per connection and ends a connection at an age of 1.00 s")


@pytest.mark.parametrize(
    ("policy", "load", "is_explained"),
    [
        ("persistent", {}, False),  # its connections are never idle
        ("persistent", {"think_ns": 2 * NS_PER_S}, True),
        ("gap:2s", {}, True),
        ("gap:500ms", {}, False),
        ("persistent", {"rate_rps": 10.0}, True),
        ("pool:4", {}, True),
    ],
)
def test_an_idle_timeout_explains_only_where_connections_are_left_unused(
    policy: str, load: dict[str, Any], is_explained: bool
) -> None:
    text = explanation(STALE, audited("idle_timeout", min_ns=NS_PER_S), policy, **load)
    assert bool(text) == is_explained
    if text:
        assert text.endswith("this server closes connections that are idle for 1.00 s")


@pytest.mark.parametrize(
    ("code", "name", "values", "policy", "said"),
    [
        ("server_ignored_close", "close_honoured", {"connections": 4, "closed": 1}, "close",
         "closed 1 of 4 connections that it was asked to close"),
        ("tls_not_resumed", "tls_resumption", {"resumed": 11, "offers": 20, "backends": 2}, "close",
         "resumed 11 of 20 sessions that it was offered, as about 2 backends without shared keys would"),
        ("upgrade_declined", "http2_settings", {}, "h2", "speaks no HTTP/2"),
        ("upgrade_declined", "http2_settings", {"way": "prior"}, "h2", "speaks HTTP/2 by prior knowledge alone"),
        ("closed_early", "http2_max_requests", {"answered": 100, "goaway": False}, "h2",
         "allows 100 requests per HTTP/2 connection and sends no GOAWAY before the end"),
        ("stale_connections", "stale_window", {"safe_idle_ns": 900_000_000}, "gap:1s",
         "loses no request on a connection that was idle for at most 900 ms"),
        ("closed_early", "websocket_idle_timeout", {"min_ns": 900_000_000}, "websocket+gap:1s",
         "closes connections that are idle for 900 ms"),
        ("stale_connections", "stale_window", {"safe_idle_ns": 900_000_000}, "gap:500ms", ""),
        ("stale_connections", "stale_window", {"safe_idle_ns": 0}, "gap:1s", ""),
        ("closed_early", "max_requests", REQUESTS, "h2", ""),  # which are of HTTP/1.1
        ("closed_early", "http2_max_requests", {"answered": 100, "more_than": 100}, "h2", ""),
        ("closed_early", "max_lifetime", {"lifetime_ns": 9 * NS_PER_S}, "persistent", ""),  # longer than a block
        ("closed_early", "max_requests", {"more_than": 1_050}, "persistent", ""),
        ("closed_early", "max_requests", {"min_closed_after": "5", "max_closed_after": 5}, "persistent", ""),
        ("syn_retransmits", "max_requests", REQUESTS, "persistent", ""),
        ("server_ignored_close", "close_honoured", {"connections": 4, "closed": 4}, "close", ""),
        ("connections_not_ideal", "max_requests", REQUESTS, "websocket", ""),
    ],
)  # fmt: skip
def test_each_finding_explains_its_warnings(
    code: str, name: str, values: dict[str, Any], policy: str, said: str
) -> None:
    text = explanation(WarningCode(code), audited(name, **values), policy)
    assert text == (f"; the audit found that this server {said}" if said else "")


def test_what_is_not_known_explains_nothing() -> None:
    assert explanation(NOT_IDEAL, None) == ""
    assert explanation(NOT_IDEAL, audited("max_requests", "unknown", **REQUESTS)) == ""


def test_findings_are_those_of_probes() -> None:
    known = {probe.name: set(probe.values) for probe in PROBES}
    values = {"max_requests": {"min_closed_after", "max_closed_after", "announced"}, "max_lifetime": {"lifetime_ns"},
              "idle_timeout": {"min_ns"}, "http2_max_requests": {"answered", "more_than", "goaway"},
              "http2_idle_timeout": {"min_ns"}, "close_honoured": {"connections", "closed"},
              "tls_resumption": {"resumed", "offers", "backends"}, "http2_settings": {"way"},
              "websocket_idle_timeout": {"min_ns"}, "stale_window": {"safe_idle_ns"}}  # fmt: skip
    assert set(values) == {one.finding for one in EXPLANATIONS}
    assert {name: read - known[name] for name, read in values.items() if read - known[name]} == {}
