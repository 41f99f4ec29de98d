"""Addresses of a name, and the backends behind one of them."""

from __future__ import annotations

import dataclasses
import itertools
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from errno import ENETUNREACH
from pathlib import Path
from time import time
from typing import Any

import gevent
import pytest

from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.probe import addresses
from loadgen.probe.addresses.backend_marks import CLOCK, backend_of, comes_back, joined_clocks, telling_marks
from loadgen.probe.addresses.backends import BACKENDS
from loadgen.probe.addresses.new_connections import NewConnections
from loadgen.probe.addresses.published_addresses import PUBLISHED_ADDRESSES
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import OpenFailure
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import AuditState, ProbeSession
from loadgen.wire.transport import SocketAddress
from tests.support.audits import audit, finding
from tests.support.processes import read_request, scripted_server, write_certificates

SIX, FOUR = (socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")
Resolver = Callable[..., None]

TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(*fields: str) -> bytes:
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 5\r\n\r\nhello".encode()


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(answer())


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Makes every name resolve to these addresses; of several lists each look-up gets the next one."""

    def install(*lists: list[tuple[int, str]], port: int) -> None:
        turns = itertools.cycle(lists)

        def resolve(_host: str, _port: int, callback: Callable[[list[SocketAddress]], None], _family: int) -> None:
            callback([(family, (host, port, 0, 0) if ":" in host else (host, port)) for family, host in next(turns)])

        monkeypatch.setattr("loadgen.wire.route_addresses.resolve", resolve)

    return install


def values_of(found: Any) -> dict[str, Any]:
    """The values, each of which is explained by its probe."""
    explained = {probe.title: probe.values for probe in addresses.PROBES}[found["title"]]
    assert set(found["values"]) <= set(explained)
    values: dict[str, Any] = found["values"]
    return values


def test_all_addresses_of_a_name_are_tried(resolving: Resolver) -> None:
    with scripted_server(hello, host="0.0.0.0") as port:  # on all addresses of loopback
        resolving([FOUR, (socket.AF_INET, "127.0.0.2")], port=port)
        found = finding("http://name.test/", "published_addresses")
    values = values_of(found)
    assert (found["verdict"], found["announced"]) == ("ok", "2 A")
    assert values["working"] == ["127.0.0.1", "127.0.0.2"]
    assert all(
        0 < low <= middle <= high
        for low, middle, high in zip(
            values["connect_low_ns"], values["connect_ns"], values["connect_high_ns"], strict=True
        )
    )
    assert values["first_addresses"] == 1


def test_an_address_where_nothing_listens_is_a_warning_and_the_audit_goes_on_at_another(resolving: Resolver) -> None:
    with scripted_server(hello) as port:
        resolving([SIX, FOUR], port=port)
        found = audit("http://name.test/", "published_addresses", "address_families")["findings"]
    one = found["published_addresses"]
    assert (one["verdict"], one["announced"]) == ("warning", "1 A, 1 AAAA")
    assert one["measured"] == "1 of 2 answer; ::1: connect: Connection refused"
    assert (values_of(one)["working"], values_of(one)["failed"]) == (["127.0.0.1"], ["::1"])
    assert found["address_families"]["verdict"] == "warning"
    assert found["address_families"]["measured"] == "IPv6 is published, and no address of it answers"


def test_no_route_is_no_fault_of_the_server(resolving: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = ProbeSession.open

    def open_ipv4_alone(session: ProbeSession, **options: Any) -> ProbeStream:
        if options.get("address", (socket.AF_INET,))[0] == socket.AF_INET6:
            raise OpenFailure("connect", OSError(ENETUNREACH, "Network is unreachable"))
        return opened(session, **options)

    monkeypatch.setattr(ProbeSession, "open", open_ipv4_alone)
    with scripted_server(hello) as port:
        resolving([FOUR, SIX], port=port)
        found = audit("http://name.test/", "published_addresses", "address_families")["findings"]
    assert found["published_addresses"]["verdict"] == "note"
    assert values_of(found["published_addresses"])["without_route"] == ["::1"]
    assert found["address_families"]["verdict"] == "unknown"
    assert found["address_families"]["measured"] == "this machine has no route for IPv6"


def test_a_source_of_the_other_family_is_no_fault_of_the_server(resolving: Resolver) -> None:
    with scripted_server(hello) as port:
        resolving([FOUR, SIX], port=port)
        found = finding("http://name.test/", "published_addresses", source_ips=("127.0.0.1",))
    assert (found["verdict"], values_of(found)["without_route"]) == ("note", ["::1"])


def test_ipv4_against_ipv6(resolving: Resolver) -> None:
    with scripted_server(hello, socket.AF_INET6, "::") as port:
        resolving([SIX, FOUR], port=port)
        found = finding("http://name.test/", "address_families")
    values = values_of(found)
    assert found["verdict"] == "ok"
    assert found["measured"].startswith("IPv6 first; IPv4 ")
    assert values["families"] == ["IPv6", "IPv4"]
    assert values["ipv6_extra_low_ns"] <= values["ipv6_extra_ns"] <= values["ipv6_extra_high_ns"]
    assert values["ipv4_connect_ns"] > 0


def test_a_resolver_that_rotates_is_seen(resolving: Resolver) -> None:
    second = (socket.AF_INET, "127.0.0.2")
    with scripted_server(hello, host="0.0.0.0") as port:  # on all addresses of loopback
        resolving([FOUR, second], [second, FOUR], port=port)
        found = finding("http://name.test/", "published_addresses")
    assert values_of(found)["first_addresses"] == 2


def test_an_address_in_the_url_has_no_name_to_look_up() -> None:
    with scripted_server(hello) as port:
        skipped = audit(f"http://127.0.0.1:{port}/", "addresses")["skipped"]
    assert set(skipped) == {"published_addresses", "address_families"}
    assert skipped["published_addresses"] == "the URL has an address instead of a name"


def test_nothing_tells_backends_apart() -> None:
    with scripted_server(hello) as port:
        found = audit(f"http://127.0.0.1:{port}/", "backends", "backends_of_reused")["findings"]
    assert found["backends"]["verdict"] == found["backends_of_reused"]["verdict"] == "unknown"
    assert found["backends"]["measured"] == "nothing in 32 responses tells backends apart"
    assert "--backend-header" in str(found["backends"]["advice"])


def balancer(*fields: str, by_request: bool = False, weights: tuple[int, ...] = (0, 1, 2)) -> Any:
    """A script that answers as one of several backends, with `{}` in the fields replaced by the backend's number."""
    turns = itertools.count()

    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            backend = weights[(next(turns) if by_request else number) % len(weights)]
            connection.sendall(answer(*(field.format(backend) for field in fields)))

    return script


def test_backends_by_connection_stay_with_it() -> None:
    with scripted_server(balancer("X-Served-By: node{}", "X-Request-Id: {}")) as port:
        found = audit(f"http://127.0.0.1:{port}/", "backends", "backends_of_reused")["findings"]
    values = values_of(found["backends"])
    assert found["backends"]["verdict"] == "ok"
    assert values["told_by"] == ["x-served-by"]
    assert set(values["backends"]) == {"node0", "node1", "node2"}
    assert sorted(values["counts"]) == [10, 11, 11]
    assert values["even_p"] > 0.5
    reused = values_of(found["backends_of_reused"])
    assert found["backends_of_reused"]["verdict"] == "note"
    assert reused["is_sticky"]
    assert (reused["same_backend_share"], reused["requests"]) == (1, 32)


def test_a_balancer_of_requests_spreads_those_of_one_connection() -> None:
    with scripted_server(balancer("X-Me: {}", by_request=True)) as port:
        found = audit(f"http://127.0.0.1:{port}/", "backends_of_reused", backend_header="x-me")["findings"]
    reused = values_of(found["backends_of_reused"])
    assert found["backends_of_reused"]["verdict"] == "ok"
    assert (reused["same_backend_share"], reused["is_sticky"]) == (0, False)
    assert reused["same_backend_high"] < 0.2
    assert len(reused["backends"]) == 3


def test_an_uneven_spread_is_noted() -> None:
    with scripted_server(balancer("X-Me: {}", weights=(0, 0, 0, 0, 0, 0, 0, 1))) as port:
        found = finding(f"http://127.0.0.1:{port}/", "backends", backend_header="X-Me")
    values = values_of(found)
    assert found["verdict"] == "note"
    assert "uneven" in found["measured"]
    assert (values["backends"], values["counts"]) == (["0", "1"], [28, 4])
    assert values["low_shares"][1] < 0.125 < values["high_shares"][1]


def test_a_field_of_any_name_can_tell_backends() -> None:
    """One of our own marks has this name."""
    with scripted_server(balancer("clock: {}")) as port:
        found = audit(f"http://127.0.0.1:{port}/", "backends_of_reused", backend_header="clock")["findings"]
    for name in ("backends", "backends_of_reused"):
        assert set(values_of(found[name])["backends"]) == {"0", "1", "2"}
    assert values_of(found["backends"])["told_by"] == ["clock"]


def test_a_field_that_names_requests_names_no_backend() -> None:
    numbers = itertools.count()

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(answer(f"X-Id: {next(numbers)}"))

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "backends", backend_header="X-Id")
        missing = finding(f"http://127.0.0.1:{port}/", "backends", backend_header="X-Backend")
    assert (found["verdict"], missing["verdict"]) == ("unknown", "unknown")
    assert "it seems to name requests" in found["measured"]
    assert missing["measured"] == "no response has the field X-Backend"


