"""Policies: how they are read, what is refused and why, and what a policy says about a connection."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.policy import (
    FIFO,
    H2,
    H2_PRIOR,
    H2C_UPGRADE,
    LIFO,
    PARTS,
    UNLIMITED,
    WEBSOCKET,
    ConnectionPolicy,
    parse_policies,
    parse_policy,
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
        ("abandon+ignore-close", "nothing would be retried"),
        ("recycle:1+pipeline:2", "a second request would have no connection"),
        ("pool:3+gap:1s", "use --think"),
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
    ],
)
def test_policies_keep_the_order_in_which_they_are_named(text: str, names: list[str]) -> None:
    assert [policy.name for policy in parse_policies(text)] == names


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "choose from persistent, close, close-resume"),
        (" , ", "no policy is named"),
        ("persistant", "did you mean 'persistent'"),
        ("clsoe", "did you mean 'close'"),
        ("Close", "did you mean 'close'"),
        ("xyz", "choose from"),
        ("close,persistent,close", "'close' is named twice"),
    ],
)
def test_a_bad_list_of_policies_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        parse_policies(text)
