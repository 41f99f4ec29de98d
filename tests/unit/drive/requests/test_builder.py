"""A scenario's requests: what is checked, encoded, remembered and left to the policy."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.requests.builder import RequestBuilder
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target


def builder(policy: str = "recycle:3", url: str = "http://h:81/", **values: Any) -> RequestBuilder:
    plan = Plan(parse_target(url), parse_policies(policy), **values)
    return RequestBuilder(plan, plan.policies[0])


def test_requests_are_remembered_except_those_with_long_bodies() -> None:
    made = builder()
    one = made.requests("GET", "/", (("X-A", "1"),), b"", "")
    assert made.requests("GET", "/", (("X-A", "1"),), b"", "") is one
    assert made.requests("GET", "/", (("X-A", "2"),), b"", "") is not one
    assert b"Connection: close" in one.last
    assert b"Connection: keep-alive" in one.more
    body = b"x" * 1_000_000
    assert made.requests("POST", "/", (), body, "") is not made.requests("POST", "/", (), body, "")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a?b=1#here", b"GET /a?b=1 "),
        ("/ä b", b"GET /%C3%A4%20b "),
        ("/already%20encoded", b"GET /already%20encoded "),
        ('/"<>^', b"GET /%22%3C%3E%5E "),
        ("/{size}?a[]=100%", b"GET /%7Bsize%7D?a[]=100%25 "),
    ],
)
def test_what_a_url_cannot_hold_is_encoded_and_a_fragment_stays_here(path: str, sent: bytes) -> None:
    assert builder().requests("GET", path, (), b"", "").more.startswith(sent)


@pytest.mark.parametrize(
    ("method", "path", "headers", "complaint"),
    [
        ("BREW IT", "/", (), "the method 'BREW IT' is not a token"),
        ("GET", "a", (), "does not begin with a slash"),
        ("GET", "/a\nb", (), "control character"),
        ("GET", "/\ud800", (), "surrogate"),
        ("GET", "/", (("X-A", 1),), "both must be text"),
        ("GET", "/", (("Connection", "close"),), "the connection policy sets it"),
        ("GET", "/", (("X-A", "a\r\nb"),), "control character"),
        ("GET", "/", (("Host", "a"), ("host", "b")), "'host' is given twice"),
        ("GET", "/", (("Content-Length", "3"),), "it follows from --data"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line(method: str, path: str, headers: Any, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        builder().requests(method, path, headers, b"", "")
    assert "\n" not in str(caught.value)


def test_fields_of_the_plan_are_defaults() -> None:
    made = builder(headers=(("X-A", "plan"), ("X-B", "plan")))
    request = made.requests("GET", "/", (("x-a", "own"),), b"", "").more
    assert b"x-a: own" in request
    assert b"X-A: plan" not in request
    assert b"X-B: plan" in request


def test_a_cookie_field_of_the_requests_own_is_the_only_one() -> None:
    made = builder()
    assert b"Cookie: jar=1" in made.requests("GET", "/", (), b"", "jar=1").more
    request = made.requests("GET", "/", (("Cookie", "own=1"),), b"", "jar=1").more
    assert request.count(b"Cookie") == 1
    assert b"Cookie: own=1" in request


def test_a_body_is_framed_by_the_engine() -> None:
    request = builder().requests("POST", "/", (), b"hello", "").more
    assert b"\r\nContent-Length: 5\r\n" in request
    assert request.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    ("policy", "url", "line", "has_credentials"),
    [("recycle:3", "http://h:81/", b"GET http://h:81/a ", True), ("recycle:3", "https://h:81/", b"GET /a ", False)],
)
def test_a_proxy_that_gets_the_requests_gets_its_credentials_with_each(
    policy: str, url: str, line: bytes, has_credentials: bool
) -> None:
    made = builder(policy, url, proxy=parse_proxy("http://u:p@proxy:3128"))
    request = made.requests("GET", "/a", (), b"", "").more
    assert request.startswith(line)
    assert (b"Proxy-Authorization: Basic" in request) is has_credentials


@pytest.mark.parametrize(
    ("policy", "version", "more", "last"),
    [
        ("persistent", b"HTTP/1.1", b"keep-alive", b"close"),
        ("abandon", b"HTTP/1.1", b"keep-alive", b"keep-alive"),
        ("http10", b"HTTP/1.0", b"", b""),
        ("http10-keepalive", b"HTTP/1.0", b"keep-alive", b"close"),
    ],
)
def test_the_policy_decides_about_the_connection_field(policy: str, version: bytes, more: bytes, last: bytes) -> None:
    request = builder(policy).requests("GET", "/", (), b"", "")
    for sent, option in ((request.more, more), (request.last, last)):
        assert sent.split(b"\r\n")[0].endswith(version)
        assert (b"Connection: " + option if option else b"\r\n\r\n") in sent
        assert (b"Connection" in sent) is bool(option)
