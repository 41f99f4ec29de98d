"""The way to a target: which transport it takes, which addresses and sources, and what a proxy in between gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gevent.event import AsyncResult

from loadgen.model.addressing import Addressing
from loadgen.model.endpoint import parse_connect_rule, parse_resolve_rule
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import Proxy, parse_proxy
from loadgen.model.proxying import Proxying
from loadgen.model.target import parse_target
from loadgen.wire import poller, route_addresses
from loadgen.wire.address_race import AddressRace
from loadgen.wire.dns_resolver import DnsAnswer
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import ResponseHead, parse_response_head
from loadgen.wire.proxy.announced import AnnouncedTcpTransport, AnnouncedTlsTransport
from loadgen.wire.proxy.secure import SecureProxyTransport
from loadgen.wire.proxy.socks import SocksRequest
from loadgen.wire.proxy.tls_in_tls import TlsInTlsTransport
from loadgen.wire.proxy.transport import TunnelTcpTransport, TunnelTlsTransport
from loadgen.wire.proxy.ways import announced_transport
from loadgen.wire.route import Route
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import TcpTransport
from tests.support.transports import address_of, ignore, listening

ONE, TWO, THREE = ((2, (f"192.0.2.{number}", 80)) for number in (1, 2, 3))
CHALLENGE = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
)


def route(url: str = "http://h:81/", proxy: Proxy | None = None, sources: tuple[str, ...] = ()) -> Route:
    return Route.of(
        Plan(parse_target(url), parse_policies("persistent"), insecure=True, source_ips=sources, proxy=proxy)
    )


def the_proxy(credentials: str = "") -> Proxy:
    return parse_proxy(f"http://{credentials}p:3128")


def challenge() -> ResponseHead:
    return parse_response_head(CHALLENGE)


@pytest.mark.parametrize(
    ("url", "through", "kind"),
    [
        ("http://h/", False, TcpTransport),
        ("http://h/", True, TcpTransport),  # requests go to the proxy itself
        ("https://h/", False, TlsTransport),
        ("https://h/", True, TunnelTlsTransport),
    ],
)
def test_the_transport_fits_the_way(url: str, through: bool, kind: type[Any]) -> None:
    mine = route(url, the_proxy() if through else None)
    assert type(mine.transport()) is kind
    assert mine.peer == (("p", 3128) if through else ("h", mine.target.port))


@pytest.mark.parametrize(("url", "kind"), [("http://h/", TcpTransport), ("https://h/", TlsTransport)])
def test_where_addresses_race_each_attempt_has_the_usual_transport(url: str, kind: type[Any]) -> None:
    addressing = Addressing(happy_eyeballs_ns=250_000_000)
    mine = Route.of(Plan(parse_target(url), parse_policies("close"), insecure=True, addressing=addressing))
    assert (type(mine.transport()), type(mine.attempt())) == (AddressRace, kind)
    six = (10, ("2001:db8::1", 80, 0, 0))
    mine.set_addresses([ONE, TWO, six])
    assert mine.race_order() == [ONE, six, TWO]
    mine.settle(six)
    assert (mine.addresses, type(mine.transport())) == ([six, ONE, TWO], kind)


def test_ipv6_begins_where_dns_servers_were_asked() -> None:
    addressing = Addressing(happy_eyeballs_ns=250_000_000, dns_server="127.0.0.1:53")
    mine = Route(parse_target("http://h/"), addressing=addressing)
    six = (10, ("2001:db8::1", 80, 0, 0))
    mine.set_addresses([ONE, TWO, six])
    assert mine.race_order() == [six, ONE, TWO]


@pytest.mark.parametrize(("delay_ns", "patience_s"), [(250_000_000, 0.05), (None, None)])
def test_where_addresses_race_ipv6_is_awaited_for_the_resolution_delay(
    monkeypatch: pytest.MonkeyPatch, delay_ns: int | None, patience_s: float | None
) -> None:
    """RFC 8305 §3."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(route_addresses, "resolve_by_dns", lambda *_, **options: asked.append(options))
    addressing = Addressing(happy_eyeballs_ns=delay_ns, dns_server="127.0.0.1:53")
    Route(parse_target("http://h/"), addressing=addressing).look_up(lambda _found: None)
    assert asked == [{"server": ("127.0.0.1", 53), "patience_s": patience_s}]


