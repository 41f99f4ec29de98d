"""The rules of --connect-to and --resolve: how they are read, and where they let connections go."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.addressing import Addressing
from loadgen.model.endpoint import (
    ConnectRule,
    Endpoint,
    check_socket_file,
    parse_connect_rule,
    parse_dns_server,
    parse_resolve_rule,
)
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import Proxy
from loadgen.model.target import parse_target

DELAY_NS = 250_000_000
PROXY = Proxy("p", 3128)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a.test:81", ConnectRule(host="a.test", port=81)),
        ("[::1]:81", ConnectRule(host="::1", port=81)),
        (":81", ConnectRule(port=81)),
        ("a.test:", ConnectRule(host="a.test")),
        ("h:80:a.test:81", ConnectRule("h", 80, "a.test", 81)),
        ("h:80::81", ConnectRule("h", 80, port=81)),
        ("[::2]:80:[::1]:", ConnectRule("::2", 80, "::1")),
        ("unix:/run/a b:c", ConnectRule(socket="/run/a b:c")),
        ("unix:@name", ConnectRule(socket="@name")),
        ("h:80:unix:/run/a", ConnectRule("h", 80, socket="/run/a")),
    ],
)
def test_a_connect_rule_reads_back_from_its_text(text: str, rule: ConnectRule) -> None:
    assert parse_connect_rule(text) == rule
    assert parse_connect_rule(str(rule)) == rule


def test_an_empty_first_half_of_a_connect_rule_is_any_host_and_port() -> None:
    assert parse_connect_rule("::a.test:81") == parse_connect_rule("a.test:81")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "can't be read"),
        ("a.test", "write HOST:PORT"),
        ("h:80:a.test", "can't be read"),
        ("h:80:a.test:81:x", "can't be read"),
        (":", "neither a host nor a port"),
        (":::", "neither a host nor a port"),
        ("h:99999", "bad port"),
        ("unix:@", "names no socket file"),
        (f"unix:/{'x' * 107}", "at most 107"),
    ],
)
def test_a_bad_connect_rule_is_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as error:
        parse_connect_rule(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("h:80:127.0.0.1", ("127.0.0.1",)),
        ("h:80:[::1],127.0.0.2", ("::1", "127.0.0.2")),
        ("h:80:::1", ("::1",)),
        ("*:80:127.0.0.1", ("127.0.0.1",)),
    ],
)
def test_a_resolve_rule_reads_back_from_its_text(text: str, addresses: tuple[str, ...]) -> None:
    rule = parse_resolve_rule(text)
    assert rule.addresses == addresses
    assert parse_resolve_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("h:80", "write HOST:PORT:ADDR"),
        (":80:127.0.0.1", "write HOST:PORT:ADDR"),
        ("h:80:a.test", "'a.test' is not an IP address"),
        ("h:80:127.0.0.1,", "'' is not an IP address"),
        ("h:80:fe80::1%eth0", "names a zone"),
        ("h:0:127.0.0.1", "bad port"),
        ("+h:80:127.0.0.1", "leave it out"),
        ("-h:80", "leave it out"),
    ],
)
def test_a_bad_resolve_rule_is_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as error:
        parse_resolve_rule(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_a_dns_server(text: str, server: tuple[str, int]) -> None:
    assert parse_dns_server(text) == server


def test_a_dns_server_is_an_address() -> None:
    with pytest.raises(ValueError, match=r"'dns\.test:53' is not an IP address"):
        parse_dns_server("dns.test:53")


def addressing(*connect_to: str, resolve: tuple[str, ...] = (), **families: bool) -> Addressing:
    return Addressing(tuple(map(parse_connect_rule, connect_to)), tuple(map(parse_resolve_rule, resolve)), **families)


@pytest.mark.parametrize(
    ("rules", "resolve", "expected"),
    [
        ((), (), Endpoint("h", 80)),
        (("a.test:81",), (), Endpoint("a.test", 81)),
        ((":81",), (), Endpoint("h", 81)),
        (("other:80:a.test:81", "h:80:b.test:82", "h:80:c.test:83"), (), Endpoint("b.test", 82)),
        (("h:81:a.test:81",), (), Endpoint("h", 80)),
        (("unix:/run/a",), (), Endpoint("h", 0, "/run/a")),
        ((), ("h:80:127.0.0.2,::1",), Endpoint("h", 80, addresses=("127.0.0.2", "::1"))),
        ((), ("h:81:127.0.0.2",), Endpoint("h", 80)),
        ((), ("*:80:127.0.0.1", "h:80:127.0.0.2"), Endpoint("h", 80, addresses=("127.0.0.2",))),
        # As curl does: --resolve is for what is connected to.
        (("a.test:81",), ("h:80:127.0.0.1", "a.test:81:127.0.0.2"), Endpoint("a.test", 81, addresses=("127.0.0.2",))),
    ],
)
def test_where_connections_go(rules: tuple[str, ...], resolve: tuple[str, ...], expected: Endpoint) -> None:
    assert addressing(*rules, resolve=resolve).endpoint(parse_target("http://h/")) == expected


def test_with_a_proxy_the_rules_of_connections_are_for_the_end_of_its_tunnel() -> None:
    found = addressing("a.test:81", resolve=("p:3128:127.0.0.9",))
    target = parse_target("http://h/")
    assert found.endpoint(target, PROXY) == Endpoint("p", 3128, addresses=("127.0.0.9",))
    assert found.endpoint(target) == Endpoint("a.test", 81)
    assert found.leads_elsewhere(target)
    assert not addressing(resolve=("h:80:127.0.0.9",)).leads_elsewhere(target)


@pytest.mark.parametrize(
    ("given", "url", "complaint"),
    [
        (addressing(ipv6=True), "http://127.0.0.1/", "--ipv6 contradicts 127.0.0.1, which is an IPv4 address"),
        (addressing(ipv4=True), "http://[::1]/", "--ipv4 contradicts ::1, which is an IPv6 address"),
        (addressing("a.test:81"), "unix:/run/a", "names a socket file"),
    ],
)
def test_what_contradicts_the_url(given: Addressing, url: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        given.check(parse_target(url), None, ())


def test_a_rule_for_another_host_leaves_a_socket_file_alone() -> None:
    found, file, other = addressing("localhost:80:a.test:81"), parse_target("unix:/run/a"), parse_target("http://h/")
    found.check(file, None, ())
    assert (found.endpoint(file).socket, found.rule_for(file)) == ("/run/a", None)
    found.check_used((file, parse_target("http://localhost/")), (None, None))
    with pytest.raises(PlanError, match="is never used: the URL is for unix:/run/a"):
        found.check_used((file, other), (None, None))


def test_addresses_of_other_machines() -> None:
    assert Endpoint("h", 80, addresses=("127.0.0.1", "192.0.2.7")).remote == ("192.0.2.7",)
    assert Endpoint("localhost", 80).remote == Endpoint("h", 0, "/run/a").remote == ()
    assert Endpoint("h", 80).remote == ("h",)


def test_what_contradicts_other_options() -> None:
    target, socket_file = parse_target("http://h/"), parse_target("unix:/run/a")
    with pytest.raises(PlanError, match=r"--ipv6 contradicts --source-ip 127\.0\.0\.2, an IPv4 address"):
        addressing(ipv6=True).check(target, None, ("127.0.0.2",))
    with pytest.raises(PlanError, match="--source-ip is for TCP"):
        addressing().check(socket_file, None, ("127.0.0.2",))
    with pytest.raises(PlanError, match="a proxy can't reach unix:/run/a"):
        addressing().check(socket_file, PROXY, ())
    with pytest.raises(PlanError, match="--ipv4 and --ipv6"):
        addressing(ipv4=True, ipv6=True)
    # As in curl, an address that is given is used whatever its family.
    addressing(resolve=("h:80:::1",), ipv4=True).check(target, None, ())


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"ipv4": True}, "--happy-eyeballs lets IPv6 and IPv4 race, and --ipv4 leaves one of them"),
        ({"addresses": "all"}, "--happy-eyeballs tries addresses in its own order, and --addresses all in another"),
    ],
)
def test_what_contradicts_a_race_of_addresses(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        addressing(happy_eyeballs_ns=DELAY_NS, **values)


def test_fast_open_leaves_no_race() -> None:
    with pytest.raises(PlanError, match=r"the policy .close\+tcp-fastopen. opens a connection without waiting"):
        Plan(
            parse_target("http://h/"),
            parse_policies("close+tcp-fastopen"),
            addressing=Addressing(happy_eyeballs_ns=DELAY_NS),
        )


def test_a_race_needs_addresses_of_both_families() -> None:
    race = addressing(happy_eyeballs_ns=DELAY_NS)
    target, literal = parse_target("http://h/"), parse_target("http://[::1]:81/")
    with pytest.raises(PlanError, match=r"--source-ip 127\.0\.0\.2 leaves one of them"):
        race.check(target, None, ("127.0.0.2", "127.0.0.3"))
    race.check(target, None, ("127.0.0.2", "::1"))
    socket_file = parse_target("unix:/run/a")
    with pytest.raises(PlanError, match="is never used: connections go to unix:/run/a, which is a socket file"):
        race.check_used((socket_file,), (None,))
    race.check(socket_file, None, ())
    race.check_used((socket_file, target), (None, None))
    with pytest.raises(PlanError, match=r"--happy-eyeballs is never used: connections go to \[::1\]:81, which is one"):
        race.check_used((literal,), (None,))
    race.check_used((literal, target), (None, None))
    race.check_used((literal,), (PROXY,))  # the proxy's addresses race
    two = addressing(resolve=("h:80:[::1],127.0.0.1",), happy_eyeballs_ns=DELAY_NS)
    two.check_used((target,), (None,))


def test_a_rule_for_none_of_the_targets_was_meant_for_one() -> None:
    targets = (parse_target("http://h/"), parse_target("http://i/"))
    with pytest.raises(PlanError, match=r"--connect-to j:80:127\.0\.0\.1:80 is never used: the URL is for h:80"):
        addressing("j:80:127.0.0.1:80").check_used(targets, (None, None))
    with pytest.raises(PlanError, match=r"--resolve h:81:127\.0\.0\.1 is never used: connections go to h:80"):
        addressing(resolve=("h:81:127.0.0.1",)).check_used(targets, (None, None))
    addressing("i:80:127.0.0.1:81", resolve=("127.0.0.1:81:127.0.0.2",)).check_used(targets, (None, None))


def test_a_socket_file_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "text").touch()
    for name, complaint in (("none", "No such file"), ("text", "is not a socket file")):
        with pytest.raises(PlanError, match=complaint):
            check_socket_file(f"{tmp_path / name}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path / 'socket'}")
        check_socket_file(f"{tmp_path / 'socket'}")
    check_socket_file("@nobody-can-look-for-it")


@pytest.mark.parametrize(
    ("end", "is_local"),
    [
        (Endpoint("h", 80), False),
        (Endpoint("localhost", 80), True),
        (Endpoint("::1", 80), True),
        (Endpoint("localhost", 80, addresses=("192.0.2.1",)), False),
        (Endpoint("h", 80, addresses=("127.0.0.2",)), True),
        (Endpoint("h", 0, "/run/a"), True),
    ],
)
def test_load_that_stays_here_needs_no_consent(end: Endpoint, is_local: bool) -> None:
    assert end.is_local is is_local
