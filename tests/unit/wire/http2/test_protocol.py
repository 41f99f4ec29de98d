"""The HTTP/2 client against the library h2 as its server, fed by hand: whatever the fragments, the same streams."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.stream import HttpStream, StreamRequest
from tests.support.cuts import Cut, either_way, whole
from tests.support.http2_requests import FIELDS, FRAME, POST

LIMIT_BYTES = 8 << 20
GET = StreamRequest(FIELDS, b"", b"")
OK = [(":status", "200"), ("server", "test")]


class Server:
    """h2's side of the connection, and what the client sent."""

    def __init__(self, **values: int) -> None:
        self.h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False)
        )
        self.h2.initiate_connection()
        if values:
            self.h2.update_settings({SettingCodes[name.upper()]: value for name, value in values.items()})
        self.events: list[Any] = []
        self.bodies: dict[int, bytes] = {}

    def take(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def say(self) -> bytes:
        return self.h2.data_to_send()

    def answer(self, number: int, body: bytes = b"hello", fields: Any = OK) -> None:
        self.h2.send_headers(number, fields, end_stream=not body)
        if body:
            self.h2.send_data(number, body, end_stream=True)


def fed(client: Http2Protocol, data: bytes) -> list[HttpStream]:
    """The streams that changed; raises what the connection ended with."""
    changed = client.feed(data)
    if client.failure is not None:
        raise client.failure
    return changed


class Pair:
    """A client and its server, bytes carried by hand; cut: how those of the server's come."""

    def __init__(self, cut: Cut = whole, limit_bytes: int = LIMIT_BYTES, **values: int) -> None:
        self.client = Http2Protocol(limit_bytes)
        self.server = Server(**values)
        self.cut = cut
        self.turn()

    def start(self, request: StreamRequest = GET) -> HttpStream:
        return self.client.start(request, None)

    def turn(self) -> list[HttpStream]:
        """All that each has to say, until neither has anything more; gives the client's streams that changed."""
        changed: list[HttpStream] = []
        while True:
            said = self.client.more()
            if said:
                self.server.take(said)
            answer = self.server.say()
            for piece in self.cut(answer):
                changed += fed(self.client, piece)
            if not said and not answer:
                return changed

    def hear(self, data: bytes) -> list[HttpStream]:
        """Bytes that no library says."""
        changed: list[HttpStream] = []
        for piece in self.cut(data):
            changed += fed(self.client, piece)
        return changed


# What is the same however the bytes come


@either_way
def test_an_exchange(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    assert (stream.sent, stream.begun, stream.done) == (True, False, False)
    pair.turn()
    assert pair.server.of(RequestReceived)[0].headers == list(FIELDS)
    pair.server.answer(stream.number)
    pair.turn()
    assert (stream.begun, stream.done, stream.error, stream.body_bytes) == (True, True, None, 5)
    assert stream.head is not None
    assert (stream.head.status, stream.head.version, stream.head.persists) == (200, "2", True)
    assert stream.head.headers == ((b"server", b"test"),)
    assert pair.client.acknowledged
    assert not pair.client.ended


RESPONSES: dict[str, tuple[Any, bytes, int]] = {
    "204": ([(":status", "204")], b"", 204),
    "304 with a length": ([(":status", "304"), ("content-length", "5")], b"", 304),
    "empty, of length 0": ([(":status", "200"), ("content-length", "0")], b"", 200),
    "of a length": ([(":status", "404"), ("content-length", "5")], b"hello", 404),
    "cookies": ([(":status", "200"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"x", 200),
}


@either_way
@pytest.mark.parametrize(("fields", "body", "status"), RESPONSES.values(), ids=RESPONSES)
def test_responses(cut: Cut, fields: Any, body: bytes, status: int) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.server.answer(stream.number, body, fields)
    pair.turn()
    assert stream.head is not None
    assert (stream.done, stream.error, stream.head.status, stream.body_bytes) == (True, None, status, len(body))
    assert stream.head.sets_cookies == any(name == "set-cookie" for name, _ in fields)


@either_way
def test_head_has_no_content_whatever_its_length_says(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start(StreamRequest(((b":method", b"HEAD"), *FIELDS[1:]), b"", b""))
    pair.turn()
    pair.server.answer(stream.number, b"", [(":status", "200"), ("content-length", "5")])
    pair.turn()
    assert (stream.done, stream.error, stream.body_bytes) == (True, None, 0)


@either_way
def test_interim_responses_and_trailers(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    h2 = pair.server.h2
    for status in ("100", "103"):
        h2.send_headers(stream.number, [(":status", status), ("link", "</a>")])
        assert pair.turn() == []
    assert not stream.begun
    h2.send_headers(stream.number, OK)
    h2.send_data(stream.number, b"hello")
    pair.turn()
    assert (stream.begun, stream.done) == (True, False)
    h2.send_headers(stream.number, [("digest", "x")], end_stream=True)
    pair.turn()
    assert (stream.done, stream.error, stream.trailers) == (True, None, [(b"digest", b"x")])


@either_way
@pytest.mark.parametrize("padding", [0, 1, 255])
def test_padding_counts_as_received_but_not_as_content(cut: Cut, padding: int) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.server.h2.send_headers(stream.number, OK)
    pair.server.h2.send_data(stream.number, b"hello", end_stream=True, pad_length=padding)
    pair.turn()
    assert (stream.done, stream.body_bytes) == (True, 5)
    assert stream.bytes_received >= 9 + 5 + 9 + 1 + padding


@either_way
def test_a_head_in_many_frames(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.server.answer(stream.number, fields=[*OK, *[(f"x-{number}", "y" * 1000) for number in range(40)]])
    pair.turn()
    assert stream.head is not None
    assert (stream.done, len(stream.head.headers)) == (True, 41)


@either_way
def test_unknown_frames(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.hear(b"\0\0\3\xbe\7\0\0\0\1abc" + b"\0\0\0\xbf\0\0\0\0\0")
    pair.server.answer(stream.number)
    pair.turn()
    assert (stream.done, stream.error) == (True, None)


@either_way
def test_a_ping_is_answered(cut: Cut) -> None:
    pair = Pair(cut)
    pair.server.h2.ping(b"12345678")
    pair.turn()
    assert [event.ping_data for event in pair.server.of(PingAckReceived)] == [b"12345678"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_interleaved_streams_in_any_fragments(data: st.DataObject) -> None:
    """Each of several streams gets its own bytes, in whatever order the frames come and however they are cut."""
    pair = Pair()
    streams = [pair.start() for _ in range(data.draw(st.integers(1, 6)))]
    pair.turn()
    h2 = pair.server.h2
    bodies = [data.draw(st.lists(st.integers(0, 300), max_size=4)) for _ in streams]
    for stream in streams:
        h2.send_headers(stream.number, [*OK, ("x-number", f"{stream.number}")])
    left = [list(sizes) for sizes in bodies]
    while any(left):
        which = data.draw(st.sampled_from([at for at, sizes in enumerate(left) if sizes]))
        h2.send_data(streams[which].number, b"x" * left[which].pop())
    for stream in data.draw(st.permutations(streams)):
        h2.end_stream(stream.number)
    raw = pair.server.say()
    places = data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=12))
    done = [
        stream
        for begin, end in pairwise([0, *sorted(places), len(raw)])
        for stream in fed(pair.client, raw[begin:end])
        if stream.done
    ]
    assert {stream.number for stream in done} == {stream.number for stream in streams}
    for stream, sizes in zip(streams, bodies, strict=True):
        assert (stream.error, stream.body_bytes) == (None, sum(sizes))
        assert stream.head is not None
        assert stream.head.headers[-1] == (b"x-number", b"%d" % stream.number)
    assert pair.client.free == 100 or pair.client.free > 100


# Windows


def test_an_upload_through_small_windows() -> None:
    pair = Pair(initial_window_size=1000, max_frame_size=16_384)
    body = bytes(range(256)) * 4096
    stream = pair.start(StreamRequest(POST, body, b""))
    other = pair.start(StreamRequest(POST, b"short", b""))
    pair.server.take(pair.client.more())
    assert len(pair.server.bodies[stream.number]) <= 1000
    assert not stream.sent
    pair.turn()
    assert (stream.sent, other.sent) == (True, True)
    assert pair.server.bodies == {stream.number: body, other.number: b"short"}
    assert {event.stream_id for event in pair.server.of(StreamEnded)} == {stream.number, other.number}
    assert stream.size_bytes > len(body) + 9 * (len(body) // 1000)


def test_a_long_upload_is_no_flood() -> None:
    """Windows that are opened a little at a time take thousands of frames."""
    pair = Pair()
    stream = pair.start(StreamRequest(POST, bytes(8 << 20), b""))
    for _ in range(10_000):
        said = pair.client.more()
        for event in pair.server.h2.receive_data(said):
            if isinstance(event, DataReceived):
                for _ in range(4):
                    part = event.flow_controlled_length // 4
                    pair.server.h2.increment_flow_control_window(part)
                    if event.stream_ended is None:
                        pair.server.h2.increment_flow_control_window(part, event.stream_id)
        answer = pair.server.say()
        if not said and not answer:
            break
        fed(pair.client, answer)
    assert stream.sent


def test_an_upload_waits_for_the_connections_window() -> None:
    pair = Pair(initial_window_size=1 << 20)
    stream = pair.start(StreamRequest(POST, bytes(200_000), b""))
    sent = 0
    while said := pair.client.more():
        sent += len(said)
    assert 65_535 < sent < 67_000  # what the connection's first window lets through, and its frames' heads
    assert (stream.sent, pair.client.more()) == (False, b"")


def test_an_answer_before_the_upload_is_over_ends_that() -> None:
    pair = Pair(initial_window_size=1000)
    stream = pair.start(StreamRequest(POST, bytes(5000), b""))
    pair.server.take(pair.client.more())
    pair.server.say()  # no window is opened
    pair.server.answer(stream.number, fields=[(":status", "413")])
    fed(pair.client, pair.server.say())
    assert (stream.done, stream.error, stream.sent) == (True, None, False)
    pair.server.take(pair.client.more())
    assert [event.error_code for event in pair.server.of(StreamReset)] == [ErrorCodes.NO_ERROR]
    assert pair.client.free > 0


@pytest.mark.parametrize("streams", [1, 3])
def test_a_download_that_is_wider_than_all_windows(streams: int) -> None:
    """The client gives back what it has taken; who is done does not need its own window any more."""
    pair = Pair()
    asked = [pair.start() for _ in range(streams)]
    pair.turn()
    h2 = pair.server.h2
    left = {stream.number: 6 << 20 for stream in asked}
    for number in left:
        h2.send_headers(number, OK)
    while any(left.values()):
        before = sum(left.values())
        for number, size in left.items():
            room = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size, size)
            if room:
                left[number] -= room
                h2.send_data(number, bytes(room), end_stream=room == size)
        assert sum(left.values()) < before or pair.turn() is not None
        pair.turn()
    assert [(stream.done, stream.error, stream.body_bytes) for stream in asked] == [(True, None, 6 << 20)] * streams


def test_many_downloads_one_after_another_never_use_the_connections_window_up() -> None:
    pair = Pair()
    for _ in range(40):
        stream = pair.start()
        pair.turn()
        h2 = pair.server.h2
        h2.send_headers(stream.number, OK)
        for at in range(50):
            h2.send_data(stream.number, bytes(16_384), end_stream=at == 49)
        pair.turn()
        assert (stream.done, stream.error) == (True, None)


# Settings


def test_as_many_streams_as_the_server_says() -> None:
    client = Http2Protocol(LIMIT_BYTES)
    assert client.free == 100
    pair = Pair(max_concurrent_streams=1)
    assert pair.client.free == 1
    first = pair.start()
    assert pair.client.free == 0
    pair.turn()
    pair.server.answer(first.number)
    pair.turn()
    assert pair.client.free == 1


def test_settings_without_a_number_of_streams() -> None:
    client = Http2Protocol(LIMIT_BYTES)
    fed(client, SettingsFrame(0, {SettingsFrame.HEADER_TABLE_SIZE: 4096}).serialize())
    assert client.free > 1000
    assert not client.acknowledged
    fed(client, SettingsFrame(0, flags=["ACK"]).serialize())
    assert client.acknowledged


def test_a_smaller_header_table() -> None:
    pair = Pair(header_table_size=0)
    for _ in range(3):
        stream = pair.start()
        pair.turn()
        pair.server.answer(stream.number)
        pair.turn()
        assert stream.done
    assert [event.headers for event in pair.server.of(RequestReceived)] == [list(FIELDS)] * 3


# Ends


@either_way
def test_goaway(cut: Cut) -> None:
    """Streams above the last one named fail at once; the others are answered, and none is begun any more."""
    pair = Pair(cut)
    streams = [pair.start() for _ in range(3)]
    pair.turn()
    pair.hear(GoAwayFrame(0, streams[1].number).serialize())
    assert (pair.client.ended, pair.client.free) == (True, 0)
    assert [stream.error for stream in streams] == [None, None, ErrorKind.HTTP2_GOAWAY]
    assert "NO_ERROR" in streams[2].detail
    for stream in streams[:2]:
        pair.server.answer(stream.number)
    pair.turn()
    assert [stream.error for stream in streams] == [None, None, ErrorKind.HTTP2_GOAWAY]
    assert all(stream.done for stream in streams)


@either_way
def test_goaway_and_the_answer_at_once(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.server.answer(stream.number)
    pair.hear(GoAwayFrame(0, stream.number, 0, b"bye").serialize() + pair.server.say())
    assert (stream.done, stream.error, stream.body_bytes, pair.client.ended) == (True, None, 5, True)


@either_way
def test_two_goaways(cut: Cut) -> None:
    """A server that means to end says so with the highest number first (RFC 9113 §6.8)."""
    pair = Pair(cut)
    streams = [pair.start() for _ in range(3)]
    pair.turn()
    pair.hear(GoAwayFrame(0, (1 << 31) - 1).serialize())
    assert (pair.client.ended, [stream.error for stream in streams]) == (True, [None] * 3)
    pair.hear(GoAwayFrame(0, streams[0].number).serialize())
    assert [stream.error for stream in streams] == [None, ErrorKind.HTTP2_GOAWAY, ErrorKind.HTTP2_GOAWAY]


@either_way
def test_a_reset_ends_one_stream(cut: Cut) -> None:
    pair = Pair(cut)
    first, second = pair.start(), pair.start()
    pair.turn()
    pair.server.h2.reset_stream(first.number, ErrorCodes.CANCEL)
    pair.server.answer(second.number)
    pair.turn()
    assert (first.done, first.error, first.detail) == (
        True,
        ErrorKind.HTTP2_RESET,
        "the server reset the stream: CANCEL",
    )
    assert (second.done, second.error) == (True, None)
    assert not pair.client.ended


@either_way
def test_a_refused_stream_was_not_processed(cut: Cut) -> None:
    """RFC 9113 §8.7; but one whose response had begun was, whatever the code says."""
    pair = Pair(cut)
    first, second = pair.start(), pair.start()
    pair.turn()
    pair.server.h2.reset_stream(first.number, ErrorCodes.REFUSED_STREAM)
    pair.server.h2.send_headers(second.number, ((":status", "200"),))
    pair.server.h2.reset_stream(second.number, ErrorCodes.REFUSED_STREAM)
    pair.turn()
    assert [stream.error for stream in (first, second)] == [ErrorKind.HTTP2_REFUSED_STREAM, ErrorKind.HTTP2_RESET]
    assert not pair.client.ended


@either_way
@pytest.mark.parametrize(
    ("values", "lowered", "expected"), [({"max_concurrent_streams": 4}, 2, [0, 0, 0, 1, 2]), ({}, 1, [0, 0, 0, 1])]
)
def test_streams_wait_where_fewer_are_allowed_than_are_open(
    values: dict[str, int], lowered: int, expected: list[int], cut: Cut
) -> None:
    """SETTINGS_MAX_CONCURRENT_STREAMS lowered in flight (RFC 9113 §6.5.2)."""
    pair = Pair(cut, **values)
    streams = [pair.start() for _ in expected[1:]]
    pair.turn()
    pair.server.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: lowered})
    pair.turn()
    free = []
    for stream in streams:
        free.append(pair.client.free)
        pair.server.answer(stream.number)
        pair.turn()
    assert [*free, pair.client.free] == expected
    assert all(stream.done and stream.error is None for stream in streams)


def test_a_stream_that_is_given_up() -> None:
    """What still comes for it is taken and gives its window back."""
    pair = Pair()
    stream = pair.start()
    pair.turn()
    pair.server.h2.send_headers(stream.number, OK)
    for _ in range(4):
        pair.server.h2.send_data(stream.number, bytes(16_000))
    late = pair.server.say()
    assert pair.client.cancel(stream)
    for _ in range(3):
        assert fed(pair.client, late if _ == 0 else b"") == []
    pair.turn()
    assert [event.error_code for event in pair.server.of(StreamReset)] == [ErrorCodes.CANCEL]
    assert (stream.body_bytes, pair.client.free > 0) == (0, True)
    following = pair.start()
    pair.turn()
    pair.server.answer(following.number)
    pair.turn()
    assert following.done


def test_a_farewell_is_said_once() -> None:
    pair = Pair()
    pair.server.take(pair.client.closing_bytes())
    (goaway,) = pair.server.of(ConnectionTerminated)
    assert (goaway.error_code, goaway.last_stream_id) == (ErrorCodes.NO_ERROR, 0)
    assert pair.client.closing_bytes() == b""


# Bad servers: more of them meet the whole program in test_hostile_upgrades


BAD_SECTIONS: dict[str, list[tuple[bytes, bytes]]] = {
    "upper case": [(b":status", b"200"), (b"Server", b"x")],
    "connection": [(b":status", b"200"), (b"connection", b"close")],
    "transfer-encoding": [(b":status", b"200"), (b"transfer-encoding", b"chunked")],
    "no status": [(b"server", b"x")],
    "nothing": [],
    "two statuses": [(b":status", b"200"), (b":status", b"200")],
    "no number": [(b":status", b"2x0")],
    "status 099": [(b":status", b"099")],
    "pseudo behind regular": [(b"server", b"x"), (b":status", b"200")],
    "of a request": [(b":status", b"200"), (b":path", b"/")],
    "empty name": [(b":status", b"200"), (b"", b"x")],
    "line break": [(b":status", b"200"), (b"x", b"a\r\nb")],
    "zero": [(b":status", b"200"), (b"x", b"a\0")],
    "space around": [(b":status", b"200"), (b"x", b" a")],
}


@either_way
@pytest.mark.parametrize("fields", BAD_SECTIONS.values(), ids=BAD_SECTIONS)
def test_a_malformed_section_fails_its_stream_alone(cut: Cut, fields: list[tuple[bytes, bytes]]) -> None:
    pair = Pair(cut)
    bad, good = pair.start(), pair.start()
    pair.turn()
    block = pair.server.h2.encoder.encode(fields)
    pair.hear(HeadersFrame(bad.number, block, flags=["END_HEADERS"]).serialize())
    assert (bad.done, bad.error) == (True, ErrorKind.HTTP2_PROTOCOL)
    pair.server.answer(good.number)
    pair.turn()
    assert (good.done, good.error) == (True, None)
    assert [event.error_code for event in pair.server.of(StreamReset)] == [ErrorCodes.PROTOCOL_ERROR]


@pytest.mark.parametrize(
    "fields", [[(b":status", b"200")], [(b"Digest", b"x")], [(b"connection", b"close")], [(b"x", b"a\nb")]]
)
def test_malformed_trailers(fields: list[tuple[bytes, bytes]]) -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    pair.server.h2.send_headers(stream.number, OK)
    pair.turn()
    block = pair.server.h2.encoder.encode(fields)
    pair.hear(HeadersFrame(stream.number, block, flags=["END_HEADERS", "END_STREAM"]).serialize())
    assert (stream.done, stream.error) == (True, ErrorKind.HTTP2_PROTOCOL)


def test_a_body_over_the_limit() -> None:
    pair = Pair(limit_bytes=10)
    stream = pair.start()
    pair.turn()
    pair.server.h2.send_headers(stream.number, OK)
    pair.server.h2.send_data(stream.number, b"x" * 11)
    pair.turn()
    assert (stream.done, stream.error) == (True, ErrorKind.BODY_TOO_LARGE)
    assert [event.error_code for event in pair.server.of(StreamReset)] == [ErrorCodes.CANCEL]


def fails(pair: Pair, data: bytes) -> tuple[ErrorKind, ErrorCodes]:
    """The kind with which the connection fails, and the code that its server gets."""
    with pytest.raises(UpgradeFailure) as caught:
        pair.hear(data)
    pair.server.take(pair.client.closing_bytes())
    return caught.value.kind, pair.server.of(ConnectionTerminated)[0].error_code


@either_way
@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"hello, world", bytes(20), b"\xff" * 20])
def test_no_http2_at_all(cut: Cut, said: bytes) -> None:
    pair = Pair()
    pair.client = Http2Protocol(LIMIT_BYTES)
    pair.client.more()
    pair.cut = cut
    with pytest.raises(UpgradeFailure) as caught:
        pair.hear(said)
    assert caught.value.kind is ErrorKind.HTTP2_PROTOCOL
    frame = GoAwayFrame(0)
    frame.parse_body(memoryview(pair.client.closing_bytes()[9:]))
    assert frame.error_code == ErrorCodes.PROTOCOL_ERROR


@either_way
def test_a_frame_that_is_too_long_is_not_waited_for(cut: Cut) -> None:
    pair = Pair(cut)
    assert fails(pair, b"\0\x40\1\0\0\0\0\0\1") == (ErrorKind.HTTP2_PROTOCOL, ErrorCodes.FRAME_SIZE_ERROR)


@pytest.mark.parametrize("length", ["4", "6", "x"])
def test_a_length_that_is_not_the_contents(length: str) -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    block = pair.server.h2.encoder.encode([(":status", "200"), ("content-length", length)])
    head = HeadersFrame(stream.number, block, flags=["END_HEADERS"]).serialize()
    body = DataFrame(stream.number, b"hello", flags=["END_STREAM"]).serialize()
    assert fails(pair, head + body) == (ErrorKind.HTTP2_PROTOCOL, ErrorCodes.PROTOCOL_ERROR)


FLOODS = {
    "settings": SettingsFrame(0, {SettingsFrame.MAX_CONCURRENT_STREAMS: 100}).serialize() * 2500,
    "pings": b"\0\0\x08\6\0\0\0\0\0abcdefgh" * 2500,
    "acknowledgements": b"\0\0\x08\6\1\0\0\0\0abcdefgh" * 2500,
    "windows": b"\0\0\4\x08\0\0\0\0\0\0\0\0\1" * 2500,
    "unknown frames": b"\0\0\0\xbe\0\0\0\0\0" * 2500,
    "priorities": b"\0\0\5\2\0\0\0\0\1\0\0\0\0\1" * 2500,
    "goaways": GoAwayFrame(0, (1 << 31) - 1).serialize() * 2500,
    "empty data": b"\0\0\1\1\4\0\0\0\1\x88" + DataFrame(1).serialize() * 2500,
    "interim responses": HeadersFrame(1, b"\x08\x03103", flags=["END_HEADERS"]).serialize() * 2500,
}


@pytest.mark.parametrize("said", FLOODS.values(), ids=FLOODS)
def test_floods(said: bytes) -> None:
    pair = Pair()
    pair.start()
    pair.turn()
    assert fails(pair, said) == (ErrorKind.HTTP2_FLOOD, ErrorCodes.ENHANCE_YOUR_CALM)


def test_a_head_without_end() -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    frames = [HeadersFrame(stream.number, b"\x88"), *[ContinuationFrame(stream.number, b"\0\1x\1y")] * 100]
    data = b"".join(frame.serialize() for frame in frames)
    assert fails(pair, data) == (ErrorKind.HTTP2_PROTOCOL, ErrorCodes.PROTOCOL_ERROR)


def test_a_connection_that_is_busy_is_no_flood() -> None:
    """What comes between responses does not add up over a connection's life."""
    pair = Pair()
    for _ in range(3):
        for number in range(1000):
            pair.server.h2.ping(number.to_bytes(8, "big"))
        stream = pair.start()
        pair.turn()
        pair.server.answer(stream.number)
        pair.turn()
        assert stream.done


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_garbage_fails_in_order(data: bytes, greets: bool) -> None:
    """Nothing but the failures that the connection knows is raised, whatever comes."""
    pair = Pair()
    pair.start()
    if not greets:
        pair.client = Http2Protocol(LIMIT_BYTES)
        pair.client.start(GET, None)
    with suppress(UpgradeFailure):
        for stream in fed(pair.client, data):
            assert stream.begun or stream.done
    pair.client.closing_bytes()


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAME, max_size=12))
def test_any_frames_in_any_order_fail_in_order(frames: list[bytes]) -> None:
    pair = Pair()
    streams = [pair.start(), pair.start(StreamRequest(POST, bytes(100_000), b""))]
    pair.turn()
    with suppress(UpgradeFailure):
        for frame in frames:
            fed(pair.client, frame)
            pair.client.more()
    for stream in streams:
        assert (stream.error is None) or stream.done
    pair.client.closing_bytes()


# After an upgrade (RFC 7540 §3.2)


@either_way
def test_stream_1_went_with_the_upgrade(cut: Cut) -> None:
    client = Http2Protocol(LIMIT_BYTES, upgrades=True)
    server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    server.initiate_upgrade_connection(client.upgrade_settings.encode())
    stream = client.adopt(StreamRequest(FIELDS, b"", b"", bytes(100)), "owner")
    assert (stream.number, stream.sent, stream.size_bytes, stream.owner) == (1, True, 100, "owner")
    following = client.start(GET, None)
    assert following.number == 3
    server.receive_data(client.more())
    for number in (1, 3):
        server.send_headers(number, OK)
        server.send_data(number, b"hello", end_stream=True)
    for piece in cut(server.data_to_send()):
        fed(client, piece)
    assert [(one.done, one.error, one.body_bytes) for one in (stream, following)] == [(True, None, 5)] * 2


# What the library leaves to us


def test_a_goaway_takes_nothing_of_what_is_to_be_sent() -> None:
    pair = Pair()
    pair.start()
    pair.turn()
    stream = pair.start()
    pair.server.h2.ping(b"12345678")
    fed(pair.client, pair.server.say() + GoAwayFrame(0, (1 << 31) - 1).serialize())
    assert not stream.done
    pair.server.take(pair.client.more())
    assert [event.stream_id for event in pair.server.of(RequestReceived)] == [1, 3]
    assert len(pair.server.of(PingAckReceived)) == 1
    pair.server.answer(3)
    pair.turn()
    assert (stream.done, stream.error) == (True, None)


@either_way
@pytest.mark.parametrize("trailers", [False, True])
@pytest.mark.parametrize(
    ("fields", "status", "said", "error"),
    [
        (FIELDS, "200", "5", ErrorKind.HTTP2_PROTOCOL),
        (FIELDS, "200", "0", None),
        (FIELDS, "304", "5", None),
        (((b":method", b"HEAD"), *FIELDS[1:]), "200", "5", None),
    ],
)
def test_content_that_was_promised_and_never_came(
    cut: Cut, fields: Any, status: str, said: str, error: ErrorKind | None, trailers: bool
) -> None:
    pair = Pair(cut)
    stream = pair.start(StreamRequest(fields, b"", b""))
    pair.turn()
    encoder = pair.server.h2.encoder
    frames = [HeadersFrame(1, encoder.encode([(":status", status), ("content-length", said)]), flags=["END_HEADERS"])]
    if trailers:
        frames.append(HeadersFrame(1, encoder.encode([("x-sum", "1")]), flags=["END_HEADERS"]))
    frames[-1].flags.add("END_STREAM")
    pair.hear(b"".join(frame.serialize() for frame in frames))
    assert (stream.done, stream.error) == (True, error)
    assert (error is None) == (stream.detail == "")


def test_a_stream_that_the_library_resets() -> None:
    """A window that overflows is the server's fault, not its reset."""
    pair = Pair()
    stream = pair.start(StreamRequest(POST, bytes(100_000), b""))
    pair.turn()
    pair.hear(WindowUpdateFrame(1, (1 << 31) - 1).serialize())
    assert (stream.error, stream.detail) == (ErrorKind.HTTP2_PROTOCOL, "the stream had to be reset: FLOW_CONTROL_ERROR")


@either_way
def test_each_streams_bytes_are_its_own(cut: Cut) -> None:
    """However many responses come at once; interim responses count too."""
    pair = Pair(cut)
    streams = [pair.start() for _ in range(3)]
    pair.turn()
    sizes = {}
    for stream, length in zip(streams, (1, 100, 1000), strict=True):
        before = len(pair.server.h2._data_to_send)
        pair.server.h2.send_headers(stream.number, [(":status", "103"), ("x-early", "y" * length)])
        pair.server.h2.send_headers(stream.number, [*OK, ("x-late", "z" * length)])
        pair.server.h2.send_data(stream.number, bytes(length))
        pair.server.h2.send_headers(stream.number, [("x-sum", "s" * length)], end_stream=True)
        sizes[stream.number] = len(pair.server.h2._data_to_send) - before
    pair.turn()
    assert {stream.number: stream.bytes_received for stream in streams} == sizes


def test_streams_that_are_over_take_little_memory() -> None:
    """And what was on its way for one that was given up is still no error."""
    pair = Pair()
    given_up = None
    for number in range(3000):
        stream = pair.start()
        if number == 2500:
            given_up = stream
            pair.turn()
            pair.server.h2.send_headers(stream.number, OK)
            late = pair.server.say()
            pair.client.cancel(stream)
            continue
        pair.turn()
        pair.server.answer(stream.number)
        pair.turn()
        assert stream.done
    assert given_up is not None
    assert fed(pair.client, late) == []
    h2 = pair.client._h2
    assert len(h2.streams) + len(h2._closed_streams) < 1100


# Codes of connection errors that the library would not find, or calls otherwise

BLOCKS = {"index of nothing": b"\x80", "beyond the table": b"\xbe", "cut": b"\0\x0aab"}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_that_cannot_be_decoded(block: bytes) -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    frame = HeadersFrame(stream.number, b"\x88" + block, flags=["END_HEADERS"]).serialize()
    assert fails(pair, frame) == (ErrorKind.HTTP2_PROTOCOL, ErrorCodes.COMPRESSION_ERROR)


def test_a_block_of_more_than_we_take() -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    frame = HeadersFrame(stream.number, b"\x88" + b"\0\1x\1y" * 3_000, flags=["END_HEADERS"]).serialize()
    assert fails(pair, frame) == (ErrorKind.HEAD_TOO_LARGE, ErrorCodes.ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("ahead", [1, 2])
@pytest.mark.parametrize("kind", [HeadersFrame, RstStreamFrame])
def test_frames_on_streams_that_were_never_begun(kind: type[Frame], ahead: int) -> None:
    pair = Pair()
    stream = pair.start()
    pair.turn()
    frame = kind(stream.number + ahead)
    if isinstance(frame, HeadersFrame):
        frame.data = b"\x88"
        frame.flags.add("END_HEADERS")
    assert fails(pair, frame.serialize()) == (ErrorKind.HTTP2_PROTOCOL, ErrorCodes.PROTOCOL_ERROR)


def test_an_acknowledgement_that_is_not_empty() -> None:
    pair = Pair()
    assert fails(pair, b"\0\0\6\4\1\0\0\0\0\0\1\0\0\0\0") == (
        ErrorKind.HTTP2_PROTOCOL, ErrorCodes.FRAME_SIZE_ERROR,
    )  # fmt: skip


@either_way
def test_http2_has_no_101(cut: Cut) -> None:
    pair = Pair(cut)
    stream = pair.start()
    pair.turn()
    pair.server.h2.send_headers(stream.number, [(":status", "101")])
    pair.turn()
    assert (stream.done, stream.error) == (True, ErrorKind.HTTP2_PROTOCOL)
    assert [event.error_code for event in pair.server.of(StreamReset)] == [ErrorCodes.PROTOCOL_ERROR]


def test_settings_that_were_never_acknowledged_are_why_it_ends() -> None:
    pair = Pair()
    pair.client.settings_timeout()
    pair.server.take(pair.client.closing_bytes())
    (goaway,) = pair.server.of(ConnectionTerminated)
    assert goaway.error_code == ErrorCodes.SETTINGS_TIMEOUT
