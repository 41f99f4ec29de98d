"""Options without effect are refused with one line, and those that something uses are not."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.addressing import Addressing
from loadgen.model.endpoint import ResolveRule
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.model.unused_options import check_used

ONE = "http://127.0.0.1:81/"
NAME = "http://h:81/"
TWO_ADDRESSES = (ResolveRule("h", 81, ("127.0.0.1", "127.0.0.2")),)


def plan(url: str, policies: str = "persistent,close", proxy: str = "", **values: Any) -> Plan:
    found = None if not proxy else parse_proxy(proxy)
    return Plan(parse_target(url), parse_policies(policies), proxy=found, **values)


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (plan(ONE, addressing=Addressing(addresses="all")), "--addresses all is never used: .* is one address"),
        (
            plan(ONE, addressing=Addressing(dns_ttl_ns=NS_PER_S)),
            "--dns-ttl is never used: connections go to 127.0.0.1, and no",
        ),
        (plan(ONE, addressing=Addressing(dns_server="127.0.0.1")), "--dns-server is never used"),
        (plan(NAME, addressing=Addressing(dns_ttl_ns=NS_PER_S, resolve=TWO_ADDRESSES)), "--dns-ttl is never used"),
        (plan(NAME, proxy="http://127.0.0.1:8", addressing=Addressing(dns_ttl_ns=NS_PER_S)), "--dns-ttl is never used"),
        (plan(ONE, "http10,websocket", trailers=True), "--trailers is never used: the policy http10 speaks"),
    ],
)
def test_an_option_without_effect_is_refused(made: Plan, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        check_used(made)


@pytest.mark.parametrize(
    "made",
    [
        plan(ONE, insecure=True),
        plan(ONE, cacert="ca.pem"),
        plan(ONE, "close", retry_stale=True),
        plan(NAME, addressing=Addressing(addresses="all", dns_ttl_ns=NS_PER_S, dns_server="127.0.0.1")),
        plan(NAME, addressing=Addressing(addresses="all", resolve=TWO_ADDRESSES)),
        plan(ONE, proxy="http://p:8", addressing=Addressing(addresses="all", dns_ttl_ns=NS_PER_S)),
        plan(NAME, proxy="socks5://127.0.0.1:8", addressing=Addressing(dns_ttl_ns=NS_PER_S)),
        plan(ONE, "http10,close", trailers=True),
    ],
)
def test_one_that_something_uses_is_not(made: Plan) -> None:
    check_used(made)