def test_a_socket_file_is_one_place_to_go_and_has_no_race() -> None:
    mine = Route(parse_target("unix:/run/a"), addressing=Addressing(happy_eyeballs_ns=250_000_000))
    assert type(mine.transport()) is TcpTransport


def test_a_tunnel_in_clear_is_for_policies_that_need_one() -> None:
    mine = route(proxy=the_proxy())
    mine.tunnels = True
    assert type(mine.transport()) is TunnelTcpTransport


def test_http2_is_offered_by_a_context_of_its_own() -> None:
    mine = route("https://h/")
    plain, offering = mine.transport(), mine.transport(offers_h2=True)
    assert isinstance(plain, TlsTransport)
    assert isinstance(offering, TlsTransport)
    assert (plain._context, offering._context) == (mine.tls_context, mine.h2_context)
    assert plain._context is not offering._context


@pytest.mark.parametrize(("host", "name"), [("h", b"h"), ("h.", b"h"), ("127.0.0.1", b""), ("[::1]", b"")])
def test_an_address_is_no_server_name(host: str, name: bytes) -> None:
    transport = route(f"https://{host}/").transport()
    assert isinstance(transport, TlsTransport)
    assert transport._server_name == name


def test_sources_take_turns() -> None:
    def local_address(mine: Route) -> str:
        """Of a connection that is made by it."""
        transport = mine.transport()
        with listening() as listener:
            transport.connect(address_of(listener), ignore)
            found: str = transport.socket.getsockname()[0]
            transport.close()
        return found

    mine = route(sources=("127.0.0.2", "127.0.0.3"))
    assert [local_address(mine) for _ in range(4)] == ["127.0.0.2", "127.0.0.3"] * 2
    assert local_address(route()) == "127.0.0.1"


def test_sources_are_of_the_family_of_the_address() -> None:
    six = (10, ("2001:db8::1", 80, 0, 0))
    mine = route(sources=("127.0.0.2", "::1", "127.0.0.3"))
    assert [mine.next_source() for _ in range(2)] == [{2: "127.0.0.2", 10: "::1"}, {2: "127.0.0.3", 10: "::1"}]
    assert mine.set_addresses([six, ONE]) == six
    # A name's first address may be of another family than the address to connect from.
    assert route(sources=("127.0.0.2",)).set_addresses([six, ONE, TWO]) == ONE
    with pytest.raises(OSError, match="h has no IPv6 address, and --source-ip is one"):
        route(sources=("::1",)).set_addresses([ONE])


@pytest.mark.parametrize(
    ("url", "given", "known"),
    [
        ("unix:/run/a", {}, [(1, ("/run/a",))]),
        ("http://h/", {"connect_to": (parse_connect_rule("unix:@a"),)}, [(1, ("@a",))]),
        (
            "http://h/",
            {"resolve": (parse_resolve_rule("h:80:::1,127.0.0.2"),)},
            [(10, ("::1", 80, 0, 0)), (2, ("127.0.0.2", 80))],
        ),
        ("http://127.0.0.1/", {}, []),
    ],
)
def test_addresses_that_no_resolver_is_asked_for(url: str, given: dict[str, Any], known: list[Any]) -> None:
    plan = Plan(parse_target(url), parse_policies("persistent"), addressing=Addressing(**given))
    assert Route.of(plan).addresses == known


def test_a_proxy_is_asked_for_a_tunnel_to_where_connections_go() -> None:
    elsewhere = Addressing((parse_connect_rule("a.test:81"),))
    plan = Plan(parse_target("http://h/"), parse_policies("persistent"), proxy=the_proxy(), addressing=elsewhere)
    mine = Route.of(plan)
    assert (mine.tunnels, mine.peer) == (True, ("p", 3128))
    assert mine.tunnel().outgoing.startswith(b"CONNECT a.test:81 HTTP/1.1\r\n")


def test_an_address_that_was_dropped_is_not_used_again() -> None:
    mine = route()
    assert mine.set_addresses([ONE, TWO]) == ONE
    assert mine.skip_address()
    assert mine.addresses == [TWO]
    assert not mine.skip_address()
    assert mine.set_addresses([ONE, THREE, TWO]) == THREE
    # Where the name has no other address left, the dropped one is better than none.
    assert mine.set_addresses([ONE]) == ONE


