"""What HTTP/2 lets a client send, and what we tell it of ourselves: values in, values out. Knows no connection."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache

from h2.exceptions import H2Error, ProtocolError
from h2.settings import SettingCodes, Settings
from h2.utilities import HeaderValidationFlags, validate_headers
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import SettingsFrame

from loadgen.target.requests import Fields, Request, options, request_of_fields

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client's side of every HTTP/2 connection begins with (RFC 9113 §3.4)."""
MAX_HEADER_LIST_BYTES = 64 * 1024

_MOST_REMEMBERED = 512


def server_settings(streams: int) -> Settings:
    """Our settings, with so many concurrent streams."""
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


@lru_cache(_MOST_REMEMBERED)
def valid_request(received: Fields) -> Request | None:
    """The request that a header section is, or None where it is malformed (RFC 9113 §8.1.1)."""
    return request_of_fields(received) if is_valid(received, False) else None


def is_valid(received: Fields, is_trailer: bool) -> bool:
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
