"""What a response's head says of its connection's end."""

from __future__ import annotations

import pytest

from loadgen.probe.announcement import Announcement, announcement
from loadgen.wire.http1.head import parse_response_head


@pytest.mark.parametrize(
    ("begin", "said"),
    [
        (b"1.1 200 OK\r\nContent-Length: 5", None),
        (b"1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", None),
        (b"1.1 200 OK\r\nConnection: close", Announcement.CLOSE),
        (b"1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close", Announcement.CLOSE),
        (b"1.0 200 OK\r\nContent-Length: 5", Announcement.HTTP10),
        (b"1.0 200 OK\r\nConnection: keep-alive", Announcement.NO_LENGTH),
        (b"1.1 200 OK", Announcement.NO_LENGTH),
        (b"1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", Announcement.FAULTY),
        (b"1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive", Announcement.FAULTY),
    ],
)
def test_what_is_said_of_the_end(begin: bytes, said: Announcement | None) -> None:
    assert announcement(parse_response_head(b"HTTP/" + begin + b"\r\n\r\n")) is said