def spread(kind: str, ttl_ns: int | None = None) -> Route:
    addressing = Addressing(addresses=kind, dns_ttl_ns=ttl_ns)
    return Route.of(Plan(parse_target("http://h/"), parse_policies("persistent"), addressing=addressing))


def test_new_connections_go_to_all_addresses_in_turn_or_to_any() -> None:
    mine = spread("all")
    assert [mine.set_addresses([ONE, TWO, THREE]), *(mine.next_address() for _ in range(3))] == [ONE, TWO, THREE, ONE]
    assert [route().set_addresses([ONE, TWO]) for _ in range(3)] == [ONE] * 3
    mine = spread("random")
    mine.set_addresses([ONE, TWO])
    # Chance alone misses one of them in 200 draws once in 10^59 runs.
    assert {mine.next_address() for _ in range(200)} == {ONE, TWO}


def test_of_several_addresses_that_are_used_none_is_dropped() -> None:
    mine = spread("all")
    mine.set_addresses([ONE, TWO, THREE])
    assert (mine.skip_address(), mine.next_address()) == (True, TWO)
    assert (mine.skip_address(), mine.next_address()) == (True, THREE)
    assert not mine.skip_address()
    assert mine.addresses == [ONE, TWO, THREE]


def test_a_name_is_looked_up_again_once_its_addresses_are_old() -> None:
    mine = spread("first", ttl_ns=1_000_000)
    assert not mine.has_addresses(5, look_up=False)
    mine.set_addresses([ONE, TWO], 5)
    # A policy that looks up for each connection keeps them for as long.
    assert [mine.has_addresses(at, look_up=True) for at in (5, 1_000_004, 1_000_005)] == [True, True, False]
    mine.set_addresses([TWO, ONE], 1_000_005)
    assert mine.take_changes() == []
    mine.set_addresses([TWO, THREE], 2_000_005)
    assert mine.take_changes() == [(2_000_005, [TWO, ONE], [TWO, THREE])]
    assert mine.take_changes() == []


def test_addresses_are_kept_as_long_as_their_records_say() -> None:
    mine = spread("first", ttl_ns=0)
    found = DnsAnswer([ONE])
    found.ttl_ns = 500
    mine.set_addresses(found, 10)
    assert [mine.has_addresses(at, look_up=False) for at in (509, 510)] == [True, False]


def test_addresses_that_are_given_are_kept_for_ever() -> None:
    addressing = Addressing(resolve=(parse_resolve_rule("h:80:192.0.2.1"),), dns_ttl_ns=1_000_000)
    mine = Route.of(Plan(parse_target("http://h/"), parse_policies("persistent"), addressing=addressing))
    assert mine.has_addresses(10**18, look_up=False)


def test_one_look_up_is_for_all_connections_that_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(route_addresses, "resolve", lambda *given: asked.append(given))
    found: list[Any] = []
    mine = spread("first", ttl_ns=1_000_000)
    mine.look_up(found.append)
    mine.look_up(found.append)
    ((host, port, answer, _),) = asked
    assert (host, port) == ("h", 80)
    answer([ONE])
    assert found == [[ONE], [ONE]]
    mine.look_up(found.append)
    assert len(asked) == 2
    # Where each connection has a look-up of its own, that is its cost.
    own = route()
    own.look_up(found.append)
    own.look_up(found.append)
    assert len(asked) == 4


@pytest.fixture
def challenged() -> Route:
    """A route whose proxy has asked for credentials that there are."""
    mine = route(proxy=the_proxy("user:secret@"))
    assert mine.proxy_fields == ()
    assert mine.challenged(challenge())
    return mine


def test_credentials_are_sent_once_the_proxy_has_asked(challenged: Route) -> None:
    ((name, value),) = challenged.proxy_fields
    assert (name, value.split()[0]) == ("Proxy-Authorization", "Basic")


def test_in_a_tunnel_the_fields_are_not_the_requests(challenged: Route) -> None:
    challenged.tunnels = True
    assert challenged.proxy_fields == ()
    assert not challenged.challenged(challenge())


def test_credentials_that_were_not_accepted_are_not_sent_for_ever(challenged: Route) -> None:
    with pytest.raises(UpgradeFailure, match="does not accept") as failure:
        challenged.challenged(challenge())
    assert failure.value.kind is ErrorKind.PROXY_AUTHENTICATION


