"""What is reached without the proxy, and which options about proxies contradict each other."""

from __future__ import annotations

import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.cli.machine import check_machine
from loadgen.model.no_proxy import parse_no_proxy
from loadgen.model.plan import Plan
from loadgen.model.proxy_options import PROXY_OPTIONS
from loadgen.model.proxy_value_types import Hosts
from loadgen.model.proxying import Proxying
from loadgen.model.target import parse_target
from tests.support.plans import URL, complaint, planned

PROXY = ("--proxy", "http://127.0.0.1:3128")


@pytest.mark.parametrize(
    ("hosts", "host", "is_bypassed"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", True),  # curl(1): it stands for its subdomains
        (".example.com", "example.com", True),
        ("example.com", "notexample.com", False),
        ("Example.COM", "a.example.com.", True),
        ("a.test, b.test", "b.test", True),
        ("*", "anything.test", True),
        ("*.test", "a.test", False),  # no pattern but * alone
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.11", False),
        ("10.0.0.0/8", "10.20.30.40", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "fd00::1", False),
        ("fd00::/8", "fd00::1", True),
        ("[::1]", "::1", True),
        ("0.0.1", "127.0.0.1", False),  # an address has no subdomains
    ],
)
def test_what_a_list_of_hosts_covers(hosts: str, host: str, is_bypassed: bool) -> None:
    url = f"http://[{host}]/" if ":" in host else f"http://{host}/"
    assert Proxying(no_proxy=parse_no_proxy(hosts)).bypasses(parse_target(url)) is is_bypassed


@pytest.mark.parametrize(("hosts", "said"), [("http://a", "is no host"), ("10.0.0.0/33", "is no network")])
def test_what_is_no_list_of_hosts(hosts: str, said: str) -> None:
    assert said in complaint(compare, URL, *PROXY, "--no-proxy", hosts)


def test_each_target_has_its_own_way() -> None:
    plan = planned(
        compare, "--target", "a=http://a.test/", "--target", "b=http://b.test/", *PROXY, "--no-proxy", "b.test"
    )
    ways = {name: own.proxy for name, own in plan.by_target().items()}
    assert ways == {"a": plan.proxy, "b": None}
    assert plan.used_proxy is plan.proxy
    alone = planned(compare, "http://b.test/", *PROXY, "--no-proxy", "b.test")
    assert alone.used_proxy is None
    assert alone.by_target()[None].proxy is None
    assert alone.proxy is not None  # as it was said, for the record
    assert Plan.from_json(alone.to_json(secrets=True)) == alone


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--no-proxy", "a"), "--no-proxy names hosts that a proxy is not used for; give --proxy too"),
        (("--proxy-insecure",), "--proxy-insecure is for a proxy over TLS"),
        ((*PROXY, "--proxy-insecure"), "--proxy-insecure is for a proxy over TLS"),
        ((*PROXY, "--proxy-cert", __file__), "--proxy-cert is for a proxy over TLS"),
        (("--proxy", "https://h", "--proxy-key", __file__), "there are 1 --proxy-key for 0 --proxy-cert"),
        (("--proxy", "https://h", "--proxy-key-passphrase", "env:A"), "is for a client certificate; give --proxy-cert"),
        ((*PROXY, "--policies", "close-resume"), "a target in clear has none"),
        ((*PROXY, "--proxy-protocol", "1"), "--proxy-protocol says who connects to the target, and that is --proxy"),
        (("--proxy-protocol", "3"), "--proxy-protocol is 3; it must lie between 1 and 2"),
        ((*PROXY, "--proxy-cacert", "/no/such/file"), "--proxy-cacert /no/such/file"),
        (("--proxy", "https://h", "--proxy-cacert", __file__, "--proxy-insecure"), "contradict each other"),
    ],
)
def test_options_that_contradict_each_other(options: tuple[str, ...], said: str) -> None:
    assert said in complaint(compare, URL, *options)


def test_a_file_without_certificates_is_named_before_a_connection_is_tried() -> None:
    plan = planned(compare, URL, "--proxy", "https://h", "--proxy-cacert", __file__)
    with pytest.raises(Exception, match=f"--proxy-cacert {__file__}: no PEM certificate"):
        check_machine(plan)


def test_sessions_are_those_of_the_proxy_too() -> None:
    plan = planned(compare, URL, "--proxy", "https://h", "--policies", "close-resume")
    assert plan.policies[0].resumes_tls


def test_a_header_is_for_a_target_that_is_not_embedded() -> None:
    assert "loadgen target --proxy-protocol" in complaint(compare, "--proxy-protocol", "2")
    assert planned(sweep, URL, "--recycle", "1,2", "--proxy-protocol", "2").proxying.protocol == 2


def test_a_plan_file_has_the_hosts_as_a_list() -> None:
    kind = Hosts()
    hosts = kind.make(kind.read("A.test, 10.0.0.0/8"))
    assert kind.write(hosts) == ["a.test", "10.0.0.0/8"]
    assert kind.restore(kind.record(hosts, secrets=False)) == hosts


def test_locust_has_all_of_them() -> None:
    assert all(option.locust is not None for option in PROXY_OPTIONS)
