"""Policies: how they are read, what is refused and why, and what a policy says about a connection."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.policy import (
    FIFO,
    H2,
    H2_PRIOR,
    H2C_UPGRADE,
    HTTP1,
    HTTP2,
    LIFO,
    PARTS,
    UNLIMITED,
    WEBSOCKET,
    ConnectionPolicy,
    parse_policies,
    parse_policy,
    single_use_policy,
)
from loadgen.model.policy.parts.lifetime import Lifetime
from loadgen.model.units import NS_PER_MS, NS_PER_S


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("persistent", {}),
        ("close", {"requests": 1}),
        ("close-resume", {"requests": 1, "resumes_tls": True}),
        ("recycle:10", {"requests": 10}),
        ("recycle:inf", {"requests": UNLIMITED}),
        ("lifetime:1m30s", {"limits": (Lifetime(90 * NS_PER_S),)}),
        ("gap:20ms", {"gap_ns": 20 * NS_PER_MS}),
        ("pool:8", {"pool": 8, "pool_order": LIFO}),
        ("pool:8:fifo", {"pool": 8, "pool_order": FIFO}),
        ("abandon", {"requests": 1, "announces": False}),
        ("http10", {"requests": 1, "http_version": "1.0", "keep_alive": False}),
        ("http10-keepalive", {"http_version": "1.0"}),
        ("pipeline:4", {"depth": 4}),
        ("ignore-close", {"honours_close": False}),
        ("resolve", {"requests": 1, "resolves": True}),
        ("recycle:10+gap:2s", {"requests": 10, "gap_ns": 2 * NS_PER_S}),
        ("recycle:10+abandon", {"requests": 10, "announces": False}),
        ("resume+recycle:3", {"requests": 3, "resumes_tls": True}),
        ("persistent+resolve", {"resolves": True}),
        ("pool:2+close", {"pool": 2, "requests": 1}),
        ("websocket", {"protocol": WEBSOCKET}),
        ("websocket-close", {"protocol": WEBSOCKET, "requests": 1}),
        ("websocket+recycle:5", {"protocol": WEBSOCKET, "requests": 5}),
        ("h2", {"protocol": H2}),
        ("h2-prior", {"protocol": H2_PRIOR}),
        ("h2c-upgrade+close", {"protocol": H2C_UPGRADE, "requests": 1}),
        ("h2+streams:10", {"protocol": H2, "depth": 10}),
        ("streams:10+h2+resume+recycle:7", {"protocol": H2, "depth": 10, "resumes_tls": True, "requests": 7}),
        ("h2+pool:3", {"protocol": H2, "pool": 3}),
        ("h2+pool:3+streams:2", {"protocol": H2, "pool": 3, "pool_order": LIFO, "depth": 2}),
    ],
)
def test_a_policy_is_the_sum_of_its_parts(text: str, fields: dict[str, Any]) -> None:
    assert parse_policy(text) == ConnectionPolicy(text, **fields)


@pytest.mark.parametrize(
    ("text", "reuses", "more", "last", "asks"),
    [
        ("persistent", True, "keep-alive", "close", True),
        ("close", False, "keep-alive", "close", True),
        ("abandon", False, "keep-alive", "keep-alive", False),
        ("recycle:2+abandon", True, "keep-alive", "keep-alive", False),
        ("http10", False, "", "", True),
        ("http10-keepalive", True, "keep-alive", "close", True),
    ],
)
def test_what_a_policy_writes_into_the_connection_field(
    text: str, reuses: bool, more: str, last: str, asks: bool
) -> None:
    policy = parse_policy(text)
    written = (policy.reuses, policy.connection_option, policy.last_option, policy.asks_for_close)
    assert written == (reuses, more, last, asks)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("recycle", "lacks a parameter; write recycle:K"),
        ("recycle:0", "'0' is not a whole number from 1 on"),
        ("recycle:-1", "not a whole number"),
        ("recycle:٣", "not a whole number"),
        ("gap:soon", "'soon' is not a duration"),
        ("gap:0", "too short"),
        ("pool:3:random", "neither lifo nor fifo"),
        ("close:3", "close takes no parameter"),
        ("close+recycle:3", "close and recycle exclude each other"),
        ("recycle:3+recycle:4", "exclude each other"),
        ("http10+recycle:2", "exclude each other"),
        ("close+gap:1s", "nothing is reused after the gap"),
        ("close+lifetime:1s", "no connection lives that long"),
        ("close+max-idle:1s", "no connection is ever idle"),
        ("recycle:1+honour", "no connection is ever idle"),
        ("h2+honour", "honour is for http/1.1 alone"),
        ("abandon+ignore-close", "nothing would be retried"),
        ("recycle:1+pipeline:2", "a second request would have no connection"),
        ("pool:3+gap:1s", "use --think"),
        ("close+preopen:3", "no request would come to use them"),
        ("coalesce", "coalesce is for h2c-upgrade, h2, h2-prior alone"),
        ("h2+coalesce+pool:2", "exclude each other"),
        ("h2+coalesce+gap:1s", "never idle"),
        ("connect-rate:0", "not a whole number"),
        ("close+tcp-linger:5", "is not 0"),
        ("tcp-rcvbuf:64k", "not a whole number"),
        ("tcp-keepalive:500ms", "not a whole number of seconds"),
        ("tcp-congestion:Re no", "no name of a congestion control"),
        ("tcp-nagle+tcp-nagle", "exclude each other"),
        ("nagle", "did you mean 'tcp-nagle'"),
        ("pool:3+pipeline:2", "serves one user at a time"),
        ("pipeline:2+http10-keepalive", "came with HTTP/1.1"),
        ("streams:3", "streams is for h2c-upgrade, h2, h2-prior alone"),
        ("websocket+streams:3", "streams is for h2c-upgrade"),
        ("h2+pipeline:3", "pipeline is for http/1.1 alone"),
        ("h2+http10-keepalive", "http10-keepalive is for http/1.1 alone"),
        ("websocket+ignore-close", "ignore-close is for http/1.1 alone"),
        ("h2+websocket", "h2 and websocket exclude each other"),
        ("websocket-close+recycle:2", "exclude each other"),
        ("h2+streams:0", "not a whole number"),
        ("h2+close+streams:2", "a second request would have no connection"),
        ("h2+gap:1s+streams:2", "never idle"),
        ("recicle:3", "did you mean 'recycle'"),
        ("recycle:3+", "is unknown"),
    ],
)
def test_a_bad_policy_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        parse_policy(text)
    assert "\n" not in str(caught.value)


def test_every_part_says_what_it_means() -> None:
    assert all(part.meaning and bool(part.parameter) == bool(part.parse) for part in PARTS.values())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("close", ["close"]),
        ("persistent,close", ["persistent", "close"]),
        ("close,persistent", ["close", "persistent"]),
        (" close , persistent ,", ["close", "persistent"]),
        ("close,close,close", ["close", "close#2", "close#3"]),
        ("close,persistent,close", ["close", "persistent", "close#2"]),
        ("close,close#2,close", ["close", "close#2", "close#3"]),
        ("close+resolve,resolve+close", ["close+resolve", "resolve+close#2"]),
        ("close,recycle:1", ["close", "recycle:1"]),
    ],
)
def test_policies_keep_the_order_in_which_they_are_named(text: str, names: list[str]) -> None:
    assert [policy.name for policy in parse_policies(text)] == names


def test_recycling_without_end_is_persistent_by_another_name() -> None:
    """The engine goes by a policy's fields, so there is no second way for it to take."""
    recycled = parse_policy("recycle:inf")
    assert replace(recycled, name="persistent") == parse_policy("persistent")


