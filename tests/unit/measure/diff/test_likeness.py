"""In what runs differ, and which differences are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from loadgen.measure.diff.likeness import plan_facts, unlike
from loadgen.model.addressing import Addressing
from loadgen.model.body_file import BodyFile
from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.endpoint import ResolveRule
from loadgen.model.named_target import NamedTarget
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.templating import Templating
from loadgen.model.tls_settings import TlsSettings
from tests.support.synthetic import ENVIRONMENT, plan_json


def record(**plan: Any) -> Any:
    return {"name": "r", "plan": plan_json(**plan), "environment": copy.deepcopy(ENVIRONMENT), "notes": []}


def test_like_runs_differ_in_nothing() -> None:
    assert unlike(record(), record(seed=7)) == []


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        ({"policies": "persistent"}, "policies"),
        ({"rate_rps": 100.0}, "users"),
        ({"method": "POST"}, "method"),
        ({"url": "http://127.0.0.1:8080/other"}, "path"),
        ({"processes": 2}, "worker processes"),
        ({"url": "https://127.0.0.1:8080/", "tls": TlsSettings(version="1.2")}, "TLS offers"),
        ({"url": "https://127.0.0.1:8080/", "tls": TlsSettings(("a.pem",))}, "client certificates"),
        ({"requests": read_requests('{"url": "/a"}')}, "several requests"),
        ({"transfer": BodyTransfer(chunked=True), "body": b"x", "method": "PUT"}, "how bodies are sent"),
        ({"transfer": BodyTransfer(file=BodyFile("/a", 9)), "method": "PUT"}, "how bodies are sent"),
        ({"templating": Templating(is_on=True), "headers": (("X-A", "{n}"),)}, "templates"),
        ({"url": "unix:/run/a"}, "connections"),
        ({"addressing": Addressing(addresses="all")}, "addresses"),
        ({"addressing": Addressing(happy_eyeballs_ns=50_000_000)}, "Happy Eyeballs (ns)"),
        ({"addressing": Addressing(dns_ttl_ns=0)}, "names are looked up again (ns)"),
        ({"addressing": Addressing(ipv4=True)}, "IPv4 alone"),
    ],
)
def test_another_plan_is_refused(plan: dict[str, Any], what: str) -> None:
    assert (what, True) in [(one["what"], one["is_refused"]) for one in unlike(record(), record(**plan))]
    assert plan_facts(record()) != plan_facts(record(**plan))


@pytest.mark.parametrize(("key", "what"), [("cpu", "processor"), ("python", "Python"), ("core", "core")])
def test_another_environment_is_refused(key: str, what: str) -> None:
    old, new = record(), record()
    new["environment"][key] = "another"
    (found,) = unlike(old, new)
    assert (found["what"], found["new"], found["is_refused"]) == (what, "another", True)
    assert plan_facts(old) == plan_facts(new)


def test_a_target_on_another_host_and_more_rounds_are_told() -> None:
    found = unlike(record(), record(url="http://127.0.0.2:8080/", rounds=9))
    assert [(one["what"], one["is_refused"]) for one in found] == [("target", False), ("rounds", False)]


def test_of_several_origins_the_hosts_may_be_others() -> None:
    def several(*urls: str) -> Any:
        lines = (f'{{"url": "{url}", "name": "{name}"}}' for name, url in zip("ab", urls, strict=True))
        return record(url="http://h/", requests=read_requests("\n".join(lines)))

    old = several("/a", "http://i/b")
    assert unlike(old, several("/a", "http://i/b")) == []
    moved = unlike(old, several("/a", "http://j/b"))
    assert [(one["what"], one["new"], one["is_refused"]) for one in moved] == [("target", "h:80, j:80", False)]
    for other in (several("/a", "/b"), several("/a", "https://i/b"), several("/a", "http://i/c")):
        assert any(one["is_refused"] for one in unlike(old, other))


def test_where_connections_go_instead_is_told() -> None:
    resolved = record(addressing=Addressing(resolve=(ResolveRule("127.0.0.1", 8080, ("127.0.0.2",)),)))
    (found,) = unlike(record(), resolved)
    assert (found["what"], found["is_refused"]) == ("connections go elsewhere", False)


def test_each_of_several_targets_counts() -> None:
    def several(*urls: str) -> Any:
        targets = tuple(NamedTarget(name, parse_target(url)) for name, url in zip("AB", urls, strict=True))
        return record(url=urls[0], targets=targets)

    old = several("http://h/", "http://i/")
    assert unlike(old, several("http://h/", "http://i/")) == []
    moved = unlike(old, several("http://h/", "http://j/"))
    assert [(one["what"], one["new"], one["is_refused"]) for one in moved] == [("target", "A h:80, B j:80", False)]
    other = unlike(old, several("http://h/", "http://i/x"))
    assert [(one["what"], one["new"], one["is_refused"]) for one in other] == [("path", "A /, B /x", True)]
    alone = {one["what"]: one["is_refused"] for one in unlike(record(url="http://h/"), old)}
    assert alone["policies"] is True


def test_the_embedded_target_has_another_port_each_time() -> None:
    old, new = record(url="http://127.0.0.1:1/"), record(url="http://127.0.0.1:2/")
    for one in (old, new):
        one["environment"]["embedded_target"] = None
    assert unlike(old, new) == []


def test_long_values_are_shown_where_they_differ() -> None:
    old, new = record(), record()
    new["environment"]["packages"] = {**old["environment"]["packages"], "zlib": "9" * 500}
    (found,) = unlike(old, new)
    assert found["what"] == "packages"
    assert "zlib" in found["new"]
    assert max(len(found["old"]), len(found["new"])) < 100
