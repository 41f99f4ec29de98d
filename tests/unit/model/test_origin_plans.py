"""What a plan of several origins is for one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.cell import Axes
from loadgen.model.exceptions import PlanError
from loadgen.model.origin_plans import peers_of, plan_of_origin, plans_by_origin
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.proxying import Proxying
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.tls_settings import DEFAULT_TLS, TlsSettings

SHOP, IMAGES = parse_target("https://shop.test/"), parse_target("http://images.test:81/")


def test_tls_stays_where_the_origin_has_it() -> None:
    settings = TlsSettings(alpn=("http/1.1",))
    plan = Plan(SHOP, parse_policies("persistent,resume"), tls=settings)
    images = plan_of_origin(plan, IMAGES)
    assert (images.target, images.tls) == (IMAGES, DEFAULT_TLS)
    assert [policy.resumes_tls for policy in images.policies] == [False, False]
    assert [policy.name for policy in images.policies] == ["persistent", "resume"]
    secure = plan_of_origin(plan, parse_target("https://other.test/"))
    assert (secure.tls, secure.policies) == (settings, plan.policies)


def test_each_origin_has_the_proxy_or_none_as_its_host_says() -> None:
    proxy = parse_proxy("http://127.0.0.1:3128")
    plan = Plan(SHOP, parse_policies("close"), proxy=proxy, proxying=Proxying(no_proxy=("images.test",)))
    assert plan_of_origin(plan, SHOP).proxy == proxy
    assert plan_of_origin(plan, IMAGES).proxy is None
    assert plan_of_origin(replace(plan, proxying=Proxying()), IMAGES).proxy == proxy


UPLOADS = read_requests(
    """
{"url": "/cart", "method": "PUT", "body": "x", "chunked": true, "name": "cart"}
{"url": "http://images.test:81/a", "method": "PUT", "name": "image"}
"""
)


@pytest.mark.parametrize(
    "transfer",
    [BodyTransfer(chunked=True, chunk_bytes=9), BodyTransfer(expects_continue=True), BodyTransfer(chunk_bytes=9)],
)
def test_an_origin_whose_requests_have_no_body_is_sent_none(transfer: BodyTransfer) -> None:
    plan = Plan(SHOP, parse_policies("close"), requests=UPLOADS, transfer=transfer)
    shop, images = plans_by_origin(plan)
    cart, image = shop.of_request(UPLOADS[0]), images.of_request(UPLOADS[1])
    assert (cart.transfer.chunked, cart.transfer.in_pieces) == (True, transfer.expects_continue)
    assert (image.transfer.chunked, image.transfer.in_pieces) == (False, False)


def test_a_sweep_has_origins_with_tls_and_in_clear() -> None:
    policies = parse_policies("close,close-resume")
    plan = Plan(SHOP, policies, requests=UPLOADS, axes=Axes(users=(1, 2), tls_version=("1.2", "1.3")))
    shop, images = plans_by_origin(plan)
    assert [one.of_request(request).requests for one, request in zip((shop, images), UPLOADS, strict=True)] == [(), ()]
    assert [policy.resumes_tls for policy in images.policies] == [False, False]
    assert (shop.axes.of_tls(), images.axes.of_tls()) == (("tls_version",), ())


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"source_ips": ("127.0.0.2",)}, "--source-ip is for TCP"),
        ({"proxy": parse_proxy("http://127.0.0.1:3128")}, "a proxy can't reach unix:/a of this machine"),
    ],
)
def test_another_origin_must_be_one_that_the_plan_can_reach(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        plan_of_origin(Plan(SHOP, parse_policies("close"), **values), parse_target("unix:/a"))


def test_the_first_origin_s_way_is_its_own() -> None:
    by_host = {"proxy": parse_proxy("http://127.0.0.1:3128"), "proxying": Proxying(no_proxy=("images.test",))}
    plan = Plan(IMAGES, parse_policies("close"), requests=UPLOADS[:1], **by_host)  # type: ignore[arg-type] # both fit
    plan = replace(plan, requests=read_requests('{"url": "/a"}\n{"url": "http://shop.test/b"}'))
    (policy,) = plan.policies
    assert (plan.endpoint.host, plan.asks_proxy(policy), plan.tunnels(policy)) == ("images.test", False, False)
    assert peers_of(plan, policy) == "proxy or server"
    assert peers_of(replace(plan, proxying=Proxying()), policy) == "proxy"
    assert peers_of(Plan(IMAGES, plan.policies), policy) == "server"


@pytest.mark.parametrize(
    ("name", "complaint"), [("Expect", "'Expect' can't be given"), ("Proxy-Authorization", "Proxy")]
)
def test_fields_of_single_requests_are_checked_too(name: str, complaint: str) -> None:
    requests = read_requests(f'{{"url": "/", "method": "PUT", "body": "x", "headers": {{"{name}": "100-continue"}}}}')
    values = {"proxy": parse_proxy("http://127.0.0.1:3128"), "transfer": BodyTransfer(expects_continue=True)}
    with pytest.raises(PlanError, match=complaint):
        Plan(SHOP, parse_policies("close"), requests=requests, **values)  # type: ignore[arg-type] # both fit