def test_equal_policies_behave_alike_and_differ_in_name_alone() -> None:
    first, second = parse_policies("recycle:10+gap:2s,recycle:10+gap:2s")
    assert replace(second, name=first.name, copy=first.copy) == first
    assert parse_policies(f"{first.name},{second.name}") == (first, second)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "choose from persistent, close, close-resume"),
        (" , ", "no policy is named"),
        ("persistant", "did you mean 'persistent'"),
        ("clsoe", "did you mean 'close'"),
        ("Close", "did you mean 'close'"),
        ("xyz", "choose from"),
        ("close,close#3", "'close#3' has the wrong number; write close"),
        ("close#2,close", "'close#2' has the wrong number; write close"),
        ("close,close#1", "'close#1' is unknown; did you mean 'close'"),
    ],
)
def test_a_bad_list_of_policies_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        parse_policies(text)


# Reuse


def used(**values: Any) -> Any:
    """A connection after its first response, a second old."""
    return SimpleNamespace(
        **{
            "requests_begun": 1,
            "accepts": True,
            "framed": True,
            "opened_ns": 0,
            "busy": False,
            "idle_since_ns": NS_PER_S,
            "keep_alive_timeout_s": None,
            **values,
        }
    )


@pytest.mark.parametrize(
    ("text", "values", "allowed"),
    [
        ("persistent", {}, True),
        ("persistent", {"requests_begun": 10**9}, True),
        ("persistent", {"accepts": False}, False),
        ("close", {}, False),
        ("recycle:3", {"requests_begun": 2}, True),
        ("recycle:3", {"requests_begun": 3}, False),
        ("lifetime:2s", {}, True),
        ("lifetime:1s", {}, False),
        ("lifetime:2s", {"accepts": False}, False),
        ("recycle:3+lifetime:2s", {"requests_begun": 3}, False),
        ("ignore-close", {"accepts": False}, True),
        ("ignore-close", {"accepts": False, "framed": False}, False),
        ("ignore-close+recycle:3", {"accepts": False, "requests_begun": 3}, False),
        ("max-idle:1s", {"idle_since_ns": 1}, True),
        ("max-idle:1s", {"idle_since_ns": 0}, False),
        ("max-idle:1s", {"idle_since_ns": 0, "busy": True}, True),  # of several exchanges one is under way
        ("honour", {"idle_since_ns": 0}, True),  # nothing was announced
        ("honour", {"idle_since_ns": 500_000_001, "keep_alive_timeout_s": 1}, True),
        ("honour", {"idle_since_ns": 500_000_000, "keep_alive_timeout_s": 1}, False),
        ("honour:100ms", {"idle_since_ns": 500_000_000, "keep_alive_timeout_s": 1}, True),
        ("honour:2s", {"keep_alive_timeout_s": 1}, False),  # the margin is longer than the timeout
        ("gap:5s", {}, True),  # a gap delays the next request and does not forbid it
    ],
)
def test_when_a_connection_may_be_used_again(text: str, values: dict[str, Any], allowed: bool) -> None:
    assert parse_policy(text).may_reuse(used(**values), NS_PER_S) is allowed


