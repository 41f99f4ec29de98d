"""Heads: versions, framing (RFC 9112 §6.3), reuse (§9.3) and what is refused rather than guessed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http1.head import (
    CHUNKED,
    UNTIL_CLOSE,
    Malformed,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
)


def response(*fields: str, start: str = "HTTP/1.1 200 OK") -> ResponseHead:
    return parse_response_head("\r\n".join([start, *fields, "", ""]).encode("latin-1"))


def request(*fields: str, start: str = "POST /x HTTP/1.1") -> RequestHead:
    return parse_request_head("\r\n".join([start, "Host: h", *fields, "", ""]).encode("latin-1"))


# Start lines


@pytest.mark.parametrize(
    ("start", "status", "version"),
    [
        ("HTTP/1.1 200 OK", 200, "1.1"),
        ("HTTP/1.0 200 OK", 200, "1.0"),
        ("HTTP/1.1 404", 404, "1.1"),
        ("HTTP/1.1 503 ", 503, "1.1"),
        ("HTTP/1.1 200 a long reason, with é", 200, "1.1"),
        ("HTTP/1.1 100 Continue", 100, "1.1"),
        ("HTTP/1.1 599 x", 599, "1.1"),
    ],
)
def test_a_status_line_is_read(start: str, status: int, version: str) -> None:
    head = response("Content-Length: 0", start=start)
    assert (head.status, head.version) == (status, version)


@pytest.mark.parametrize(
    "start",
    [
        "HTTP/1.1 99 x",
        "HTTP/1.1 2000 x",
        "HTTP/1.1 abc",
        "HTTP/1.1 -20 x",
        "HTTP/11 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "GET / HTTP/1.1",
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1 200 O\vK",
        "HTTP/1.1 200 O\x7fK",
        "HTTP/1.1 200 O\rK",
        "\0",
    ],
)
def test_a_bad_status_line_is_malformed(start: str) -> None:
    with pytest.raises(Malformed):
        response("Content-Length: 0", start=start)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("HTTP/2.0 200 OK", id="version 2.0"),
        pytest.param("HTTP/0.9 200 OK", id="version 0.9"),
        pytest.param("HTTP/1.1 000 x", id="status 000"),
        pytest.param("HTTP/1.1 099 x", id="status 099"),
        pytest.param("\r\nHTTP/1.1 200 OK", id="empty line before"),
        pytest.param("", id="empty lines only"),
        pytest.param("RTSP/1.0 200 OK", id="another protocol"),
    ],
)
def test_what_is_no_http_1_response_is_malformed(start: str) -> None:
    """RFC 9112 §2.2, §4; RFC 9110 §15: only 100 to 599 are statuses. The readers skip empty lines."""
    with pytest.raises(Malformed):
        response("Content-Length: 0", start=start) if start else parse_response_head(b"\r\n\r\n")


@pytest.mark.parametrize(
    "field",
    [
        "no colon",
        ": no name",
        "Na me: x",
        "Name : x",
        " Name: x",
        "Name: a\rb",
        "Name: a\0b",
    ],
)
def test_a_bad_field_line_is_malformed(field: str) -> None:
    with pytest.raises(Malformed):
        response(field)
    with pytest.raises(Malformed):
        request(field)


@pytest.mark.parametrize("field", ["Name: a\r\n folded", "Name: a\nb: c", "Name: a\x01b"])
def test_a_request_is_never_read_leniently(field: str) -> None:
    with pytest.raises(Malformed):
        request(field)


def test_fields_keep_order_case_and_repetition() -> None:
    head = response("B: 1", "a:2 ", "B: é", "Empty:")
    assert [(name, value.strip()) for name, value in head.headers] == [
        (b"B", b"1"),
        (b"a", b"2"),
        (b"B", b"\xe9"),
        (b"Empty", b""),
    ]


# Framing


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        ([], UNTIL_CLOSE),
        (["Content-Length: 0"], 0),
        (["content-length: 5"], 5),
        (["CONTENT-LENGTH:5 "], 5),
        (["cOnTeNt-LeNgTh: 0005"], 5),
        (["Transfer-Encoding: chunked"], CHUNKED),
        (["transfer-encoding: CHUNKED"], CHUNKED),
        (["Transfer-Encoding: gzip, chunked"], CHUNKED),
        (["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], CHUNKED),
        (["Transfer-Encoding: gzip"], UNTIL_CLOSE),
        (["Transfer-Encoding: chunked, gzip"], UNTIL_CLOSE),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"], UNTIL_CLOSE),
        (["Transfer-Encoding: xchunked"], UNTIL_CLOSE),
    ],
)
def test_the_fields_frame_the_body(fields: list[str], framing: int) -> None:
    head = response(*fields)
    assert head.framing == framing
    assert head.persists is (framing != UNTIL_CLOSE)


def test_empty_elements_of_a_list_are_ignored() -> None:
    """RFC 9110 §5.6.1.2: a recipient must parse and ignore empty list elements."""
    assert response("Connection: ,close,, ,x,").options == {b"close", b"x"}
    assert response("Transfer-Encoding: chunked,").framing == CHUNKED


@pytest.mark.parametrize("status", [100, 103, 199, 204, 304])
@pytest.mark.parametrize("field", ["X: y", "Content-Length: 5", "Transfer-Encoding: chunked"])
def test_some_statuses_have_no_body_whatever_the_fields_say(status: int, field: str) -> None:
    assert response(field, start=f"HTTP/1.1 {status} x").framing == 0


TWO_LENGTHS = "two different Content-Length values, 5 and 6 (RFC 9112 §6.3)"
AMBIGUOUS = {
    **{
        f"Content-Length: {value}": f"Content-Length is {value.encode()!r} (RFC 9112 §6.3)"
        for value in ("", "-5", "+5", "5.0", "0x5", "1_0", "5;", "five", "5 5", "5,", "9" * 30)
    },
    "Content-Length: 5, 6": TWO_LENGTHS,
    "Content-Length: 5\r\nContent-Length: 6": TWO_LENGTHS,
    "transfer-encoding: gzip\r\ncontent-length: 5": "Content-Length b'5' beside Transfer-Encoding b'gzip'",
}


@pytest.mark.parametrize("fields", AMBIGUOUS)
def test_framing_is_never_guessed(fields: str) -> None:
    with pytest.raises(Malformed, match=re.escape(AMBIGUOUS[fields])):
        response(fields)


@pytest.mark.parametrize(
    "fields",
    [
        *AMBIGUOUS,
        "Content-Length: 5, 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: identity",
    ],
)
def test_the_framing_of_a_request_has_to_be_in_order(fields: str) -> None:
    with pytest.raises(Malformed):
        request(fields)


# Reuse


@pytest.mark.parametrize(
    ("version", "fields", "persists"),
    [
        ("1.1", [], True),
        ("1.1", ["Connection: keep-alive"], True),
        ("1.1", ["Connection: upgrade"], True),
        ("1.1", ["Connection: close"], False),
        ("1.1", ["Connection: CLOSE"], False),
        ("1.1", ["connection:Close"], False),
        ("1.1", ["Connection: foo,close"], False),
        ("1.1", ["Connection: foo ,\tClose , bar"], False),
        ("1.1", ["Connection: foo", "Connection: close"], False),
        ("1.1", ["Connection: close", "Connection: foo"], False),
        ("1.1", ["Connection: close, keep-alive"], False),
        ("1.1", ["Connection: keep-alive", "CONNECTION: close"], False),
        ("1.1", ["Connection: closed"], True),
        ("1.1", ["Connection: not-close"], True),
        ("1.1", ["X-Connection: close"], True),
        ("1.1", ["Proxy-Connection: close"], True),
        ("1.0", [], False),
        ("1.0", ["Connection: keep-alive"], True),
        ("1.0", ["Connection: foo, Keep-Alive"], True),
        ("1.0", ["Connection: foo", "Connection: KEEP-ALIVE"], True),
        ("1.0", ["Connection: close"], False),
        ("1.0", ["Connection: keep-alive, close"], False),
        ("1.0", ["Keep-Alive: timeout=5"], False),
    ],
)
def test_version_and_connection_options_decide_reuse(version: str, fields: list[str], persists: bool) -> None:
    assert response("Content-Length: 0", *fields, start=f"HTTP/{version} 200 OK").persists is persists
    assert request(*fields, start=f"GET / HTTP/{version}").persists is persists


def test_a_chunked_http_1_0_response_ends_the_connection() -> None:
    """RFC 9112 §6.1: HTTP/1.0 with Transfer-Encoding is faulty framing; the connection must be closed after it."""
    head = response("Connection: keep-alive", "Transfer-Encoding: chunked", start="HTTP/1.0 200 OK")
    assert not head.persists


def test_a_chunked_http_1_0_request_ends_the_connection() -> None:
    head = request("Connection: keep-alive", "Transfer-Encoding: chunked", start="POST / HTTP/1.0")
    assert not head.persists


def test_a_body_until_close_forbids_reuse_whatever_is_promised() -> None:
    assert not response("Connection: keep-alive", "Keep-Alive: timeout=5").persists


@settings(deadline=None)
@given(st.lists(st.sampled_from(["close", "Close", "keep-alive", "KEEP-ALIVE", "te", ""]), max_size=5), st.booleans())
def test_one_line_or_several_are_the_same_list(options: list[str], is_old: bool) -> None:
    start = f"HTTP/1.{0 if is_old else 1} 200 OK"
    one = response("Content-Length: 0", f"Connection: {', '.join(options)}", start=start)
    several = response("Content-Length: 0", *(f"Connection: {option}" for option in options), start=start)
    assert (one.options, one.persists) == (several.options, several.persists)
    assert one.options == {option.lower().encode() for option in options if option}


@pytest.mark.parametrize(
    ("fields", "timeout_s", "maximum"),
    [
        ([], None, None),
        (["Keep-Alive: timeout=5"], 5, None),
        (["Keep-Alive: max=100"], None, 100),
        (["Keep-Alive: timeout=5, max=100"], 5, 100),
        (["keep-alive:max=1,timeout=0"], 0, 1),
        (["KEEP-ALIVE: Timeout = 5 , MAX=7"], 5, 7),
        (['Keep-Alive: timeout="5"'], 5, None),
        (["Keep-Alive: timeout=5", "Keep-Alive: max=9"], 5, 9),
        (["Keep-Alive: 300"], None, None),
        (["Keep-Alive: timeout"], None, None),
        (["Keep-Alive: timeout=, max=x"], None, None),
        (["Keep-Alive: timeout=-1, max=1.5"], None, None),
    ],
)
def test_keep_alive_parameters(fields: list[str], timeout_s: int | None, maximum: int | None) -> None:
    head = response("Content-Length: 0", *fields)
    assert (head.keep_alive_timeout_s, head.keep_alive_max) == (timeout_s, maximum)


# Requests


@pytest.mark.parametrize(
    ("start", "method", "path", "version"),
    [
        ("GET / HTTP/1.1", b"GET", b"/", "1.1"),
        ("HEAD /a?b=c HTTP/1.0", b"HEAD", b"/a?b=c", "1.0"),
        ("OPTIONS * HTTP/1.1", b"OPTIONS", b"*", "1.1"),
        ("GET http://h/x HTTP/1.1", b"GET", b"http://h/x", "1.1"),
    ],
)
def test_a_request_line_is_read(start: str, method: bytes, path: bytes, version: str) -> None:
    head = request(start=start)
    assert (head.method, head.path, head.version, head.framing) == (method, path, version, 0)


@pytest.mark.parametrize("start", ["BREW / HTTP/1.1", "get / HTTP/1.1", "GET /a b HTTP/1.1", "GET / HTTP/1.2", "\0"])
def test_a_bad_request_line_is_malformed(start: str) -> None:
    with pytest.raises(Malformed):
        request(start=start)


@pytest.mark.parametrize("start", ["GET /", "GET / HTTP/2.0", "PRI * HTTP/2.0"])
def test_what_is_no_http_1_request_is_malformed(start: str) -> None:
    with pytest.raises(Malformed):
        request(start=start)


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        ([], 0),
        (["Content-Length: 7"], 7),
        (["Transfer-Encoding: chunked"], CHUNKED),
        (["Transfer-Encoding: gzip, Chunked"], CHUNKED),
    ],
)
def test_a_request_is_framed(fields: list[str], framing: int) -> None:
    assert request(*fields).framing == framing


@pytest.mark.parametrize("coding", ["gzip", "chunked, gzip", "identity", "xchunked"])
def test_a_request_that_is_not_chunked_last_is_malformed(coding: str) -> None:
    with pytest.raises(Malformed):
        request(f"Transfer-Encoding: {coding}")


@pytest.mark.parametrize(
    ("fields", "expects"),
    [([], False), (["Expect: 100-continue"], True), (["expect: 100-Continue"], True), (["Expect: x"], False)],
)
def test_expectations(fields: list[str], expects: bool) -> None:
    assert request(*fields).expects_continue is expects


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_malformed(noise: bytes) -> None:
    for parse, start in ((parse_response_head, b"HTTP/1.1 200 OK\r\n"), (parse_request_head, b"GET / HTTP/1.1\r\n")):
        for raw in (noise + b"\r\n\r\n", start + noise + b"\r\n\r\n"):
            try:
                head = parse(raw)
            except Malformed:
                continue
            assert head.framing >= CHUNKED
