"""A stream's exchange as numbers, and HTTP/1.1 behind the same interface where a server declined HTTP/2."""

from __future__ import annotations

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.stream import HttpStream, StreamExchange, StreamRequest
from tests.support.cuts import Cut, either_way

PLAIN = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n"
REQUEST = StreamRequest(((b":method", b"GET"), (b":path", b"/")), b"", PLAIN, UPGRADE)
CLOSING = StreamRequest(REQUEST.fields, b"", PLAIN, UPGRADE, closes=True)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


@pytest.mark.parametrize(
    ("sent_ns", "first_ns", "phases"),
    [
        (110, 130, (10, 20, 70)),
        (110, ABSENT, (10, 90, ABSENT)),  # given up, or closed, while it waited
        (ABSENT, ABSENT, (100, ABSENT, ABSENT)),  # while it was being sent
        (ABSENT, 130, (30, ABSENT, 70)),  # answered before all of it was sent
        (150, 130, (30, ABSENT, 70)),
    ],
)
def test_phases_tile_the_time_since_it_began(sent_ns: int, first_ns: int, phases: tuple[int, int, int]) -> None:
    exchange = StreamExchange(0, REQUEST, 90, False, begun_ns=100, sent_ns=sent_ns, first_ns=first_ns)
    assert exchange.phases_ns(200) == phases
    assert sum(max(0, phase) for phase in phases) == 100


@pytest.mark.parametrize(
    ("sent_ns", "first_ns", "own_ns", "phases"),
    [
        (150, 160, 40, (10, 10, 40)),
        (ABSENT, ABSENT, 40, (60, ABSENT, ABSENT)),
        (150, 130, 40, (0, ABSENT, 60)),  # answered before: by the end of the whole connection
    ],
)
def test_making_frames_is_own_work_and_in_no_phase(
    sent_ns: int, first_ns: int, own_ns: int, phases: tuple[int, int, int]
) -> None:
    exchange = StreamExchange(0, REQUEST, 90, False, begun_ns=100, written_ns=140, sent_ns=sent_ns, first_ns=first_ns)
    assert (exchange.own_ns(200), exchange.phases_ns(200)) == (own_ns, phases)
    assert own_ns + sum(max(0, phase) for phase in phases) == 100


def test_one_that_ended_before_it_was_sent_has_no_own_work_beyond_its_end() -> None:
    exchange = StreamExchange(0, REQUEST, 90, False, begun_ns=100, written_ns=140)
    assert (exchange.own_ns(120), exchange.phases_ns(120)) == (20, (0, ABSENT, ABSENT))


@pytest.mark.parametrize(("method", "head_only"), [(b"HEAD", True), (b"GET", False)])
def test_a_response_to_head_has_no_content(method: bytes, head_only: bool) -> None:
    assert StreamRequest(((b":method", method),), b"", b"").head_only is head_only


def test_a_failed_stream_is_done() -> None:
    stream = HttpStream(1, None)
    stream.fail(ErrorKind.HTTP2_RESET, "why")
    assert (stream.done, stream.error, stream.detail) == (True, ErrorKind.HTTP2_RESET, "why")


# HTTP/1.1 behind it


def streams() -> Http1FallbackStreams:
    return Http1FallbackStreams(ResponseReader(100))


def feed(mine: Http1FallbackStreams, pieces: list[bytes]) -> list[HttpStream]:
    return [stream for piece in pieces for stream in mine.feed(piece)]


@either_way
def test_one_at_a_time(cut: Cut) -> None:
    mine = streams()
    assert mine.free == 1
    first = mine.start(REQUEST, "owner")
    assert (mine.more(), mine.more(), mine.free) == (PLAIN, b"", 0)
    assert (first.sent, first.size_bytes, first.owner) == (True, len(PLAIN), "owner")
    assert feed(mine, cut(RESPONSE))[-1] is first
    assert (first.begun, first.done, first.error, first.body_bytes) == (True, True, None, 5)
    assert first.bytes_received == len(RESPONSE)
    assert first.head is not None
    assert (first.head.status, mine.free, mine.ended) == (200, 1, False)
    assert mine.start(REQUEST, None).number == 2


def test_an_interim_response_does_not_begin_the_final_one() -> None:
    mine = streams()
    stream = mine.start(REQUEST, None)
    mine.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert (stream.begun, mine.finish()) == (False, [])
    mine.feed(RESPONSE[:9])
    assert (stream.begun, stream.done) == (True, False)
    mine.feed(RESPONSE[9:])
    assert stream.done


@pytest.mark.parametrize("response", [LAST, RESPONSE + b"x"])
def test_a_connection_that_can_not_be_reused_has_ended(response: bytes) -> None:
    mine = streams()
    stream = mine.start(REQUEST, None)
    mine.feed(response)
    assert (stream.done, mine.ended, mine.free) == (True, True, 0)


def test_a_close_may_complete_a_response() -> None:
    mine = streams()
    assert mine.finish() == []
    stream = mine.start(REQUEST, None)
    assert mine.finish() == []  # nothing has come of it
    mine.feed(UNTIL_CLOSE)
    assert not stream.done
    assert mine.finish() == [stream]
    assert (stream.done, stream.body_bytes) == (True, 5)


def test_the_request_of_an_upgrade_was_sent_before() -> None:
    mine = streams()
    stream = mine.adopt(REQUEST, None)
    assert (mine.more(), stream.size_bytes) == (b"", len(UPGRADE))


def test_it_remembers_a_request_that_asks_for_a_close() -> None:
    mine = streams()
    mine.start(REQUEST, None)
    assert not mine.requested_close
    mine.feed(RESPONSE)
    mine.start(CLOSING, None)
    assert mine.requested_close


def test_an_empty_line_between_two_responses_is_no_response() -> None:
    mine = streams()
    stream = mine.start(REQUEST, None)
    assert mine.feed(b"\r\n") == []
    assert not stream.begun
    assert mine.feed(RESPONSE) == [stream]
    assert mine.feed(b"\r\n") == []
    assert not mine.ended


def test_bytes_without_a_request_and_what_it_can_not_do() -> None:
    mine = streams()
    with pytest.raises(Malformed, match="without a request"):
        mine.feed(RESPONSE)
    assert not mine.cancel(mine.start(REQUEST, None))
    assert mine.closing_bytes() == b""