def test_what_is_no_challenge() -> None:
    mine = route(proxy=the_proxy("user:secret@"))
    assert not mine.challenged(None)
    assert not mine.challenged(parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert not route().challenged(challenge())  # a target may answer 407 too


def test_a_challenge_without_credentials() -> None:
    with pytest.raises(UpgradeFailure, match="none were given"):
        route(proxy=the_proxy()).challenged(challenge())


def test_tls_contexts_are_made_for_https_alone(tmp_path: Path) -> None:
    assert route().tls_context is None
    assert route("https://h/").tls_context is not None
    assert route("https://h/", the_proxy()).tunnels


def by(proxy: str, url: str = "http://h:81/", **more: Any) -> Route:
    return Route.of(
        Plan(parse_target(url), parse_policies("persistent"), insecure=True, proxy=parse_proxy(proxy), **more)
    )


@pytest.mark.parametrize(
    ("proxy", "url", "kind"),
    [
        ("https://p", "http://h/", SecureProxyTransport),
        ("https://p", "https://h/", TlsInTlsTransport),
        ("socks5h://p", "http://h/", TunnelTcpTransport),
        ("socks5h://p", "https://h/", TunnelTlsTransport),
    ],
)
def test_the_transport_fits_the_proxy(proxy: str, url: str, kind: type[Any]) -> None:
    assert type(by(proxy, url).transport()) is kind


def test_which_end_a_socks_server_is_told() -> None:
    assert isinstance(by("socks5h://p").tunnel(), SocksRequest)
    given = Addressing(resolve=(parse_resolve_rule("h:81:192.0.2.9"),))
    address = b"\xc0\x00\x02\x09\x00Q"
    for proxy, url, told in (
        ("socks5h://p", "http://h:81/", b"\x03\x01h\x00Q"),
        ("socks5h://p", "http://192.0.2.9:81/", b"\x01" + address),
        ("socks5://p", "http://h:81/", b"\x01" + address),  # --resolve gives it
    ):
        request = by(proxy, url, addressing=given).tunnel()
        request.outgoing = b""
        request.feed(b"\x05\x00")
        assert request.outgoing == b"\x05\x01\x00" + told


def test_a_name_that_a_socks_server_is_not_given_is_looked_up_first() -> None:
    mine = by("socks5://localhost", "http://localhost:81/", addressing=Addressing(ipv4=True))
    result: AsyncResult = AsyncResult()
    mine.look_up(result.set)
    assert result.get(timeout=10) == [(2, ("127.0.0.1", 1080))]
    request = mine.tunnel()
    request.outgoing = b""
    request.feed(b"\x05\x00")
    assert request.outgoing == b"\x05\x01\x00\x01\x7f\0\0\x01\0Q"


def test_a_header_of_the_proxy_protocol_goes_first() -> None:
    plan = Plan(parse_target("http://h/"), parse_policies("close"), proxying=Proxying(protocol=2))
    assert type(Route.of(plan).transport()) is AnnouncedTcpTransport
    secure = Plan(parse_target("https://h/"), parse_policies("close"), insecure=True, proxying=Proxying(protocol=2))
    assert type(Route.of(secure).transport()) is AnnouncedTlsTransport
    early = announced_transport(poller.of_hub(), 1, (None, b""), None, None, None)
    assert type(early) is AnnouncedTlsTransport


@pytest.mark.parametrize(
    ("methods", "request_", "early"),
    [
        (None, b"PUT / HTTP/1.1\r\n\r\n", True),  # the plan knows that it may be repeated
        (frozenset({b"GET"}), b"GET / HTTP/1.1\r\n\r\n", True),
        (frozenset({b"GET"}), b"PUT / HTTP/1.1\r\n\r\n", False),
        (frozenset({b"GET"}), b"GETS / HTTP/1.1\r\n\r\n", False),
        (frozenset({b"GET"}), object(), False),  # such as a WebSocket's
    ],
)
def test_which_requests_may_be_early_data(methods: frozenset[bytes] | None, request_: Any, early: bool) -> None:
    route = Route(parse_target("https://h/"))
    route.early_methods = methods
    assert route._may_be_early(request_) is early
