from __future__ import annotations

import pytest

from loadgen.wire.http1.interim import InterimFilter

GO_ON, HINTS = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "statuses", "rest"),
    [
        (GO_ON, [100], b""),
        (b"\r\n" + HINTS + GO_ON + b"HTTP/1.1 200 OK", [103, 100], b"HTTP/1.1 200 OK"),
        (b"HTTP/1.0 100 x\n\n", [100], b""),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", [], b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        (b"no HTTP", [], b"no HTTP"),
        (b"HTTP/1.1 1x0 ?\r\n\r\n", [], b"HTTP/1.1 1x0 ?\r\n\r\n"),
        (b"HTTP/1.1 100 " + b"x" * 70_000, [], b"HTTP/1.1 100 " + b"x" * 70_000),
        (GO_ON * 101, [100] * 100, GO_ON),
    ],
)
def test_what_comes_before_a_final_response_is_taken(data: bytes, statuses: list[int], rest: bytes) -> None:
    assert InterimFilter().feed(data) == (statuses, rest)


@pytest.mark.parametrize(
    ("data", "part", "alone"),
    [
        (b"", False, False),
        (GO_ON, False, True),
        (GO_ON + b"\r\n", False, True),
        (GO_ON + HINTS[:20], True, False),
        (HINTS[:20], True, False),
    ],
)
def test_what_has_come_is_known(data: bytes, part: bool, alone: bool) -> None:
    filter_ = InterimFilter()
    filter_.feed(data)
    assert (filter_.has_part, filter_.has_only_interim) == (part, alone)


def test_fragments_give_the_same() -> None:
    found, filter_ = list[int](), InterimFilter()
    for place in range(len(HINTS + GO_ON)):
        statuses, rest = filter_.feed((HINTS + GO_ON)[place : place + 1])
        found += statuses
        assert rest == b""
    assert found == [103, 100]
    assert filter_.feed(b"HTTP/1.1 2") == ([], b"HTTP/1.1 2")
