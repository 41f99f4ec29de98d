"""What a plan of several origins is for one of them."""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.origin_plans import plan_of_origin
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.proxying import Proxying
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
