"""A route's contexts: one pair for each certificate, made once for each of a sweep's settings, wrong ones refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.tls_settings import TlsSettings
from loadgen.wire.route import Route
from loadgen.wire.tls_contexts import TlsContexts
from tests.support.client_certificates import write_pem

PLAN = Plan(parse_target("https://example.test/"), parse_policies("close"), insecure=True)


def test_they_are_made_once_for_each_of_the_settings() -> None:
    contexts = TlsContexts(PLAN)
    one, other = TlsSettings(version="1.2"), TlsSettings(version="1.3")
    assert contexts.of(one) is contexts.of(one)
    assert contexts.of(one) is not contexts.of(other)
    with pytest.raises(PlanError, match="no group"):
        contexts.of(TlsSettings(groups="NONE"))


def test_users_take_certificates_in_turns(tmp_path: Path) -> None:
    files = [write_pem(tmp_path, name) for name in ("alice", "bob")]
    tls = TlsSettings(tuple(str(one.cert) for one in files), tuple(str(one.key) for one in files))
    route = Route.of(replace(PLAN, tls=tls))
    assert len(route.turns) == 2
    by_user = [route.transport(user=user)._context for user in range(4)]  # type: ignore[attr-defined] # with TLS it has one
    assert by_user == [route.turns[0][0], route.turns[1][0]] * 2
    assert route.transport(offers_h2=True, user=1)._context is route.turns[1][1]  # type: ignore[attr-defined] # as above


def test_a_route_changes_what_it_offers() -> None:
    route = Route.of(PLAN)
    first = route.tls_context
    route.use_tls(TlsSettings(version="1.2"))
    assert route.tls_context is not first
    route.use_tls(PLAN.tls)
    assert route.tls_context is first
    Route.of(replace(PLAN, target=parse_target("http://example.test/"))).use_tls(TlsSettings(groups="NONE"))


@pytest.mark.parametrize(
    ("url", "sni", "name"),
    [
        ("https://example.test./", None, b"example.test"),
        ("https://example.test/", "other.test", b"other.test"),
        ("https://127.0.0.1/", "other.test", b"other.test"),
        ("https://example.test/", "none", b""),
        ("https://127.0.0.1/", None, b""),
    ],
)
def test_the_name_that_is_asked_for(url: str, sni: str | None, name: bytes) -> None:
    assert Route.of(replace(PLAN, target=parse_target(url), tls=TlsSettings(sni=sni))).server_name == name
