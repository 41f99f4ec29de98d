"""What a block sends: one request or several, with the policy's Connection field and what a proxy wants."""

from __future__ import annotations

from typing import Any

from loadgen.drive.requests.block_requests import block_requests
from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.csv_values import CsvValues
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.templating import Templating
from loadgen.wire.http1.upload import Upload
from loadgen.wire.proxy.connect import ProxyLogin
from loadgen.wire.route import Route


def sent(policy: str, route: Route | None = None, **values: Any) -> EncodedRequest | RequestMix:
    plan = Plan(**{"target": parse_target("http://h/x"), "policies": parse_policies(policy), **values})
    return block_requests(plan, plan.cells[0], route or Route(plan.target), lambda: 0, RequestCounter())


def test_the_last_request_of_a_connection_says_so() -> None:
    found = sent("recycle:2")
    assert isinstance(found, EncodedRequest)
    assert found.more.startswith(b"GET /x HTTP/1.1\r\nHost: h\r\n")
    assert b"Connection: keep-alive\r\n" in found.more
    assert b"Connection: close\r\n" in found.last
    assert b"Cookie: a=1\r\n" in found.with_cookies("a=1").more


def test_an_upgrade_is_named_in_connection() -> None:
    found = sent("h2c-upgrade")
    assert isinstance(found, EncodedRequest)
    assert b"Connection: Upgrade, HTTP2-Settings\r\n" in found.more.upgrade
    assert b"\r\nUpgrade: h2c\r\n" in found.more.upgrade


def test_a_proxy_s_login_is_sent_once_the_proxy_has_asked() -> None:
    proxy = parse_proxy("http://u:p@p:3128")
    route = Route(parse_target("http://h/x"), proxy=proxy)
    route.login = ProxyLogin(proxy.authorization)
    found = sent("persistent", route, proxy=proxy)
    assert isinstance(found, EncodedRequest)
    assert found.more.startswith(b"GET http://h/x HTTP/1.1\r\n")
    assert b"Proxy-Authorization" not in found.more
    route.login.wanted = True
    found.rewrite()
    assert b"Proxy-Authorization: Basic " in found.more


def test_each_of_several_requests_has_its_own_path() -> None:
    found = sent("persistent", requests=read_requests('{"url": "/a"}\n{"url": "/b"}'))
    assert isinstance(found, RequestMix)
    paths = {found.chosen(connection, 0).encoded(0, "").more.split(b" ")[1] for connection in range(50)}
    assert paths == {b"/a", b"/b"}


def test_bodies_go_in_chunks_where_there_are_some() -> None:
    requests = read_requests('{"url": "/a", "body": "x"}\n{"url": "/b"}')
    found = sent("persistent", requests=requests, transfer=BodyTransfer(chunked=True))
    assert isinstance(found, RequestMix)
    by_path = {}
    for connection in range(50):
        request = found.chosen(connection, 0)
        by_path[request.path] = request.encoded(0, "").more.endswith(b"1\r\nx\r\n0\r\n\r\n")
    assert by_path == {"/a": True, "/b": False}


def test_a_body_that_waits_is_an_upload() -> None:
    found = sent("close", method="PUT", body=b"hello", transfer=BodyTransfer(expects_continue=True))
    assert isinstance(found, EncodedRequest)
    assert isinstance(found.last, Upload)
    assert (found.last.expects, len(found.last)) == (True, len(found.last.head) + 5)
    assert b"\r\nExpect: 100-continue\r\nContent-Length: 5\r\n" in found.last.head
    assert found.last.head.endswith(b"\r\nConnection: close\r\n\r\n")


def test_a_template_is_filled_for_each_request() -> None:
    values = CsvValues(("id",), (("a b",), ("c",)))
    found = sent(
        "persistent", method="PUT", headers=(("X-N", "{n}"),), body=b'{"u": {user}, "m": {}}',
        target=parse_target("http://h/{id}/{n}?a={{n}}"), templating=Templating(True, values),
    )  # fmt: skip
    assert isinstance(found, RequestMix)
    for number, path in ((1, b"/a%20b/1"), (2, b"/c/2"), (3, b"/a%20b/3")):
        filled = found.chosen(7, number).encoded(5, "").more
        assert filled.startswith(b"PUT %b?a=%%7Bn%%7D HTTP/1.1\r\n" % path)
        assert b"\r\nX-N: %d\r\n" % number in filled
        assert filled.endswith(b'\r\n\r\n{"u": 5, "m": {}}')


def test_an_upload_to_a_proxy_names_the_whole_url() -> None:
    proxy = parse_proxy("http://p:3128")
    route = Route(parse_target("http://h/x"), proxy=proxy)
    transfer = BodyTransfer(expects_continue=True, chunked=True)
    found = sent("persistent", route, proxy=proxy, method="PUT", body=b"hello", transfer=transfer)
    assert isinstance(found, EncodedRequest)
    assert found.more.head.startswith(b"PUT http://h/x HTTP/1.1\r\n")
    assert found.more[0 : len(found.more)].endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
