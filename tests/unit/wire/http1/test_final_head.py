"""The final head of a response, whole, byte by byte, and with more behind it; interim responses are passed over."""

from __future__ import annotations

import pytest

from loadgen.wire.http1.final_head import FinalHead, FinalHeadReader, TooManyInterim, head_end, status_text
from loadgen.wire.http1.head import MAX_HEAD_BYTES, HeadTooLarge, Malformed, ResponseHead, parse_response_head
from tests.support.cuts import Cut, either_way

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"


def read(reader: FinalHeadReader, pieces: list[bytes]) -> FinalHead:
    """Feed pieces until there is a head; the rest of them is joined to what followed it."""
    for number, piece in enumerate(pieces):
        found = reader.feed(piece)
        if found is not None:
            return found._replace(rest=found.rest + b"".join(pieces[number + 1 :]))
    raise AssertionError("no head")


@either_way
@pytest.mark.parametrize(("before", "interim"), [(b"", 0), (HINTS, 1), (HINTS + CONTINUE + HINTS, 3)])
@pytest.mark.parametrize(("final", "status"), [(OK, 200), (SWITCH, 101)])
def test_the_final_head_and_what_follows_it(cut: Cut, before: bytes, interim: int, final: bytes, status: int) -> None:
    reader = FinalHeadReader()
    found = read(reader, cut(before + final + b"hello"))
    assert (found.head.status, found.raw, found.rest, found.interim) == (status, final, b"hello", interim)
    assert not reader.begun
    # Nothing of it is kept for the next one.
    assert read(reader, cut(OK)).interim == 0


@either_way
def test_a_response_has_begun_with_its_first_byte(cut: Cut) -> None:
    reader = FinalHeadReader()
    assert reader.feed(b"") is None
    assert not reader.begun
    for piece in cut(HINTS + OK[:-1]):
        assert reader.feed(piece) is None
        assert reader.begun
    assert reader.feed(OK[-1:]) is not None


@pytest.mark.parametrize(
    ("data", "alone"), [(b"", False), (HINTS, True), (HINTS + CONTINUE + b"\r\n", True), (HINTS + OK[:5], False)]
)
def test_interim_responses_alone_are_known(data: bytes, alone: bool) -> None:
    reader = FinalHeadReader()
    reader.feed(data)
    assert reader.has_only_interim is alone


@either_way
def test_a_hundred_interim_responses_are_enough(cut: Cut) -> None:
    reader = FinalHeadReader()
    assert read(reader, cut(CONTINUE * 100 + OK)).interim == 100
    with pytest.raises(TooManyInterim, match="more than 100 interim responses"):
        read(reader, cut(CONTINUE * 101 + OK))


def test_a_head_is_parsed_in_the_callers_way() -> None:
    seen: list[bytes] = []

    def parse(raw: bytes) -> ResponseHead:
        seen.append(raw)
        return parse_response_head(raw)

    assert FinalHeadReader(parse).feed(HINTS + OK) is not None
    assert seen == [HINTS, OK]


@either_way
@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n", b"\x00\x00\x00", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_response_is_refused(cut: Cut, data: bytes) -> None:
    reader = FinalHeadReader()
    with pytest.raises(Malformed):
        read(reader, cut(data))


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_an_endless_head_is_refused(end: bytes) -> None:
    with pytest.raises(HeadTooLarge, match=f"longer than {MAX_HEAD_BYTES} bytes"):
        head_end(b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_HEAD_BYTES + end)


def test_a_status_is_fit_to_be_shown() -> None:
    assert status_text(b"HTTP/1.1 403 no\nX: y\n\n") == "403 no"
    assert status_text(b"HTTP/1.1 403 \x1b[31mred\xff\r\nX: y\r\n\r\n") == "403 ?[31mred\xff"
    assert len(status_text(b"HTTP/1.1 403 " + b"a" * 1000 + b"\r\n\r\n")) == 60