def test_policies_are_ranked_by_how_much_they_reuse() -> None:
    texts = "close,recycle:2,h2,persistent,lifetime:1s,gap:1s,gap:2s,recycle:2+lifetime:1s"
    ranked = sorted(parse_policies(texts), key=lambda policy: policy.reuse_rank)
    assert [policy.name for policy in ranked] == [
        "close", "recycle:2+lifetime:1s", "recycle:2", "lifetime:1s", "gap:2s", "gap:1s", "h2", "persistent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "keeps_open", "limits_requests", "fits_scenarios"),
    [
        ("persistent", True, False, True),
        ("gap:1s", True, False, True),
        ("recycle:5", False, True, True),
        ("lifetime:1s", False, False, True),
        ("max-idle:1s", False, False, True),
        ("honour", False, False, True),
        ("pool:2", True, False, True),
        ("preopen:2", True, False, False),
        ("connect-rate:2", True, False, True),
        ("h2+coalesce", True, False, True),
        ("pipeline:2", True, False, True),
        ("h2", True, False, True),
    ],
)
def test_what_others_ask_of_a_policy(text: str, keeps_open: bool, limits_requests: bool, fits_scenarios: bool) -> None:
    policy = parse_policy(text)
    assert (policy.keeps_open, policy.limits_requests, policy.fits_scenarios) == (
        keeps_open, limits_requests, fits_scenarios,
    )  # fmt: skip


@pytest.mark.parametrize(("text", "opened"), [("close", 100.0), ("recycle:20", 5.0)])
def test_how_many_connections_a_rate_takes(text: str, opened: float) -> None:
    assert parse_policy(text).opened_per_s(100.0) == opened


@pytest.mark.parametrize("protocol", [HTTP1, WEBSOCKET, *HTTP2])
def test_each_protocol_has_a_policy_for_single_requests(protocol: str) -> None:
    policy = parse_policy(single_use_policy(protocol))
    assert (policy.protocol, policy.requests) == (protocol, 1)
