"""Bytes without a request: which of them say that the server ends the connection."""

from __future__ import annotations

import pytest

from loadgen.wire.http1.unasked import unasked_status

LINE = b"HTTP/1.1 408 Request Timeout\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (LINE + b"Connection: close\r\n\r\n", 408),
        (LINE, 408),
        (b"\r\n" + LINE, 408),
        (b"HTTP/1.0 503\r\n", 503),
        (b"HTTP/1.1 429 ", 429),
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (b"HTTP/2 408 ", None),
        (b"HTTP/1.1 4080 ", None),
        (b"\r\n", None),
        (b"", None),
        (b"\0", None),
    ],
)
def test_the_status(data: bytes, status: int | None) -> None:
    assert unasked_status(data) == status


def test_a_status_line_that_has_come_in_part() -> None:
    line_end = LINE.index(b"408 ") + 3
    assert {unasked_status(LINE[:size]) for size in range(1, line_end + 1)} == {0}
    assert unasked_status(LINE[: line_end + 1]) == 408
