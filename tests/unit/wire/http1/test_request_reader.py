"""HTTP/1.x requests: whatever the fragments, the same requests; bad or boundless ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http1.head import MAX_HEAD_BYTES, BodyTooLarge, HeadTooLarge, Malformed, RequestHead
from loadgen.wire.http1.request_reader import RequestReader
from tests.support.cuts import Cut, by_kilobytes, cut_at, either_way, whole

LIMIT_BYTES = 1000


def requests(raw: bytes, cut: Cut = whole, limit_bytes: int = LIMIT_BYTES) -> list[RequestHead]:
    reader, found = RequestReader(limit_bytes), []
    for piece in cut(raw):
        reader.feed(piece)
        while (head := reader.next_request()) is not None:
            found.append(head)
    return found


GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
POST_CHUNKED = b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n\r\n"


@either_way
@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        (b"", []),
        (GET, [b"/a"]),
        (POST, [b"/b"]),
        (POST_CHUNKED, [b"/c"]),
        (GET * 3, [b"/a"] * 3),
        (GET + POST + GET + POST_CHUNKED, [b"/a", b"/b", b"/a", b"/c"]),
        (GET + POST[:-1], [b"/a"]),
        (POST + GET[:-1], [b"/b"]),
        (POST_CHUNKED[:-1], []),
        (b"POST /0 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + GET, [b"/0", b"/a"]),
    ],
)
def test_requests_are_taken_one_by_one(raw: bytes, paths: list[bytes], cut: Cut) -> None:
    assert [head.path for head in requests(raw, cut)] == paths


@settings(deadline=None)
@given(st.lists(st.sampled_from([GET, POST]), max_size=5), st.sets(st.integers(1, 300)))
def test_pipelined_requests_in_any_fragments(messages: list[bytes], places: set[int]) -> None:
    paths = [head.path for head in requests(b"".join(messages), lambda data: cut_at(data, places))]
    assert paths == [{GET: b"/a", POST: b"/b"}[message] for message in messages]


@either_way
@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n"])
def test_empty_lines_before_a_request_are_skipped(lines: bytes, cut: Cut) -> None:
    """RFC 9112 §2.2: a server should ignore at least one empty line received before the request-line."""
    assert [head.path for head in requests(lines + GET, cut)] == [b"/a"]


def test_empty_lines_alone_are_no_request() -> None:
    assert requests(b"\r\n\r\n") == []


@either_way
def test_an_expectation_is_seen_before_the_body(cut: Cut) -> None:
    reader = RequestReader(LIMIT_BYTES)
    for piece in cut(POST[:-9].replace(b"Host", b"Expect: 100-continue\r\nHost") + b"\r\n\r\n"):
        assert not reader.wants_continue
        reader.feed(piece)
        assert reader.next_request() is None
    assert reader.wants_continue
    reader.feed(b"hello")
    assert reader.next_request() is not None
    assert not reader.wants_continue


@either_way
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\0\r\n\r\n", id="garbage"),
        pytest.param(b"BREW / HTTP/1.1\r\n\r\n", id="unknown method"),
        pytest.param(POST.replace(b": 5", b": five"), id="length is no number"),
        pytest.param(POST.replace(b"Host: h", b"Content-Length: 6"), id="two lengths"),
        pytest.param(POST.replace(b"Host: h", b"Transfer-Encoding: chunked"), id="chunked and length"),
        pytest.param(POST_CHUNKED.replace(b"chunked", b"gzip"), id="not chunked"),
        pytest.param(POST_CHUNKED.replace(b"5\r\n", b"x\r\n"), id="bad chunk"),
    ],
)
def test_a_bad_request_is_malformed(raw: bytes, cut: Cut) -> None:
    with pytest.raises(Malformed):
        requests(raw, cut)


@either_way
def test_a_request_behind_a_chunked_one_is_read(cut: Cut) -> None:
    assert [head.method for head in requests(POST_CHUNKED + GET, cut)] == [b"PUT", b"GET"]


@pytest.mark.parametrize("cut", [whole, by_kilobytes])
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["endless", "ended"])
def test_a_request_head_over_64_kib_is_given_up(end: bytes, cut: Cut) -> None:
    with pytest.raises(HeadTooLarge):
        requests(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES + end, cut)


@either_way
@pytest.mark.parametrize("raw", [POST, POST_CHUNKED], ids=["length", "chunked"])
def test_a_request_body_over_the_limit_is_given_up(raw: bytes, cut: Cut) -> None:
    assert len(requests(raw, cut, limit_bytes=5)) == 1
    with pytest.raises(BodyTooLarge):
        requests(raw, cut, limit_bytes=4)
