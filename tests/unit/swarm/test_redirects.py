"""Where redirects lead, by RFC 9110 §15.4 and by what `requests` makes of the same ones."""

from __future__ import annotations

import pytest
from requests import PreparedRequest, Response, Session

from loadgen.swarm.redirects import STATUSES, UnusableRedirect, redirected
from loadgen.swarm.scenario_request import ScenarioRequest

FIELDS = (("Authorization", "secret"), ("Content-Type", "text/plain"), ("Cookie", "a=1"), ("X-Own", "1"))


def sent(method: str = "POST", target: str = "/a/b?c=1", body: bytes = b"body") -> ScenarioRequest:
    return ScenarioRequest(method, "http://h:81", target, FIELDS, body, {"a": "1"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", sorted(STATUSES))
def test_the_method_changes_as_with_requests(method: str, status: int) -> None:
    prepared, response = PreparedRequest(), Response()
    prepared.method, response.status_code = method, status
    Session().rebuild_method(prepared, response)
    assert redirected(sent(method), status, "/x").method == prepared.method


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x?y=1#z", "http://h:81/x?y=1"),
        ("x", "http://h:81/a/x"),
        ("?d=2", "http://h:81/a/b?d=2"),
        ("//other/x", "http://other/x"),
        ("https://h/", "https://h/"),
        ("HTTP://h:81/x y", "http://h:81/x%20y"),
        ("/\u00c3\u00bc", "http://h:81/%C3%BC"),
    ],
)
def test_a_location_is_relative_to_the_url_before_it(location: str, url: str) -> None:
    assert redirected(sent(), 302, location).url == url


@pytest.mark.parametrize("location", ["ftp://h/x", "http://h:x/", "mailto:a@b", "http://u:p@h/", "https:///x"])
def test_a_location_that_no_request_can_go_to_is_refused(location: str) -> None:
    with pytest.raises(UnusableRedirect):
        redirected(sent(), 302, location)


def test_only_307_and_308_keep_the_body() -> None:
    kept, dropped = redirected(sent(), 307, "/x"), redirected(sent(), 302, "/x")
    assert (kept.method, kept.body, kept.fields) == ("POST", b"body", FIELDS)
    assert (dropped.method, dropped.body) == ("GET", b"")
    assert dict(dropped.fields).keys() == {"Authorization", "Cookie", "X-Own"}


@pytest.mark.parametrize("location", ["http://other/x", "https://h:81/x", "http://h:82/x"])
def test_credentials_stay_with_their_origin(location: str) -> None:
    moved = redirected(sent(), 307, location)
    assert moved.fields == (("Content-Type", "text/plain"), ("X-Own", "1"))
    assert (moved.body, moved.cookies) == (b"body", None)
    assert redirected(sent(), 307, "/x").cookies == {"a": "1"}
