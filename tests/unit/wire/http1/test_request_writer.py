"""A request as bytes: its fields in their order, defaults that the caller replaces, lengths where they are due."""

from __future__ import annotations

import pytest

from loadgen.model.body_transfer import BodyTransfer
from loadgen.wire.http1.head import CHUNKED
from loadgen.wire.http1.request_reader import RequestReader
from loadgen.wire.http1.request_writer import build_request

DEFAULTS = b"Host: h\r\nUser-Agent: loadgen\r\nAccept: */*\r\n"


@pytest.mark.parametrize(
    ("method", "headers", "body", "connection", "expected"),
    [
        ("GET", (), b"", "close", b"GET /p?q HTTP/1.1\r\n" + DEFAULTS + b"Connection: close\r\n\r\n"),
        ("HEAD", (), b"", "keep-alive", b"HEAD /p?q HTTP/1.1\r\n" + DEFAULTS + b"Connection: keep-alive\r\n\r\n"),
        (
            "POST", (), b"\0\xff", "close",
            b"POST /p?q HTTP/1.1\r\n" + DEFAULTS + b"Content-Length: 2\r\nConnection: close\r\n\r\n\0\xff",
        ),
        (
            "PUT", (), b"", "close",
            b"PUT /p?q HTTP/1.1\r\n" + DEFAULTS + b"Content-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        (
            "GET", (("X", "a"), ("x", "é"), ("ACCEPT", "text/html"), ("host", "other")), b"", "close",
            b"GET /p?q HTTP/1.1\r\nUser-Agent: loadgen\r\nX: a\r\nx: \xe9\r\nACCEPT: text/html\r\nhost: other\r\n"
            b"Connection: close\r\n\r\n",
        ),
        (
            "DELETE", (), b"x", "close",
            b"DELETE /p?q HTTP/1.1\r\n" + DEFAULTS + b"Content-Length: 1\r\nConnection: close\r\n\r\nx",
        ),
    ],
)  # fmt: skip
def test_a_request_is_written(
    method: str, headers: tuple[tuple[str, str], ...], body: bytes, connection: str, expected: bytes
) -> None:
    raw = build_request(method, "/p?q", "h", headers, body, connection)
    assert raw == expected
    reader = RequestReader(1000)
    reader.feed(raw)
    head = reader.next_request()
    assert head is not None
    assert (head.method, head.path, head.framing) == (method.encode(), b"/p?q", len(body))
    assert head.persists is (connection != "close")


@pytest.mark.parametrize(
    ("body", "size", "expected"),
    [
        (b"hello", None, b"5\r\nhello\r\n0\r\n\r\n"),
        (b"hello world", 5, b"5\r\nhello\r\n5\r\n worl\r\n1\r\nd\r\n0\r\n\r\n"),
        (b"x" * 32, 16, b"10\r\n%b\r\n10\r\n%b\r\n0\r\n\r\n" % (b"x" * 16, b"x" * 16)),
        (b"", None, b"0\r\n\r\n"),
    ],
)
def test_a_body_goes_in_chunks(body: bytes, size: int | None, expected: bytes) -> None:
    raw = build_request("PUT", "/", "h", (), body, "keep-alive", transfer=BodyTransfer(chunked=True, chunk_bytes=size))
    head, _, sent = raw.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head  # RFC 9112 §6.2
    assert sent == expected
    reader = RequestReader(1000)
    reader.feed(raw)
    found = reader.next_request()
    assert found is not None
    assert found.framing == CHUNKED
    assert reader.next_request() is None
