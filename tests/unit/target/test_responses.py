"""The target's responses as bytes of HTTP/1.1 and as fields of HTTP/2; what is remembered, and for how long."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from loadgen.model.target import CONNECTIONS_PATH, FIELDS_PATH
from loadgen.target import responses as module
from loadgen.target.behaviour import STATS_PATH, Behaviour
from loadgen.target.requests import HeadReader, Request, request_of_fields
from loadgen.target.responses import Responses, bad_request, body_of
from loadgen.wire.http1.response_reader import ResponseReader

STATS = {"accepted": 3}
CONNECTIONS = {"connections": [{"number": 7, "idle_ns": 5, "ended": None}]}


def responses(**options: Any) -> Responses:
    return Responses(Behaviour(**options), lambda: STATS, lambda: CONNECTIONS)


def request(path: str = "/", method: str = "GET", fields: str = "") -> Request:
    reader = HeadReader(100)
    reader.feed(f"{method} {path} HTTP/1.1\r\nHost: h\r\n{fields}\r\n".encode())
    found = reader.take()
    assert found is not None
    return found


def http2_request(path: str = "/", method: str = "GET", *fields: tuple[bytes, bytes]) -> Request:
    return request_of_fields(((b":method", method.encode()), (b":path", path.encode()), *fields))


def read(raw: bytes, no_body: bool = False) -> tuple[ResponseReader, bytes]:
    """The response and its body; nothing may follow it."""
    reader, body = ResponseReader(1 << 20), bytearray()
    reader.no_body = no_body
    assert reader.feed(raw, body.extend)
    assert not reader.has_extra_bytes
    return reader, bytes(body)


@pytest.mark.parametrize("size_bytes", [0, 1, 8, 1000])
def test_a_body_has_the_size_asked_for(size_bytes: int) -> None:
    assert len(body_of(size_bytes)) == size_bytes
    reader, body = read(responses(size_bytes=size_bytes).http1(request(), True, b"", 1))
    assert (reader.head.status, body) == (200, body_of(size_bytes))  # type: ignore[union-attr]
    assert responses(size_bytes=size_bytes).http2(http2_request(), 1).body == body_of(size_bytes)


def test_a_query_asks_for_another_size() -> None:
    assert read(responses().http1(request("/?size=12"), True, b"", 1))[1] == body_of(12)
    assert responses().http2(http2_request("/?size=12"), 1).body == body_of(12)


@pytest.mark.parametrize(("persists", "option"), [(True, {b"keep-alive"}), (False, {b"close"})])
def test_the_connection_field_says_what_happens(persists: bool, option: set[bytes]) -> None:
    reader, _ = read(responses().simple(False, persists, b"Keep-Alive: max=2\r\n", None))
    assert reader.head is not None
    assert (reader.head.persists, set(reader.head.options)) == (persists, option)
    assert reader.head.keep_alive_max == (2 if persists else None)


def test_head_has_the_length_and_no_body() -> None:
    reader, body = read(responses().http1(request(method="HEAD"), True, b"", 1), no_body=True)
    assert (body, dict(reader.head.headers)[b"Content-Length"]) == (b"", b"5")  # type: ignore[union-attr]
    head, body, _ = responses().http2(http2_request(method="HEAD"), 1)
    assert (body, dict(head)[b"content-length"]) == (b"", b"5")


def test_the_account_and_the_fields_are_json() -> None:
    assert json.loads(read(responses().internal(request(STATS_PATH), True, 1))[1]) == STATS
    assert json.loads(responses().http2(http2_request(STATS_PATH), 0).body) == STATS
    reader, body = read(responses().internal(request(FIELDS_PATH, fields="X-One: a b\r\n"), True, 7))
    assert json.loads(body) == {
        "version": "1.1", "target": FIELDS_PATH, "fields": [["Host", "h"], ["X-One", "a b"]],
        "connection": 7,
    }  # fmt: skip
    # The response has a field for the next hop alone, so that a probe can see whether a proxy forwards it.
    assert reader.head.options == {b"keep-alive", b"x-loadgen-hop"}  # type: ignore[union-attr]
    found = json.loads(responses().http2(http2_request(FIELDS_PATH, "GET", (b"x-one", b"a")), 0).body)
    assert found == {"version": "2", "target": FIELDS_PATH, "fields": [["x-one", "a"]], "connection": 0}
    assert json.loads(read(responses().internal(request(CONNECTIONS_PATH), True, 1))[1]) == CONNECTIONS
    assert json.loads(responses().http2(http2_request(CONNECTIONS_PATH), 0).body) == CONNECTIONS


def test_a_connection_is_kept_where_its_client_asks_for_that() -> None:
    assert [request(f"{path}?keep").keeps for path in (FIELDS_PATH, STATS_PATH, "/")] == [True, False, False]
    assert not request(FIELDS_PATH).keeps


def test_trailers_are_sent_to_whom_wants_them_and_not_declined() -> None:
    wants = request(fields="TE: trailers\r\nConnection: TE\r\n")
    reader, body = read(responses().http1(wants, True, b"", 7))
    assert (body, reader.trailers) == (b"loadg", [(b"X-Loadgen-Served", b"7")])
    assert read(responses(size_bytes=0).http1(wants, True, b"", 1))[1] == b""
    assert read(responses(declines=frozenset({"trailers"})).http1(wants, True, b"", 7))[0].trailers == []
    http2_wants = http2_request("/", "GET", (b"te", b"trailers"))
    assert responses().http2(http2_wants, 7).trailers == ((b"x-loadgen-served", b"7"),)
    assert responses(declines=frozenset({"trailers"})).http2(http2_wants, 7).trailers == ()


def test_a_response_is_remembered_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    dates = iter(["Mon", "Tue", "Wed"])
    monkeypatch.setattr(module, "formatdate", lambda usegmt: next(dates))
    mine = responses()
    first = mine.http1(request(), True, b"", 1)
    assert mine.http1(request(), True, b"", 2) is first
    http2_first = mine.http2(http2_request(), 1)
    assert mine.http2(http2_request(), 2) is http2_first
    mine.forget()
    assert b"Date: Wed\r\n" in mine.http1(request(), True, b"", 3)
    assert b"Date: Mon\r\n" in first


def test_what_is_remembered_is_bounded() -> None:
    mine = responses()
    for size_bytes in range(module._MAX_REMEMBERED + 10):
        mine.simple(False, True, b"", size_bytes)
        mine.http2(http2_request(f"/?size={size_bytes}"), 1)
    assert len(mine._http1) == len(mine._http2) == module._MAX_REMEMBERED


def test_refusals_close_or_not() -> None:
    reader, body = read(responses().refusal(b"no WebSocket here\n", True))
    assert (reader.head.status, reader.head.persists) == (403, True)  # type: ignore[union-attr]
    assert body == b"no WebSocket here\n"
    reader, body = read(bad_request("what is this"))
    assert (reader.head.status, reader.head.persists, body) == (400, False, b"what is this")  # type: ignore[union-attr]


def test_bodies_may_be_compressed() -> None:
    made = responses(encoding="gzip", size_bytes=1000)
    for fields in ("", "TE: trailers\r\nConnection: TE\r\n"):
        reader, body = read(made.http1(request(fields=fields), True, b"", 1))
        assert reader.head is not None
        assert (b"Content-Encoding", b"gzip") in reader.head.headers
        assert gzip.decompress(body) == body_of(1000)
        assert reader.body_bytes == len(body) < 100  # as sent: never decoded
    response = made.http2(http2_request("/?size=0"), 1)
    assert gzip.decompress(response.body) == b""
    assert (b"content-encoding", b"gzip") in response.head
