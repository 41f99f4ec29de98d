"""What a server speaks that answers an HTTP/1.1 request with something else, by its first bytes. Opens nothing."""

from __future__ import annotations

from typing import NamedTuple

_MAX_SHOWN_BYTES = 24
_SETTINGS_FRAME = 4


class OtherProtocol(NamedTuple):
    """What it is, and what to do."""

    name: str
    advice: str


UNKNOWN = "no HTTP: "
"""How the name of one begins whose first bytes are nothing that is known."""
_TLS = OtherProtocol("TLS", "the port speaks TLS: name the URL with https")
HTTP2_ALONE = OtherProtocol("HTTP/2 alone", "clients of HTTP/1.1, such as health checks, can't use this port")
_BEGINNINGS = (
    (b"\x15\x03", _TLS),  # an alert (RFC 8446 §5.1)
    (b"\x16\x03", _TLS),
    (b"SSH-", OtherProtocol("SSH", "name the port of the HTTP server")),
    (b"220", OtherProtocol("SMTP or FTP", "name the port of the HTTP server")),
    (b"-ERR", OtherProtocol("Redis", "name the port of the HTTP server")),
)
_TLS_REFUSALS = (
    b"HTTP request was sent to HTTPS port",
    b"plain HTTP to an SSL-enabled",
    b"HTTP request to an HTTPS server",
)
"""What nginx, Apache and Go say in a response of status 400."""


def other_protocol(data: bytes) -> OtherProtocol:
    """What these first bytes of an answer belong to."""
    for beginning, found in _BEGINNINGS:
        if data.startswith(beginning):
            return found
    # The first frame of a server is its SETTINGS, on stream 0 (RFC 9113 §3.4).
    if len(data) >= 9 and data[3] == _SETTINGS_FRAME and data[:1] == b"\0" and data[5:9] == bytes(4):
        return HTTP2_ALONE
    return OtherProtocol(f"{UNKNOWN}{shown(data)}", "name the port of an HTTP server")


def refuses_plain_http(status: int, body: bytes) -> bool:
    """A server of TLS that says in HTTP that it wants TLS."""
    return status == 400 and any(text in body for text in _TLS_REFUSALS)


def shown(data: bytes) -> str:
    """The first bytes, for people."""
    dots = "…" if len(data) > _MAX_SHOWN_BYTES else ""
    return ascii(data[:_MAX_SHOWN_BYTES])[1:] + dots
