"""Chunked bodies: whatever the fragments, the same content and trailers, and an end that is found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.head import Malformed
from tests.support.cuts import Cut, cut_at, either_way


@either_way
def test_a_chunked_body_knows_its_end(cut: Cut) -> None:
    got: list[bytes] = []
    body = ChunkedBody(got.append)
    answers = [body.feed(piece) for piece in cut(b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\nA: c\r\n\r\n")]
    assert (answers.count(True), answers[-1], body.complete) == (1, True, True)
    assert (b"".join(got), body.body_bytes, body.rest) == (b"abcde", 5, b"")
    assert body.trailers == [(b"A", b"b"), (b"A", b"c")]


@either_way
def test_a_length_in_the_trailer_section_frames_nothing(cut: Cut) -> None:
    coded = b"1\r\nx\r\n0\r\nContent-Length: 9\r\n\r\n"
    body = ChunkedBody()
    assert [body.feed(piece) for piece in cut(coded)][-1]
    assert (body.body_bytes, body.rest, body.trailers) == (1, b"", [(b"Content-Length", b"9")])
    strict = ChunkedBody(is_strict=True)
    with pytest.raises(Malformed):  # of a request: who forwards it may frame it by that
        any(strict.feed(piece) for piece in cut(coded))


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.sets(st.integers(1, 250)))
def test_any_chunks_in_any_fragments_decode_to_what_was_put_in(chunks: list[bytes], places: set[int]) -> None:
    coded = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    got: list[bytes] = []
    body = ChunkedBody(got.append)
    assert [body.feed(piece) for piece in cut_at(coded, places)][-1]
    assert b"".join(got) == b"".join(chunks)
    assert body.rest == b""
