"""The rules that the target holds HTTP/2 clients to: how a connection begins, and which header sections are valid."""

from __future__ import annotations

import base64

import pytest
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame, PingFrame, SettingsFrame

from loadgen.target.http2_rules import (
    PREFACE,
    ServerH2Connection,
    client_settings,
    is_too_long,
    is_valid,
    opens_well,
    server_settings,
    valid_request,
)
from loadgen.target.requests import HeadReader, Request
from tests.support.cuts import bytewise

SETTINGS = SettingsFrame(0).serialize()
GET = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/?size=3"))


def started() -> ServerH2Connection:
    connection = ServerH2Connection()
    connection.initiate_connection()
    connection.data_to_send()
    return connection


def test_a_connection_begins_with_the_preface_and_settings() -> None:
    opening = PREFACE + SETTINGS
    assert all(opens_well(opening[:size]) for size in range(len(PREFACE) + 10))
    assert not opens_well(b"GET / HTTP/1.1\r\n")
    assert not opens_well(PREFACE + PingFrame(0).serialize())
    assert not opens_well(PREFACE + SettingsFrame(0, flags=["ACK"]).serialize())


def test_anything_else_ends_it_with_goaway() -> None:
    for opening in (PREFACE + PingFrame(0).serialize(), b"GET / HTTP/1.1\r\n\r\n"):
        connection = started()
        with pytest.raises(ProtocolError, match="no preface"):
            connection.receive_data(opening)
        assert connection.data_to_send()[3] == GoAwayFrame.type


def test_an_opening_in_single_bytes() -> None:
    connection = started()
    for byte in bytewise(PREFACE + SETTINGS):
        connection.receive_data(byte)
    assert connection.data_to_send() == SettingsFrame(0, flags=["ACK"]).serialize()


@pytest.mark.parametrize(
    ("begun", "too_long"),
    [(b"", False), (b"\xff\xff", False), (b"\x00\x40\x00", False), (b"\x00\x40\x01", True)],
)
def test_a_frame_too_long_is_seen_by_its_first_bytes(begun: bytes, too_long: bool) -> None:
    assert is_too_long(begun, 16_384) is too_long
    if too_long:
        connection = started()
        connection.receive_data(PREFACE + SETTINGS)
        with pytest.raises(FrameTooLargeError):
            connection.receive_data(begun)


def test_a_clients_goaway_keeps_what_is_to_be_sent() -> None:
    connection = started()
    connection.receive_data(PREFACE + SETTINGS + GoAwayFrame(0).serialize())
    assert connection.data_to_send() == SettingsFrame(0, flags=["ACK"]).serialize()


def test_the_targets_settings() -> None:
    settings = server_settings(7)
    assert settings[SettingCodes.MAX_CONCURRENT_STREAMS] == 7


def upgrade(fields: bytes) -> Request:
    reader = HeadReader(0)
    reader.feed(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n" + fields + b"\r\n")
    request = reader.take()
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        (b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: %s\r\n", True),
        (b"Connection: Upgrade\r\nHTTP2-Settings: %s\r\n", False),
        (b"Connection: Upgrade, HTTP2-Settings\r\n", False),
        (b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: %s\r\nHTTP2-Settings: %s\r\n", False),
        (b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAAA\r\n", False),
        (b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA\r\n", False),  # half a setting
    ],
)
def test_an_upgrade_takes_one_field_of_settings(fields: bytes, valid: bool) -> None:
    offered = SettingsFrame(0, {SettingsFrame.INITIAL_WINDOW_SIZE: 70_000}).serialize_body()
    value = base64.urlsafe_b64encode(offered).rstrip(b"=")
    found = client_settings(upgrade(fields.replace(b"%s", value)))
    assert (found is not None) is valid
    if found is not None:
        assert base64.urlsafe_b64decode(found) == offered


def test_a_header_section_is_a_request() -> None:
    request = valid_request((*GET, (b"te", b"trailers"), (b"expect", b"100-continue")))
    assert request is not None
    assert (request.version, request.size_bytes, request.trailers, request.expects_continue) == ("2", 3, True, True)


@pytest.mark.parametrize(
    "fields",
    [
        GET[1:],  # no :method
        (*GET, (b":status", b"200")),
        (*GET, (b"X-Upper", b"a")),
        (*GET, (b"connection", b"close")),
        (*GET, (b"te", b"gzip")),
        ((b"x", b"y"), *GET),  # pseudo-fields come first
        (*GET, (b":path", b"/")),
    ],
)
def test_a_malformed_header_section_is_none(fields: tuple[tuple[bytes, bytes], ...]) -> None:
    assert valid_request(fields) is None


def test_trailers_have_no_pseudo_fields() -> None:
    assert is_valid(((b"x-sum", b"1"),), is_trailer=True)
    assert not is_valid(((b":path", b"/"),), is_trailer=True)
