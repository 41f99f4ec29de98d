"""HTTP/1.x responses: whatever the fragments, the same response; bad or boundless ones are refused."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http1.head import MAX_HEAD_BYTES, BodyTooLarge, HeadTooLarge, Malformed, NotHttp
from loadgen.wire.http1.response_reader import ResponseReader
from tests.support.cuts import Cut, by_kilobytes, cut_at, either_way, whole

LIMIT_BYTES = 1000


class Response(NamedTuple):
    """A message and what must come of it."""

    raw: bytes
    status: int = 200
    body: bytes = b""
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    interim: int = 0
    no_body: bool = False
    until_close: bool = False


OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 9\r\n\r\n"

RESPONSES = {
    "length": Response(HELLO, body=b"hello"),
    "length 0": Response(OK + b"Content-Length: 0\r\n\r\n"),
    "body like an end of head": Response(OK + b"Content-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n", body=b"\r\n" * 4),
    "body at the limit": Response(OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, body=b"x" * 1000),
    "http/1.0 length": Response(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", body=b"hi"),
    "chunked": Response(CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", body=b"hello world"),
    "chunked, empty": Response(CHUNKED + b"0\r\n\r\n"),
    "chunked, hex sizes": Response(
        CHUNKED + b"00a\r\n0123456789\r\nB\r\n0123456789x\r\n000\r\n\r\n", body=b"01234567890123456789x"
    ),
    "chunked, body like an end": Response(CHUNKED + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", body=b"\r\n0\r\n\r\n"),
    "chunked, extensions": Response(CHUNKED + b'5;a;b=c;d="e f"\r\nhello\r\n0;last\r\n\r\n', body=b"hello"),
    "chunked, trailers": Response(
        CHUNKED + b"5\r\nhello\r\n0\r\nDigest: x\r\nServer-Timing: a;dur=1\r\n\r\n",
        body=b"hello",
        trailers=((b"Digest", b"x"), (b"Server-Timing", b"a;dur=1")),
    ),
    "chunked, connection in trailers": Response(
        CHUNKED + b"0\r\nConnection: close\r\n\r\n", trailers=((b"Connection", b"close"),)
    ),
    "gzip, chunked": Response(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nzz\r\n0\r\n\r\n", body=b"zz"),
    "204": Response(b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    "204 with a length": Response(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204),
    "204 chunked": Response(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204),
    "304 with a length": Response(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
    "HEAD with a length": Response(OK + b"Content-Length: 5\r\n\r\n", no_body=True),
    "HEAD with a length beyond the limit": Response(OK + b"Content-Length: 99999\r\n\r\n", no_body=True),
    "HEAD chunked": Response(CHUNKED, no_body=True),
    "HEAD with no length": Response(OK + b"\r\n", no_body=True),
    "HEAD after 1xx": Response(EARLY_HINTS + OK + b"Content-Length: 5\r\n\r\n", no_body=True, interim=1),
    "100": Response(CONTINUE + HELLO, body=b"hello", interim=1),
    "103": Response(EARLY_HINTS + HELLO, body=b"hello", interim=1),
    "several 1xx": Response(
        EARLY_HINTS + CONTINUE + EARLY_HINTS + CHUNKED + b"1\r\nx\r\n0\r\n\r\n", body=b"x", interim=3
    ),
    "1xx that says close": Response(
        b"HTTP/1.1 102 Processing\r\nConnection: close\r\n\r\n" + HELLO, body=b"hello", interim=1
    ),
    "until close": Response(OK + b"\r\nhello", body=b"hello", until_close=True),
    "until close, empty": Response(OK + b"\r\n", until_close=True),
    "until close after 1xx": Response(CONTINUE + OK + b"\r\nhello", body=b"hello", interim=1, until_close=True),
    "until close, http/1.0": Response(b"HTTP/1.0 404 Not Found\r\n\r\nhello", 404, b"hello", until_close=True),
    "until close, not chunked last": Response(
        OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello", body=b"5\r\nhello", until_close=True
    ),
}  # fmt: skip
FRAMED = {name: one for name, one in RESPONSES.items() if not one.until_close}
every_response = pytest.mark.parametrize("expected", RESPONSES.values(), ids=RESPONSES.keys())
every_framed_response = pytest.mark.parametrize("expected", FRAMED.values(), ids=FRAMED.keys())


def check(reader: ResponseReader, pieces: list[bytes], expected: Response) -> None:
    """Feed `pieces`, which are all of one response, and compare."""
    got: list[bytes] = []
    reader.no_body = expected.no_body
    answers = [reader.feed(piece, got.append) for piece in pieces]
    assert not any(answers[:-1])
    if expected.until_close:
        assert not answers[-1]
        assert reader.begun
        answers[-1] = reader.finish()
    assert answers[-1]
    assert not reader.begun
    assert reader.head is not None
    assert reader.head.status == expected.status
    assert b"".join(got) == expected.body
    assert reader.body_bytes == len(expected.body)
    assert reader.trailers == list(expected.trailers)
    assert reader.interim == expected.interim
    assert not reader.has_extra_bytes
    assert reader.notes == 0


def feed_all(reader: ResponseReader, pieces: list[bytes]) -> bool:
    """Feed pieces until a response is complete; whether one is."""
    return any(reader.feed(piece) for piece in pieces)


# Responses in any fragments


@every_response
@either_way
def test_a_response_is_read(expected: Response, cut: Cut) -> None:
    check(ResponseReader(LIMIT_BYTES), cut(expected.raw), expected)


@every_response
def test_a_response_is_read_in_two_pieces_cut_anywhere(expected: Response) -> None:
    for place in range(1, len(expected.raw)):
        check(ResponseReader(LIMIT_BYTES), cut_at(expected.raw, {place}), expected)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(FRAMED.values())), st.sets(st.integers(1, 200))), max_size=6))
def test_responses_one_after_another_leave_no_trace(sequence: list[tuple[Response, set[int]]]) -> None:
    """One reader, any responses, any fragments: each is read as if it were the first."""
    reader = ResponseReader(LIMIT_BYTES)
    for expected, places in sequence:
        check(reader, cut_at(expected.raw, places), expected)


@every_framed_response
@pytest.mark.parametrize("tail", [b"x", HELLO, b"\0" * 100], ids=["a byte", "a response", "zeros"])
def test_bytes_after_a_response_are_extra_and_no_body(expected: Response, tail: bytes) -> None:
    for place in range(len(expected.raw)):
        reader, got = ResponseReader(LIMIT_BYTES), []
        reader.no_body = expected.no_body
        pieces = [piece for piece in (expected.raw[:place], expected.raw[place:] + tail) if piece]
        assert [reader.feed(piece, got.append) for piece in pieces][-1]
        assert reader.has_extra_bytes
        assert reader.extra == tail
        assert (b"".join(got), reader.body_bytes) == (expected.body, len(expected.body))


def test_extra_bytes_are_forgotten_with_the_next_response() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    for raw, extra in ((HELLO + b"x", b"x"), (HELLO, b""), (CHUNKED + b"0\r\n\r\n\r\nxy", b"xy"), (HELLO, b"")):
        assert reader.feed(raw)
        assert (reader.has_extra_bytes, reader.extra) == (bool(extra), extra)


@either_way
def test_a_reader_needs_no_sink(cut: Cut) -> None:
    for one in FRAMED.values():
        reader = ResponseReader(LIMIT_BYTES)
        reader.no_body = one.no_body
        assert [reader.feed(piece) for piece in cut(one.raw)][-1]
        assert reader.body_bytes == len(one.body)


# Ends of the stream


def test_the_end_of_the_stream_completes_only_a_body_until_close() -> None:
    for one in RESPONSES.values():
        for place in range(len(one.raw)):
            reader = ResponseReader(LIMIT_BYTES)
            reader.no_body = one.no_body
            if place:
                assert not reader.feed(one.raw[:place])
            in_body = one.until_close and place >= one.raw.rindex(b"\r\n\r\n") + 4
            assert reader.begun is (place > 0)
            assert reader.finish() is in_body


def test_a_stream_that_ends_between_responses_completes_nothing() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    assert not reader.finish()
    assert reader.feed(HELLO)
    assert not reader.finish()


# What is refused


@either_way
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\0\0\0\0", id="zeros"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x46", id="a TLS alert"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="ssh"),
        pytest.param(b"<html></html>", id="http/0.9"),
        pytest.param(b"hello\r\n\r\n", id="garbage head"),
        pytest.param(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="rtsp"),
    ],
)
def test_other_protocols_are_known_by_their_first_bytes(raw: bytes, cut: Cut) -> None:
    with pytest.raises(NotHttp, match="the response starts with '"):
        feed_all(ResponseReader(LIMIT_BYTES), cut(raw))


@either_way
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"HTTP/1.1 OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/2.1 200 OK\r\n\r\n", id="bad version"),
        pytest.param(b"HTTP/1.1 000 x\r\n\r\n" + HELLO, id="status 000 is no 1xx"),
        pytest.param(OK + b"no colon\r\n\r\n", id="bad field"),
        pytest.param(OK + b"Content-Length: x\r\n\r\n", id="length is no number"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", id="two lengths"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="101"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\0\0", id="101, upgrading"
        ),
        pytest.param(CONTINUE + b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", id="101 after 100"),
        pytest.param(CONTINUE + b"garbage", id="garbage after 100"),
        pytest.param(CHUNKED + b"\r\n", id="no chunk size"),
        pytest.param(CHUNKED + b"g\r\n", id="chunk size is no number"),
        pytest.param(CHUNKED + b"-1\r\n", id="negative chunk size"),
        pytest.param(CHUNKED + b"0x1\r\n", id="chunk size with prefix"),
        pytest.param(CHUNKED + b"f" * 17 + b"\r\n", id="chunk size beyond 64 bits"),
        pytest.param(CHUNKED + b"1\nx\n0\n\n", id="bare line feeds"),
        pytest.param(CHUNKED + b"1\r\nxy\r\n", id="chunk longer than it says"),
        pytest.param(CHUNKED + b"2\r\nx\r\n0\r\n\r\n", id="chunk shorter than it says"),
        pytest.param(CHUNKED + b"0\r\nno colon\r\n\r\n", id="bad trailer"),
    ],
)
def test_a_bad_response_is_malformed(raw: bytes, cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    with pytest.raises(Malformed) as caught:
        feed_all(reader, cut(raw))
    assert type(caught.value) is Malformed


def filled_head(size_bytes: int) -> bytes:
    """A head of `size_bytes` bytes."""
    begin, end = OK + b"X: ", b"\r\nContent-Length: 2\r\n\r\n"
    return begin + b"x" * (size_bytes - len(begin) - len(end)) + end


@pytest.mark.parametrize("cut", [whole, by_kilobytes])
@pytest.mark.parametrize("before", [b"", CONTINUE], ids=["first", "after 100"])
def test_a_head_may_be_64_kib_long_and_no_longer(cut: Cut, before: bytes) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    assert feed_all(reader, cut(before + filled_head(MAX_HEAD_BYTES) + b"hi"))
    with pytest.raises(HeadTooLarge):
        feed_all(reader, cut(before + filled_head(MAX_HEAD_BYTES + 1) + b"hi"))


@pytest.mark.parametrize("cut", [whole, by_kilobytes])
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(OK + b"X: ", id="a field"),
        pytest.param(OK, id="a field name"),
        pytest.param(b"HTTP/1.1 200 ", id="a reason"),
        pytest.param(CHUNKED + b"0\r\nX: ", id="a trailer"),
        pytest.param(CHUNKED + b"1;", id="a chunk extension"),
        pytest.param(CHUNKED, id="a chunk size"),
    ],
)
def test_what_never_ends_is_given_up(start: bytes, cut: Cut) -> None:
    """Memory stays bounded, whatever part of a head or trailer section goes on for ever."""
    reader = ResponseReader(LIMIT_BYTES)
    with pytest.raises(HeadTooLarge):
        feed_all(reader, cut(start + b"a" * (2 * MAX_HEAD_BYTES)))


def test_trailers_without_end_are_given_up() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    trailer = b"X: " + b"x" * 100 + b"\r\n"
    with pytest.raises(HeadTooLarge):
        feed_all(reader, [CHUNKED, b"0\r\n"] + [trailer] * (MAX_HEAD_BYTES // 100 + 1))


@either_way
def test_interim_responses_without_end_are_given_up(cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    check(reader, cut(CONTINUE * 100 + HELLO), Response(b"", body=b"hello", interim=100))
    with pytest.raises(HeadTooLarge, match="100 interim"):
        feed_all(reader, cut(CONTINUE * 101))


@either_way
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(OK + b"Content-Length: 1001\r\n\r\n", id="length, claimed"),
        pytest.param(OK + b"Content-Length: 18446744073709551615\r\n\r\n", id="length, 64 bits"),
        pytest.param(OK + b"\r\n" + b"x" * 1001, id="until close"),
        pytest.param(CHUNKED + b"3e9\r\n" + b"x" * 1001, id="chunked, one"),
        pytest.param(CHUNKED + b"64\r\n%b\r\n" % (b"x" * 100) * 11, id="chunked, many"),
    ],
)
def test_a_body_over_the_limit_is_given_up(raw: bytes, cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    with pytest.raises(BodyTooLarge):
        feed_all(reader, cut(raw))


def test_a_limit_may_be_longer_than_any_body() -> None:
    reader = ResponseReader(1 << 64)
    assert reader.feed(OK + b"Content-Length: 2\r\n\r\nhi")
    with pytest.raises(BodyTooLarge):
        reader.feed(OK + b"Content-Length: 18446744073709551615\r\n\r\nhi")


@settings(deadline=None)
@given(
    st.sampled_from(list(RESPONSES.values())), st.integers(0, 200), st.binary(max_size=8), st.sets(st.integers(1, 99))
)
def test_damage_is_malformed_or_harmless(one: Response, place: int, noise: bytes, places: set[int]) -> None:
    """Whatever a server sends, nothing but Malformed comes out, and never more body than arrived."""
    raw = one.raw[:place] + noise + one.raw[place + len(noise) :]
    reader, got = ResponseReader(LIMIT_BYTES), []
    reader.no_body = one.no_body
    try:
        for piece in cut_at(raw, places):
            if reader.feed(piece, got.append):
                break
    except Malformed:
        return
    assert reader.body_bytes == len(b"".join(got)) <= len(raw)
