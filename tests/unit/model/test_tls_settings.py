"""What a client offers as a value: contradictions are refused, and policies get what they need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadgen.model.cell import Axes
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.tls_settings import TlsSettings

PLAN = Plan(parse_target("https://h/"), parse_policies("persistent,h2"))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"certs": ("a",), "keys": ("a", "b")}, "there are 2 --key for 1 --cert"),
        ({"keys": ("a",)}, "there are 1 --key for 0 --cert"),
        ({"passphrase": "env:A"}, "--key-passphrase is for a client certificate"),
    ],
)
def test_contradictions(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(PlanError, match=line):
        TlsSettings(**settings)


def test_versions_and_names() -> None:
    assert [TlsSettings(version=one).versions for one in (None, "1.2", "1.2-1.3")] == [
        ("1.2", "1.3"), ("1.2", "1.2"), ("1.2", "1.3"),
    ]  # fmt: skip
    assert [TlsSettings(sni=one).server_name("h") for one in (None, "other", "none")] == ["h", "other", "h"]
    assert [TlsSettings(sni=one).sends_name for one in (None, "other", "none")] == [True, True, False]


def test_each_policy_offers_what_it_can_speak() -> None:
    assert [TlsSettings().offered(is_h2) for is_h2 in (True, False)] == [("h2", "http/1.1"), ("http/1.1",)]
    both = TlsSettings(alpn=("http/1.1", "h2"))
    assert [both.offered(is_h2) for is_h2 in (True, False)] == [("http/1.1", "h2"), ("http/1.1",)]
    assert TlsSettings(alpn=()).offered(False) == ()


@pytest.mark.parametrize(
    ("alpn", "line"),
    [
        (("h2",), "--alpn h2 leaves the policy persistent nothing to offer; add http/1.1"),
        (("http/1.1",), "--alpn has no h2, and the policy h2 needs it; add it"),
        ((), "--alpn has no h2"),
    ],
)
def test_a_policy_that_could_not_be_spoken(alpn: tuple[str, ...], line: str) -> None:
    with pytest.raises(PlanError, match=line):
        replace(PLAN, tls=TlsSettings(alpn=alpn))


def test_in_clear_there_is_nothing_to_set() -> None:
    http = parse_target("http://h/")
    with pytest.raises(PlanError, match="--tls-version is for TLS, and http://h/ is in clear; use an https URL"):
        replace(PLAN, target=http, tls=TlsSettings(version="1.2"))
    with pytest.raises(PlanError, match="--no-tickets is for TLS"):  # as it is written, not the option's own name
        replace(PLAN, target=http, tls=TlsSettings(tickets=False))
    with pytest.raises(PlanError, match="--groups is for TLS"):
        replace(PLAN, target=http, axes=Axes(groups=("X25519", "P-256")))
    assert replace(PLAN, target=http).tls.given() == ()


def test_a_sweep_s_cells_offer_what_its_axes_say() -> None:
    axes = Axes(tls_version=("1.2", "1.3"), groups=("X25519", "P-256"))
    plan = replace(PLAN, policies=parse_policies("close"), tls=TlsSettings(ciphers="HIGH"), axes=axes)
    assert [cell.name for cell in plan.cells] == [
        f"close · TLS {version} · {groups}" for version in ("1.2", "1.3") for groups in ("X25519", "P-256")
    ]
    offered = [plan.tls_of(cell) for cell in plan.cells]
    assert [(one.version, one.groups, one.ciphers) for one in offered] == [
        (version, groups, "HIGH") for version in ("1.2", "1.3") for groups in ("X25519", "P-256")
    ]
    assert PLAN.tls_of(PLAN.cells[0]) is PLAN.tls
    assert Plan.from_json(plan.to_json(secrets=True)) == plan


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"target": parse_target("http://h/")}, "a target in clear has none; use an https URL"),
        ({"method": "POST"}, r"sends early data, which others can replay, and POST is not idempotent \(RFC 8470 §4\)"),
        ({"tls": TlsSettings(version="1.2")}, "sends early data, which TLS 1.2 does not have"),
        ({"tls": TlsSettings(tickets=False)}, "sends early data, which takes a ticket; leave out --no-tickets"),
    ],
)
def test_early_data_where_it_can_not_be(changes: dict[str, Any], line: str) -> None:
    early = replace(PLAN, policies=parse_policies("early-data"))
    with pytest.raises(PlanError, match=line):
        replace(early, **changes)
    assert early.policies[0].fits_scenarios
    assert replace(early, proxy=parse_proxy("http://p:3128")).proxy is not None  # it goes through its tunnel
