"""Frames of HTTP/2 and field blocks of HPACK as bytes, right or wrong (RFC 9113 §4 and §6, RFC 7541). Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ALTSVC, UNKNOWN = 10, 0xBE
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, HAS_PRIORITY, ODD_FLAG = 0x4, 0x8, 0x20, 0x40
WHOLE = END_HEADERS | END_STREAM
LAST_ID = (1 << 31) - 1
CODES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
OK = b"\x88"
"""The field block `:status: 200`."""


@dataclass(frozen=True)
class Frame:
    """One frame. Unless `stream` is given it is on the stream of the present request, plus `ahead`."""

    kind: int
    payload: bytes = b""
    flags: int = 0
    stream: int | None = None
    ahead: int = 0
    is_reserved: bool = False
    """The reserved bit before the stream's number is set."""
    says_bytes: int | None = None
    """The length that the frame's head says, if that is not the payload's."""

    def on(self, stream: int) -> bytes:
        """The frame's bytes; stream: that of the present request."""
        number = stream + self.ahead if self.stream is None else self.stream
        size = len(self.payload) if self.says_bytes is None else self.says_bytes
        number |= self.is_reserved << 31
        return size.to_bytes(3, "big") + bytes((self.kind, self.flags)) + number.to_bytes(4, "big") + self.payload

    def setting(self, identifier: int) -> int | None:
        """The last value that a SETTINGS frame gives this identifier."""
        pairs = [self.payload[at : at + 6] for at in range(0, len(self.payload) - 5, 6)]
        values = [pair[2:] for pair in pairs if int.from_bytes(pair[:2], "big") == identifier]
        return int.from_bytes(values[-1], "big") if values else None


def number(value: int) -> bytes:
    """Four bytes."""
    return value.to_bytes(4, "big")


def settings(*values: tuple[int, int], flags: int = 0, stream: int = 0) -> Frame:
    """SETTINGS with these identifiers and values (RFC 9113 §6.5.2)."""
    payload = b"".join(identifier.to_bytes(2, "big") + number(value) for identifier, value in values)
    return Frame(SETTINGS, payload, flags, stream)


TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, WINDOW_SIZE, FRAME_SIZE, LIST_SIZE, ENABLE_CONNECT = (1, 2, 3, 4, 5, 6, 8)
SETTINGS_ACK = settings(flags=ACK)


def goaway(last: int, code: int = 0, debug: bytes = b"", stream: int = 0) -> Frame:
    return Frame(GOAWAY, number(last) + number(code) + debug, stream=stream)


def window_update(increment: int, stream: int | None = None) -> Frame:
    return Frame(WINDOW_UPDATE, number(increment), stream=stream)


def rst_stream(code: int, stream: int | None = None, ahead: int = 0) -> Frame:
    return Frame(RST_STREAM, number(code), stream=stream, ahead=ahead)


def headers(block: bytes = OK, flags: int = END_HEADERS, stream: int | None = None, ahead: int = 0) -> Frame:
    return Frame(HEADERS, block, flags, stream, ahead)


def data(payload: bytes = b"hello", flags: int = END_STREAM, stream: int | None = None, ahead: int = 0) -> Frame:
    return Frame(DATA, payload, flags, stream, ahead)


def fields(*pairs: tuple[str, str]) -> bytes:
    """A field block: literals without indexing, without Huffman's code (RFC 7541 §6.2.2)."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in pairs)


def status(code: str, *pairs: tuple[str, str]) -> bytes:
    """A response's field block."""
    return fields((":status", code), *pairs)


def _text(value: str) -> bytes:
    raw = value.encode("latin-1")
    assert len(raw) < 127, "longer ones take another form"
    return bytes((len(raw),)) + raw
