"""Bodies without their coding, in pieces and in lines, however they are cut."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO

import pytest

from loadgen.swarm.response_body import charset_of, decoded, lines, pieces

TEXT = b"hello hello hello"


@pytest.mark.parametrize(
    ("body", "coding"), [(gzip.compress(TEXT, mtime=0), "gzip"), (zlib.compress(TEXT), "deflate"), (TEXT, "none-such")]
)
def test_a_content_encoding_is_decoded_where_it_is_known(body: bytes, coding: str) -> None:
    assert decoded(body, coding) == TEXT


def test_a_body_that_is_not_of_its_coding_stays_as_it_came() -> None:
    assert decoded(TEXT, "gzip") == TEXT
    assert decoded(b"", "gzip") == b""


def test_the_charset_of_a_content_type() -> None:
    found = [charset_of(text) for text in ('text/html; charset="UTF-8"; x=y', "a/b;charset=latin-1", "a/b", "")]
    assert found == ["utf-8", "latin-1", None, None]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_the_same_however_the_body_is_cut(size: int) -> None:
    body = b"one\r\ntwo\n\nfour\r\nlast"
    assert list(lines(pieces(BytesIO(body), size))) == [b"one", b"two", b"", b"four", b"last"]
    assert list(lines(pieces(BytesIO(b"a||b|c||"), size), b"||")) == [b"a", b"b|c"]
