"""What the arguments of a request make of it; where `requests` is the measure, it is asked."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import Any

import pytest
from requests import PreparedRequest, Request
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
from requests.cookies import RequestsCookieJar

from loadgen.swarm.scenario_request import (
    ScenarioRequest,
    Trust,
    authorised,
    cookie_field,
    encode,
    encoded_body,
    merged_fields,
    split_url,
    with_params,
)


@pytest.mark.parametrize(
    "params", [{"a": "1 2", "b": ["x", "ü"], "c": None}, [("a", 1), ("a", 2)], "q=1", b"q=1", {}, {"a": ("1", None)}]
)
@pytest.mark.parametrize("path", ["/p", "/p?z=0", "/p?z=0#f"])
def test_parameters_as_requests_has_them(path: str, params: Any) -> None:
    prepared = Request("GET", f"http://h{path}", params=params).prepare()
    assert with_params(path, params).partition("#")[0] == prepared.path_url


@pytest.mark.parametrize("data", [{"a": "1 2", "b": ["x", "ü"], "c": None}, [("a", 1), ("a", 2)], "grüße", b"\0", None])
@pytest.mark.parametrize("json", [None, {"a": 1}, 0])
def test_bodies_as_requests_has_them(data: Any, json: Any) -> None:
    prepared = Request("POST", "http://h/", data=data, json=json).prepare()
    kind, body = encoded_body(data, json, None)
    wanted = prepared.body or b""
    assert body == (wanted.encode() if isinstance(wanted, str) else wanted)
    assert (kind or None) == prepared.headers.get("Content-Type")


def test_files_and_iterators_are_read_to_their_end() -> None:
    assert encoded_body(BytesIO(b"abc"), None, None) == ("", b"abc")
    assert encoded_body(StringIO("ü"), None, None) == ("", "ü".encode())
    assert encoded_body((part for part in (b"a", "b")), None, None) == ("", b"ab")


def test_files_go_as_multipart() -> None:
    kind, body = encoded_body({"field": "x"}, None, {"file": ("a.txt", BytesIO(b"content"), "text/plain")})
    boundary = kind.removeprefix("multipart/form-data; boundary=")
    assert body.count(boundary.encode()) == 3
    assert b'name="field"\r\n\r\nx\r\n' in body
    assert b'name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n' in body


def test_the_request_s_fields_replace_the_session_s() -> None:
    defaults = {"Accept": "a", "X-One": "1", "X-Two": "2"}
    assert merged_fields(defaults, {"accept": "b", "x-two": None}) == (("X-One", "1"), ("accept", "b"))
    assert merged_fields(None, {"A": b"1", "B": None}) == (("A", "1"),)
    assert merged_fields(defaults, None) == tuple(defaults.items())
    assert merged_fields(None, None) == ()


def signed(prepared: PreparedRequest) -> PreparedRequest:
    prepared.headers["X-Signature"] = str(len(prepared.body or b""))
    prepared.url = f"{prepared.url}?signed=1"
    return prepared


def test_credentials() -> None:
    for auth in (("me", "pä"), HTTPBasicAuth("me", "pä")):
        sent = ScenarioRequest("GET", "http://h", "/", (("authorization", "x"),))
        authorised(sent, auth)
        assert [value for _, value in sent.fields] == ["Basic bWU6cOQ="]
    sent = ScenarioRequest("POST", "http://h", "/a", (("A", "1"),), b"body")
    authorised(sent, signed)
    assert (sent.target, sent.fields, sent.body) == ("/a?signed=1", (("A", "1"), ("X-Signature", "4")), b"body")
    with pytest.raises(ValueError, match="HTTPDigestAuth waits for a challenge"):
        authorised(ScenarioRequest("GET", "http://h", "/"), HTTPDigestAuth("me", "p"))


def test_a_content_type_that_was_given_stays() -> None:
    sent = ScenarioRequest("POST", "http://h", "/", (("content-type", "text/x"),))
    encode(sent, None, [], None, ("a", "b"))
    assert sent.body == b"[]"
    assert sent.headers["Content-Type"] == "text/x"
    assert "Authorization" in sent.headers


def test_cookies_of_one_request_go_beside_the_session_s() -> None:
    session = RequestsCookieJar()
    session.set("a", "1", domain="h.local", path="/")
    session.set("b", "2", domain="other.local", path="/")
    ((name, value),) = cookie_field(session, {"c": "3"}, "http://h/x")
    assert (name, set(value.split("; "))) == ("Cookie", {"a=1", "c=3"})
    assert session.get_dict() == {"a": "1", "b": "2"}
    assert cookie_field(None, {}, "http://h/") == ()


def test_a_url_is_split_or_refused() -> None:
    assert split_url("HTTPS://Host:443/a b?c") == ("https://host", "/a%20b?c")
    with pytest.raises(ValueError, match="unknown"):
        split_url("ftp://h/")


def test_trust_is_none_where_nothing_is_changed() -> None:
    assert Trust.of(None, None) is None
    assert Trust.of(False, None) == (False, None)
    assert Trust.of(None, ("c", "k")) == (None, ("c", "k"))