def test_a_server_that_limits_its_clients_is_one_backend() -> None:
    def script(connection: socket.socket, number: int) -> None:
        read_request(connection)
        is_limited = number and number % 2
        connection.sendall(TOO_MANY if is_limited else answer("Connection: close", 'ETag: "1"'))

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "backends")
    assert (found["verdict"], found["measured"]) == ("unknown", "nothing in 16 responses tells backends apart")


def test_one_backend_by_its_field_may_hide_a_small_one() -> None:
    with scripted_server(balancer("X-Me: a")) as port:
        found = audit(f"http://127.0.0.1:{port}/", "backends_of_reused", backend_header="X-Me")["findings"]
    assert found["backends"]["measured"] == "1 backend in 32 connections; another has at most 9%"
    assert found["backends_of_reused"]["measured"] == "one backend alone was seen"


def test_backends_are_told_apart_by_their_clocks_and_cookies() -> None:
    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            date = formatdate(time() + (number % 2) * 60, usegmt=True)
            connection.sendall(answer(f"Date: {date}", f"Set-Cookie: SERVERID=s{number % 2}; Path=/"))

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "backends")
    assert values_of(found)["told_by"] == ["clock", "cookie SERVERID"]
    assert values_of(found)["counts"] == [16, 16]


def test_backends_are_told_apart_by_their_certificates(tmp_path: Path) -> None:
    contexts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_certificates(tmp_path / name)
        contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        contexts[-1].load_cert_chain(tmp_path / name / "chain.pem", tmp_path / name / "key.pem")

    def script(connection: socket.socket, number: int) -> None:
        with contexts[number % 2].wrap_socket(connection, server_side=True) as stream:
            hello(stream, number)

    with scripted_server(script) as port:
        url = f"https://127.0.0.1:{port}/"
        found = audit(url, "backends", "backends_of_reused", insecure=True)["findings"]
    values = values_of(found["backends"])
    assert values["told_by"] == ["certificate"]
    assert values["counts"] == [16, 16]
    assert values_of(found["backends_of_reused"])["is_sticky"]


