"""What a user agent may accept is read and noted, and what it must refuse names its rule; whatever the fragments."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.leniency import Leniency
from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.final_head import FinalHeadReader
from loadgen.wire.http1.head import MAX_HEAD_BYTES
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.http1.malformed import HeadTooLarge, Malformed
from loadgen.wire.http1.response_reader import ResponseReader
from tests.support.cuts import Cut, bytewise, cut_at, either_way

L = Leniency
LIMIT_BYTES = 1000
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"
HELLO = OK + LENGTH + b"\r\nhello"
CODED = b"Transfer-Encoding: chunked\r\n"
CHUNKED = OK + CODED + b"\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

# Each response has the body `hello`.
ACCEPTED: dict[str, tuple[bytes, int]] = {
    "a fold": (OK + LENGTH + b"X: a\r\n b\r\n\r\nhello", L.OBS_FOLD),
    "a fold of the length": (OK + b"Content-Length:\r\n\t5\r\n\r\nhello", L.OBS_FOLD),
    "a fold of blanks": (OK + LENGTH + b"X: a\r\n  \r\n\r\nhello", L.OBS_FOLD),
    "a fold in a trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", L.OBS_FOLD),
    "LF": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", L.BARE_LF),
    "LF, empty lines in the body": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\n\r\n\r\nx", L.BARE_LF),
    "LF after the status line": (b"HTTP/1.1 200 OK\n" + LENGTH + b"\r\nhello", L.BARE_LF),
    "LF after the last field": (OK + b"Content-Length: 5\n\r\nhello", L.BARE_LF),
    "LF as the empty line": (OK + LENGTH + b"\nhello", L.BARE_LF),
    "LF in an interim head": (b"HTTP/1.1 100 Continue\n\n" + HELLO, L.BARE_LF),
    "LF in a chunked head": (b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + CHUNKS, L.BARE_LF),
    "LF in a trailer section": (CHUNKED + b"5\r\nhello\r\n0\r\nX: a\n\n", L.BARE_LF),
    "two lengths": (OK + LENGTH + LENGTH + b"\r\nhello", L.REPEATED_CONTENT_LENGTH),
    "two lengths in one line": (OK + b"Content-Length: 5, 05\r\n\r\nhello", L.REPEATED_CONTENT_LENGTH),
    "length, then chunked": (OK + b"Content-Length: 9\r\n" + CODED + b"\r\n" + CHUNKS, L.LENGTH_WITH_CHUNKED),
    "chunked, then length": (OK + CODED + b"Content-Length: 1\r\n\r\n" + CHUNKS, L.LENGTH_WITH_CHUNKED),
    "identity and length": (OK + LENGTH + b"Transfer-Encoding: identity\r\n\r\nhello", L.IDENTITY_CODING),
    "a space behind a chunk size": (CHUNKED + b"5 \r\nhello\r\n0\t\r\n\r\n", L.CHUNK_BLANKS),
    "blanks in an extension": (CHUNKED + b'5 ; a = "x;y z" ; b\r\nhello\r\n0\r\n\r\n', L.CHUNK_BLANKS),
    "a blank behind an extension": (CHUNKED + b"5;a \r\nhello\r\n0\r\n\r\n", L.CHUNK_BLANKS),
    "a control character": (OK + LENGTH + b"X: a\x01b\x7f\r\n\r\nhello", L.CONTROL_CHARACTER),
    "a control character in a trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nX: a\x0b\r\n\r\n", L.CONTROL_CHARACTER),
    "an empty line before": (b"\r\n" + HELLO, L.EMPTY_LINE),
    "LF before": (b"\n" + HELLO, L.EMPTY_LINE),
    "many empty lines before": (b"\r\n\n\r\n" + CHUNKED + CHUNKS, L.EMPTY_LINE),
    "an empty line after 1xx": (b"HTTP/1.1 100 Continue\r\n\r\n\r\n" + HELLO, L.EMPTY_LINE),
    "blanks in the status line": (b"HTTP/1.1\t200  OK\r\n" + LENGTH + b"\r\nhello", L.STATUS_LINE_BLANKS),
    "version 1.2": (b"HTTP/1.2 200 OK\r\n" + LENGTH + b"\r\nhello", L.MINOR_VERSION),
    "several at once": (
        b"\nHTTP/1.1 200 OK\nX: a\n b\n" + LENGTH + LENGTH + CODED + b"\n5 \r\nhello\r\n0\r\n\r\n",
        L.EMPTY_LINE | L.BARE_LF | L.OBS_FOLD | L.REPEATED_CONTENT_LENGTH | L.LENGTH_WITH_CHUNKED | L.CHUNK_BLANKS,
    ),
}
# In order, though it looks odd: none of these has a note.
PLAIN = {
    "quoted blanks": CHUNKED + b'5;a="b \\" c"\r\nhello\r\n0;x=y\r\n\r\n',
    "leading zeros": CHUNKED + b"0" * 100 + b"5\r\nhello\r\n000\r\n\r\n",
    "length with zeros": OK + b"Content-Length: 0005 \r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\nhello",
}
REFUSED = {
    "a CR in a field": (OK + b"X: a\rb\r\n\r\n", "a CR stands without LF (RFC 9112 §2.2)"),
    "two CR before LF": (OK + b"X: a\r\r\n\r\n", "a CR stands without LF (RFC 9112 §2.2)"),
    "CR as line ends": (b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello", "a CR stands without LF (RFC 9112 §2.2)"),
    "a CR in a trailer": (CHUNKED + b"0\r\nX: a\rb", "a CR stands without LF (RFC 9112 §2.2)"),
    "a blank first": (OK + b" X: a\r\n\r\n", "a blank stands before the first field (RFC 9112 §2.2)"),
    "NUL in a field": (OK + b"X: a\0\r\n\r\n", "the field b'X' has the control character b'\\x00' (RFC 9110 §5.5)"),
    "VT in a deciding field": (OK + b"Connection: close\v\r\n\r\n", "b'Connection' has the control character b'\\x0b'"),
    "NUL in the reason": (b"HTTP/1.1 200 O\0K\r\n", "has a control character (RFC 9112 §4)"),
    "VT in the reason": (b"HTTP/1.1 200 O\vK\r\n", "has a control character (RFC 9112 §4)"),
    "no status": (b"HTTP/1.1 OK\r\n", "the status line is b'HTTP/1.1 OK' (RFC 9112 §4)"),
    "a low status": (b"HTTP/1.1 099 OK\r\n", "the status code is 099 (RFC 9110 §15)"),
    "no colon": (OK + b"abc\r\n\r\n", "a field line has no colon: b'abc' (RFC 9112 §5)"),
    "a blank before the colon": (OK + b"X : a\r\n\r\n", "between the field name b'X ' and its colon (RFC 9112 §5.1)"),
    "no field name": (OK + b": a\r\n\r\n", "a field name is b'' (RFC 9110 §5.1)"),
    "two other lengths": (
        OK + LENGTH + b"Content-Length: 6\r\n\r\n",
        "two different Content-Length values, 5 and 6 (RFC 9112 §6.3)",
    ),
    "LF behind a chunk size": (CHUNKED + b"5\n", "the line of a chunk ends with LF alone: b'5' (RFC 9112 §7.1)"),
    "LF behind a chunk": (CHUNKED + b"1\r\nx\n", "no CR LF follows a chunk of the size that it names, but b''"),
    "a longer chunk": (CHUNKED + b"1\r\nxy", "no CR LF follows a chunk of the size that it names, but b'y"),
    "an odd size": (CHUNKED + b"0x5", "the chunk size is b'0x"),
    "no extension name": (CHUNKED + b"5;\r\n", "the chunk size is b'5;' (RFC 9112 §7.1)"),
    "an open quote": (CHUNKED + b'5;a="b\r\n', "the chunk size is b'5;a=\"b' (RFC 9112 §7.1)"),
    "garbage after 1xx": (b"HTTP/1.1 100 a\r\n\r\nabc\r\n\r\n", "behind an interim response"),
    "101": (b"HTTP/1.1 101 x\r\n\r\n", "101 Switching Protocols, which was not asked for (RFC 9110 §15.2.2)"),
}  # fmt: skip
every_accepted = pytest.mark.parametrize(("raw", "notes"), ACCEPTED.values(), ids=ACCEPTED.keys())


def read(reader: ResponseReader, pieces: list[bytes]) -> bytes:
    """The body of one response that `pieces` are all of."""
    got: list[bytes] = []
    answers = [reader.feed(piece, got.append) for piece in pieces]
    assert answers == [False] * (len(pieces) - 1) + [True]
    return b"".join(got)


@either_way
@every_accepted
def test_a_deviation_is_accepted_and_noted(raw: bytes, notes: int, cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES, HeadMemory())
    for _ in range(2):  # such a head is never learned, so the second one is noted too
        assert len(read(reader, cut(raw))) == 5
        assert (reader.notes, reader.body_bytes, reader.has_extra_bytes) == (notes, 5, False)
    assert reader.persists is not bool(notes & (L.LENGTH_WITH_CHUNKED | L.IDENTITY_CODING))
    assert read(reader, [HELLO]) == b"hello"
    assert reader.notes == 0


@every_accepted
def test_a_deviation_is_noted_wherever_the_bytes_are_cut(raw: bytes, notes: int) -> None:
    for place in range(1, len(raw)):
        reader = ResponseReader(LIMIT_BYTES)
        read(reader, cut_at(raw, {place}))
        assert (reader.notes, reader.body_bytes) == (notes, 5)


@every_accepted
def test_what_follows_is_the_next_response(raw: bytes, notes: int) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    reader.pipelined = True
    assert reader.feed(raw + b"\r\n" + HELLO)
    assert (reader.rest, reader.notes) == (HELLO, notes | L.EMPTY_LINE)
    assert reader.feed(reader.rest)
    assert (reader.rest, reader.notes) == (b"", 0)


@either_way
@pytest.mark.parametrize("raw", PLAIN.values(), ids=PLAIN.keys())
def test_what_is_in_order_has_no_note(raw: bytes, cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    assert read(reader, cut(raw)) == b"hello"
    assert reader.notes == 0


@either_way
@pytest.mark.parametrize(("raw", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_must_be_refused_names_its_rule_at_once(raw: bytes, message: str, cut: Cut) -> None:
    reader = ResponseReader(LIMIT_BYTES)
    with pytest.raises(Malformed, match=re.escape(message)):
        any(reader.feed(piece) for piece in cut(raw))


NOISE = (
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\x01",
    b":",
    b";",
    b",",
    b"5",
    LENGTH,
    CODED,
    b"HTTP/1.1 100\r\n\r\n",
)


def outcome(pieces: list[bytes]) -> tuple[object, ...]:
    """All that is known of a response that `pieces` may be, and more; or how it is refused."""
    reader, got = ResponseReader(LIMIT_BYTES), []
    try:
        complete = any(reader.feed(piece, got.append) for piece in pieces)
    except Malformed as error:
        return (type(error),)
    # Where the bytes behind it come in another read, an empty line there is no note of this response.
    return complete, reader.head, b"".join(got), reader.trailers, reader.notes & ~L.EMPTY_LINE, reader.begun


@settings(deadline=None)
@given(
    st.sampled_from([raw for raw, _ in (*ACCEPTED.values(), *REFUSED.values())]),
    st.lists(st.tuples(st.integers(0, 150), st.sampled_from(NOISE), st.integers(0, 2)), max_size=3),
    st.sets(st.integers(1, 150), max_size=4),
)
def test_fragments_change_nothing_whatever_comes(
    raw: bytes, damage: list[tuple[int, bytes, int]], places: set[int]
) -> None:
    for place, noise, dropped in damage:
        raw = raw[:place] + noise + raw[place + dropped :]
    assert outcome([raw]) == outcome(bytewise(raw)) == outcome(cut_at(raw, places))


# Empty lines between responses


@pytest.mark.parametrize("line", [b"\r\n", b"\n", b"\r\n\r\n"], ids=["CRLF", "LF", "two"])
@pytest.mark.parametrize(
    "raw", [HELLO, CHUNKED + CHUNKS, b"HTTP/1.1 204 No Content\r\n\r\n"], ids=["5", "chunked", "204"]
)
def test_an_empty_line_behind_a_response_is_no_part_of_it(raw: bytes, line: bytes) -> None:
    """In the same read it is a note of that response; alone, of the next one."""
    reader = ResponseReader(LIMIT_BYTES, HeadMemory())
    assert reader.feed(raw + line)
    assert (reader.has_extra_bytes, reader.extra, reader.persists) == (False, b"", True)
    assert reader.notes == L.EMPTY_LINE
    assert reader.feed(raw)
    assert reader.notes == 0
    assert reader.skip_empty_lines(line) == b""
    assert not reader.begun
    assert reader.feed_buffer(bytearray(raw), len(raw))
    assert reader.notes == L.EMPTY_LINE
    assert reader.feed_buffer(bytearray(raw), len(raw))
    assert reader.notes == 0


def test_empty_lines_without_end_belong_to_nothing() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    lines = b"\r\n" * (MAX_HEAD_BYTES // 4)
    assert [reader.skip_empty_lines(lines) for _ in range(3)] == [b"", b"", lines]
    with pytest.raises(Malformed):
        reader.feed(lines)
    with pytest.raises(HeadTooLarge, match="empty lines"):
        FinalHeadReader().feed(lines * 3)


# What else is distinguished


def test_fields_are_read_as_the_rules_say() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    assert reader.feed(OK + b"X: a\r\n  b \r\n\tc\r\nY:\r\n d\r\nZ: e\x01f\r\nContent-Length: 0\r\n\r\n")
    assert reader.head is not None
    assert reader.head.headers == ((b"X", b"a b c"), (b"Y", b"d"), (b"Z", b"e f"), (b"Content-Length", b"0"))
    trailers = ChunkedBody()
    assert trailers.feed(b"0\r\nX: a\r\n b\nY: c \r\n\r\n")
    assert trailers.trailers == [(b"X", b"a b"), (b"Y", b"c")]


def test_a_length_with_chunks_ends_the_connection_even_after_head() -> None:
    reader = ResponseReader(LIMIT_BYTES)
    reader.no_body = True
    assert reader.feed(OK + LENGTH + CODED + b"\r\n")
    assert (reader.persists, reader.notes) == (False, L.LENGTH_WITH_CHUNKED)


@pytest.mark.parametrize(
    ("start", "part"),
    [(b"1;a", "line of a chunk"), (b"0\r\nX: ", "trailer section"), (b"0\r\n" + b"X: y\r\n" * 9999, "trailer section")],
)
def test_what_is_too_long_is_called_by_its_name(start: bytes, part: str) -> None:
    with pytest.raises(HeadTooLarge, match=f"the {part} is longer than {MAX_HEAD_BYTES} bytes"):
        ChunkedBody().feed(start + b"a" * MAX_HEAD_BYTES)


@pytest.mark.parametrize("coded", [b"1 \r\nx\r\n0\r\n\r\n", b"0\r\nX: a\n\r\n", b"0\r\nX: a\r\n b\r\n\r\n"])
def test_a_request_has_no_leniency(coded: bytes) -> None:
    with pytest.raises(Malformed, match="to the letter"):
        ChunkedBody(is_strict=True).feed(coded)


def test_every_leniency_is_among_the_accepted() -> None:
    assert {one for _, notes in ACCEPTED.values() for one in L if notes & one} == set(L)
