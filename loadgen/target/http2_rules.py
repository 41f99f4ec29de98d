"""What HTTP/2 lets a client send, and the settings that the target sends. Answers nothing; knows no socket.

The library h2's connection is here too, held to those rules where it is more lenient, or stricter, than they are.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionState
from h2.events import Event
from h2.exceptions import FrameTooLargeError, H2Error, ProtocolError
from h2.settings import SettingCodes, Settings
from h2.utilities import HeaderValidationFlags, validate_headers
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import SettingsFrame

from loadgen.target.requests import Request, options, request_of_fields
from loadgen.wire.http1.head import FieldLines
from loadgen.wire.http2.h2_base import BaseH2Connection
from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client's side of every HTTP/2 connection begins with (RFC 9113 §3.4)."""
MAX_HEADER_LIST_BYTES = 64 * 1024

_CONFIGURATION = H2Configuration(
    client_side=False,
    header_encoding=None,
    # The target's own fields are valid; the client's are checked below, each distinct section once.
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
)
_FRAME_HEAD_BYTES = 9
_OPENING_BYTES = len(PREFACE) + _FRAME_HEAD_BYTES
_SETTINGS_ACK = 1
_MAX_REMEMBERED = 512


class ServerH2Connection(BaseH2Connection):
    """The library's server. When `receive_data` raises, the GOAWAY that says why is ready to be sent."""

    open_after_goaway = frozenset({ConnectionState.IDLE, ConnectionState.SERVER_OPEN})

    def __init__(self) -> None:
        super().__init__(_CONFIGURATION)
        self.encoder, self.decoder = RememberingEncoder(), RememberingDecoder()
        self.decoder.max_header_list_size = MAX_HEADER_LIST_BYTES
        self._opening = b""

    def receive_data(self, data: Any) -> list[Event]:
        if len(self._opening) < _OPENING_BYTES:
            self._opening = (self._opening + data)[:_OPENING_BYTES]
            if not opens_well(self._opening):
                raise self._ended_by(ProtocolError("no preface with SETTINGS behind it"))
        found = super().receive_data(data)
        if is_too_long(self.incoming_buffer._data, self.max_inbound_frame_size):
            raise self._ended_by(FrameTooLargeError("a frame is longer than we allow"))
        return found

    def _ended_by(self, error: ProtocolError) -> ProtocolError:
        self.close_connection(error.error_code)
        return error


def opens_well(opening: bytes) -> bool:
    """The first bytes from a client are, as far as they go, the preface and a SETTINGS frame's head (RFC 9113 §3.4).

    The library takes any frame behind the preface.
    """
    head = opening[len(PREFACE) :]
    settings = len(head) < _FRAME_HEAD_BYTES or (head[3] == SettingsFrame.type and not head[4] & _SETTINGS_ACK)
    return settings and PREFACE.startswith(opening[: len(PREFACE)])


def is_too_long(begun: bytes | bytearray, max_bytes: int) -> bool:
    """A frame that is still incomplete is longer than allowed; the library would wait for all of it."""
    return len(begun) >= 3 and int.from_bytes(begun[:3], "big") > max_bytes


def server_settings(streams: int) -> Settings:
    """The target's settings, with this number of concurrent streams."""
    return Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_LIST_BYTES,
        },
    )


def client_settings(request: Request) -> bytes | None:
    """The settings that a request offers for HTTP/2 (RFC 7540 §3.2.1), as padded base64, or None.

    An upgrade takes exactly one HTTP2-Settings field, named in Connection, and settings that are valid.
    """
    values = request.values(b"http2-settings")
    if len(values) != 1 or b"http2-settings" not in options(request.fields, b"connection"):
        return None
    padded = values[0] + b"=" * (-len(values[0]) % 4)
    frame = SettingsFrame(0)
    try:
        frame.parse_body(memoryview(base64.urlsafe_b64decode(padded)))
        Settings(client=True).update(frame.settings)
    except (binascii.Error, HyperframeError, H2Error):
        return None
    return padded


@lru_cache(_MAX_REMEMBERED)
def valid_request(received: FieldLines) -> Request | None:
    """The request in a header section, or None where it is malformed (RFC 9113 §8.1.1)."""
    return request_of_fields(received) if is_valid(received, False) else None


def is_valid(received: FieldLines, is_trailer: bool) -> bool:
    """The header section, or trailer section, keeps the rules of RFC 9113 §8.2 and §8.3."""
    flags = HeaderValidationFlags(
        is_client=False, is_trailer=is_trailer, is_response_header=False, is_push_promise=False
    )
    try:
        for _ in validate_headers(received, flags):
            pass
    except ProtocolError:
        return False
    return True