def test_a_field_that_the_user_named_is_the_only_mark() -> None:
    rows: list[Any] = []

    def run(session: ProbeSession) -> Finding:
        connections = NewConnections(session)
        with connections.open() as stream:
            rows.append(connections.marks_of(session.ask(stream), stream))
        return unknown("nothing was asked")

    probe = dataclasses.replace(addresses.PROBES[2], run=run)
    with scripted_server(balancer("X-Me: {}", "Server: s{}")) as port:
        url = parse_target(f"http://127.0.0.1:{port}/")
        for header in ("X-Me", "X-Other", ""):
            Audit(AuditPlan(target=url, backend_header=header), [probe]).run()
    assert rows[:2] == [{"X-Me": "1"}, {}]
    assert {"server", "order of fields"} <= rows[2].keys()


@pytest.mark.parametrize(
    ("values", "is_mark"),
    [("abababab", True), ("aaaabbbb", False), ("abcdefgh", False), ("aaaaaaaa", False), ("aaabaaaa", True)],
)
def test_a_mark_of_backends_comes_back(values: str, is_mark: bool) -> None:
    assert comes_back(values) == is_mark


def test_clocks_that_differ_by_what_a_date_can_are_one() -> None:
    rows = [{CLOCK: skew} for skew in ("-1", "60", "0", "61", "1", "59")]
    assert [row[CLOCK] for row in joined_clocks(rows)] == ["-1 s", "+59 s", "-1 s", "+59 s", "-1 s", "+59 s"]
    assert telling_marks(rows) == [CLOCK]
    assert backend_of(joined_clocks(rows)[0], [CLOCK, "server"]) == "-1 s / none"


def test_behind_a_proxy_that_forwards_nothing_can_be_said() -> None:
    proxy = parse_proxy("http://127.0.0.1:3128")
    plain, tls = (
        AuditPlan(target=parse_target(url), proxy=proxy) for url in ("http://name.test/", "https://name.test/")
    )
    assert [bool(probe.not_for(plain)) for probe in addresses.PROBES] == [True, True, True, True]
    assert [bool(probe.not_for(tls)) for probe in addresses.PROBES] == [True, True, False, False]


@pytest.mark.parametrize(("probe", "at_once"), [(PUBLISHED_ADDRESSES, 2), (BACKENDS, 4)])
def test_what_runs_side_by_side_ends_with_an_audit_that_is_interrupted(
    resolving: Resolver, monkeypatch: pytest.MonkeyPatch, probe: Probe, at_once: int
) -> None:
    """Else its requests would go on below a load that follows the audit."""
    events: list[str] = []

    def open_for_ever(*_: object, **__: object) -> None:
        events.append("begun")
        try:
            gevent.sleep(60)
        finally:
            events.append("ended")

    resolving([SIX, FOUR], port=1)
    monkeypatch.setattr(ProbeSession, "open", open_for_ever)
    state = AuditState.of(AuditPlan(target=parse_target("http://name.test/")))
    running = gevent.spawn(probe.run, ProbeSession(state, probe.name, 99, 99))
    while len(events) < at_once:
        gevent.sleep(0)
    running.kill()
    assert events == ["begun"] * at_once + ["ended"] * at_once
