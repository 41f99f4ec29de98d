"""HTTP/2 frame by frame: what a server's frames say, whole, byte by byte and with errors."""

from __future__ import annotations

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http2.h2_frame_client import MAX_CONCURRENT_STREAMS, PREFACE, FrameClient

FIELDS = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/"))
SETTINGS = SettingsFrame(0, {MAX_CONCURRENT_STREAMS: 7})
ACK = SettingsFrame(0, flags=["ACK"])


def block(*fields: tuple[str, str]) -> bytes:
    return Encoder().encode(fields or ((":status", "200"),), huffman=False)


def frames_of(data: bytes) -> list[Frame]:
    found = []
    while data:
        frame, size = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + size]))
        found.append(frame)
        data = data[9 + size :]
    return found


def told(*frames: Frame, requests: int = 1, upgraded: bool = False) -> FrameClient:
    """A client that has sent requests, and got these frames; byte by byte it makes the same of them."""
    whole, bytewise = (FrameClient(upgraded=upgraded) for _ in range(2))
    data = b"".join(frame.serialize() for frame in frames)
    for client, pieces in ((whole, [data]), (bytewise, [bytes((one,)) for one in data])):
        for _ in range(requests):
            client.request(FIELDS)
        client.take()
        for piece in pieces:
            client.feed(piece)
    sent = whole.take()
    assert (sent, whole.goaways, whole.pongs) == (bytewise.take(), bytewise.goaways, bytewise.pongs)
    assert [one.answered for one in whole.streams.values()] == [one.answered for one in bytewise.streams.values()]
    whole.feed(b"")
    whole._outgoing.append(sent)
    return whole


def test_it_begins_with_preface_settings_and_window() -> None:
    client = FrameClient(window_bytes=1)
    assert client.request(FIELDS) == 1
    data = client.take()
    assert data.startswith(PREFACE)
    settings, window, request = frames_of(data[len(PREFACE) :])
    assert isinstance(settings, SettingsFrame)
    assert settings.settings == {SettingsFrame.ENABLE_PUSH: 0, SettingsFrame.INITIAL_WINDOW_SIZE: 1}
    assert isinstance(window, WindowUpdateFrame)
    assert (request.stream_id, set(request.flags)) == (1, {"END_STREAM", "END_HEADERS"})
    assert client.request(FIELDS) == 3


def test_settings_pings_and_their_acknowledgements() -> None:
    client = told(SETTINGS, ACK, PingFrame(0, b"question"), PingFrame(0, b"response", flags=["ACK"]))
    assert client.settings == {MAX_CONCURRENT_STREAMS: 7}
    assert client.acknowledged
    assert (client.pings, client.pongs) == (1, [b"response"])
    acknowledged, pong = frames_of(client.take())
    assert (acknowledged.type, set(acknowledged.flags)) == (SettingsFrame.type, {"ACK"})
    assert isinstance(pong, PingFrame)
    assert (pong.opaque_data, set(pong.flags)) == (b"question", {"ACK"})


def test_responses_refusals_and_goaways() -> None:
    fields = block((":status", "103")), block((":status", "404"), ("x", "y"))
    client = told(
        SETTINGS,
        HeadersFrame(1, fields[0], flags=["END_HEADERS"]),
        HeadersFrame(1, fields[1][:3]),
        ContinuationFrame(1, fields[1][3:], flags=["END_HEADERS"]),
        DataFrame(1, b"hello", flags=["END_STREAM"]),
        RstStreamFrame(3, error_code=7),
        GoAwayFrame(0, last_stream_id=3, error_code=11, additional_data=b"calm"),
        GoAwayFrame(0, last_stream_id=1, error_code=99),
        requests=3,
    )
    first, second, third = client.streams.values()
    assert (first.status, first.body_bytes, first.answered) == (404, 5, True)
    assert (second.reset, second.done, second.answered) == ("REFUSED_STREAM", True, False)
    assert (third.status, third.done) == (0, False)
    assert client.goaways == [(3, "ENHANCE_YOUR_CALM", "calm"), (1, "error 99", "")]


def test_windows_are_opened_again_as_bodies_come() -> None:
    client = told(SETTINGS, HeadersFrame(1, block(), flags=["END_HEADERS"]), DataFrame(1, b"x" * 900))
    updates = [frame for frame in frames_of(client.take()) if isinstance(frame, WindowUpdateFrame)]
    assert [(one.stream_id, one.window_increment) for one in updates] == [(0, 900), (1, 900)]


def test_a_small_window_is_given_once() -> None:
    client = FrameClient(window_bytes=1)
    client.request(FIELDS)
    client.feed(b"".join(one.serialize() for one in (SETTINGS, HeadersFrame(1, block(), flags=["END_HEADERS"]))))
    client.take()
    client.feed(DataFrame(1, b"x").serialize())
    updates = [frame for frame in frames_of(client.take()) if isinstance(frame, WindowUpdateFrame)]
    assert [one.stream_id for one in updates] == [0]


def test_after_an_upgrade_the_first_stream_is_the_request_s() -> None:
    client = told(SETTINGS, HeadersFrame(1, block(), flags=["END_HEADERS", "END_STREAM"]), upgraded=True)
    assert list(client.streams) == [1, 3]
    assert client.streams[1].answered
    assert FrameClient(window_bytes=1, upgraded=True).upgrade_settings == "AAIAAAAAAAQAAAAB"


def test_a_long_field_section_goes_on_in_a_second_frame() -> None:
    client = FrameClient()
    client.take()
    client.request((*FIELDS, (b"x", b"x" * 20_000)))
    first, second = frames_of(client.take())
    assert (first.type, set(first.flags)) == (HeadersFrame.type, {"END_STREAM"})
    assert (second.type, set(second.flags)) == (ContinuationFrame.type, {"END_HEADERS"})


WRONG = {
    "no SETTINGS frame": b"HTTP/1.1 400 Bad Request\r\n",
    "no SETTINGS": ACK.serialize(),
    "without its HEADERS": SETTINGS.serialize() + ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize(),
    "can't be read": SETTINGS.serialize() + HeadersFrame(1, b"\xff\xff", flags=["END_HEADERS"]).serialize(),
    "more than we allow": SETTINGS.serialize() + b"\x00\x40\x01\x00\x00\x00\x00\x00\x01",
    "SETTINGS": SETTINGS.serialize() + b"\x00\x00\x05\x04\x00\x00\x00\x00\x00hello",
}


@pytest.mark.parametrize(("message", "data"), WRONG.items(), ids=WRONG)
def test_what_is_no_http2(message: str, data: bytes) -> None:
    with pytest.raises(UpgradeFailure, match=message):
        FrameClient().feed(data)
