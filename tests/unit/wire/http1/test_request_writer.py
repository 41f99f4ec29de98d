"""A request as bytes: its fields in their order, defaults that the caller replaces, lengths where they are due."""

from __future__ import annotations

import pytest

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
