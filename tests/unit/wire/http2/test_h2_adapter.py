"""The library h2 as the client uses it: its first frames, and the sizes of header blocks."""

from __future__ import annotations

import pytest
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import InvalidBodyLengthError, ProtocolError
from hyperframe.frame import SettingsFrame

from loadgen.wire.http2.h2_adapter import CONNECTION_WINDOW_BYTES, ClientH2Connection, code_name, error_text

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/")]
RESPONSE = [(b":status", b"200"), (b"x", b"a" * 30)]


def server_for(client: ClientH2Connection) -> H2Connection:
    """A server that has had the client's first frames, and whose own are with the client."""
    server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send())
    return server


def test_it_begins_with_the_preface_its_settings_and_its_window() -> None:
    client = ClientH2Connection(upgrades=False)
    assert client.upgrade_settings == ""
    server = server_for(client)
    assert server.remote_settings.enable_push == 0
    assert server.remote_settings.initial_window_size == 1 << 20
    assert server.outbound_flow_control_window == CONNECTION_WINDOW_BYTES


def test_an_upgrade_carries_its_settings_in_a_field() -> None:
    client = ClientH2Connection(upgrades=True)
    assert client.upgrade_settings
    assert "=" not in client.upgrade_settings  # RFC 7540 §3.2.1: base64url without padding
    assert client.data_to_send().startswith(PREFACE)


def test_it_knows_the_sizes_of_header_blocks() -> None:
    client = ClientH2Connection(upgrades=False)
    server = server_for(client)
    client.send_headers(1, GET, end_stream=True)
    frames = client.data_to_send()
    assert frames.endswith(frames[-client.sent_block_bytes :])
    assert 0 < client.sent_block_bytes < 30
    server.receive_data(frames)
    server.send_headers(1, RESPONSE)
    server.send_data(1, b"hello", end_stream=True)
    client.found.clear()
    client.receive_data(server.data_to_send())
    assert [type(one) for one in client.found] == [
        events.ResponseReceived, events.DataReceived, events.StreamEnded,
    ]  # fmt: skip
    assert len(client.sections) == 1
    assert 0 < client.sections[0] < 50


def test_events_before_a_broken_frame_are_kept() -> None:
    client = ClientH2Connection(upgrades=False)
    server_for(client)
    client.found.clear()
    good = SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 7}).serialize()
    broken = b"\0\0\x01\x04\0\0\0\0\0x"  # a SETTINGS frame of one byte
    with pytest.raises(ProtocolError):
        client.receive_data(good + broken)
    assert isinstance(client.found[0], events.RemoteSettingsChanged)


def test_texts_for_people() -> None:
    assert error_text(InvalidBodyLengthError(5, 3)) == "content-length is 5, but 3 bytes came"
    assert error_text(ProtocolError("Something broke.")) == "Something broke"
    assert error_text(ProtocolError()) == "ProtocolError"
    assert error_text(ProtocolError("Error decoding header block: an internal thing")) == "Error decoding header block"
    assert error_text(ProtocolError("Received b'x'")) == "Received 'x'"
    assert (code_name(ErrorCodes.ENHANCE_YOUR_CALM), code_name(99)) == ("ENHANCE_YOUR_CALM", "error 99")
    assert (code_name(11), code_name(None)) == ("ENHANCE_YOUR_CALM", "error None")
