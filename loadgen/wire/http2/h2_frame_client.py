"""A client's side of one HTTP/2 connection, frame by frame (RFC 9113 §6): what a server's frames say, for probes.

It judges little and hides nothing: it obeys no limit of streams, and acknowledges what has to be. Bytes in and out; no
socket, no clock. The load has protocol.py, which keeps the rules.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from hpack import HPACKError
from hyperframe.exceptions import HyperframeError
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

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import FieldLines
from loadgen.wire.http2.h2_adapter import CONNECTION_WINDOW_BYTES, code_name
from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DEFAULT_WINDOW_BYTES = 65_535  # RFC 9113 §6.9.2
LAST_STREAM_OPEN = (1 << 31) - 1
"""The last stream in a GOAWAY that another one will follow (RFC 9113 §6.8)."""
ENABLE_PUSH = int(SettingsFrame.ENABLE_PUSH)
MAX_CONCURRENT_STREAMS = int(SettingsFrame.MAX_CONCURRENT_STREAMS)
INITIAL_WINDOW_SIZE = int(SettingsFrame.INITIAL_WINDOW_SIZE)
MAX_FRAME_SIZE = int(SettingsFrame.MAX_FRAME_SIZE)
SETTING_NAMES = {
    SettingsFrame.HEADER_TABLE_SIZE: "header_table_size",
    SettingsFrame.ENABLE_PUSH: "enable_push",
    SettingsFrame.MAX_CONCURRENT_STREAMS: "max_concurrent_streams",
    SettingsFrame.INITIAL_WINDOW_SIZE: "initial_window_size",
    SettingsFrame.MAX_FRAME_SIZE: "max_frame_size",
    SettingsFrame.MAX_HEADER_LIST_SIZE: "max_header_list_size",
    SettingsFrame.ENABLE_CONNECT_PROTOCOL: "enable_connect_protocol",
}
"""The settings of RFC 9113 §6.5.2 and RFC 8441 §3, by their numbers."""
_FRAME_HEAD_BYTES = 9
_MAX_FRAME_BYTES = 16_384  # RFC 9113 §4.2, as we announce no other
_MAX_BLOCK_BYTES = 1 << 20


class GoAway(NamedTuple):
    """One GOAWAY frame (RFC 9113 §6.8)."""

    last_stream_id: int
    code: str
    """The name of its error code."""
    detail: str
    """Its debug data as text, empty for none."""

    @property
    def is_first_of_two(self) -> bool:
        """Another one will follow, which names the last stream."""
        return self.last_stream_id == LAST_STREAM_OPEN


class FrameStream:
    """One request of ours and what came for it."""

    __slots__ = ("body_bytes", "done", "reset", "status")

    def __init__(self) -> None:
        # Of the final response; 0 while there is none.
        self.status = 0
        self.body_bytes = 0
        # The server has ended the stream: with the whole response, or by a reset with this code.
        self.done = False
        self.reset = ""

    @property
    def answered(self) -> bool:
        """The whole response came."""
        return self.done and not self.reset and self.status > 0


class FrameClient:
    """`take` begins with the preface; then `request`, `ping` and `feed`. window_bytes: of each stream, for responses;
    one smaller than HTTP/2's first window is given once, and holds longer responses open.

    upgraded: the connection begins with an upgrade (RFC 7540 §3.2), whose request is stream 1.
    """

    def __init__(self, window_bytes: int = DEFAULT_WINDOW_BYTES, *, upgraded: bool = False) -> None:
        settings = {SettingsFrame.ENABLE_PUSH: 0, SettingsFrame.INITIAL_WINDOW_SIZE: window_bytes}
        frame = SettingsFrame(0, settings)
        self.upgrade_settings = base64.urlsafe_b64encode(frame.serialize_body()).decode("ascii").rstrip("=")
        """The value of HTTP2-Settings in the request for an upgrade (RFC 7540 §3.2.1)."""
        self.settings: dict[int, int] | None = None
        """What the server announced; None until it has."""
        self.acknowledged = False
        """The server has acknowledged our SETTINGS."""
        self.pongs: list[bytes] = []
        """Data of the acknowledged PINGs."""
        self.pings = 0
        """PINGs that the server sent."""
        self.goaways: list[GoAway] = []
        self.streams: dict[int, FrameStream] = {}
        self._last_id = -1
        if upgraded:
            self.streams[1] = FrameStream()
            self._last_id = 1
        self._replenishes = window_bytes >= DEFAULT_WINDOW_BYTES
        self._encoder, self._decoder = RememberingEncoder(), RememberingDecoder()
        self._incoming = b""
        # A header block that goes on in the next frame: its stream, whether it ends the stream, what has come of it.
        self._block: tuple[int, bool, bytes] | None = None
        window = WindowUpdateFrame(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES)
        self._outgoing = [PREFACE, frame.serialize(), window.serialize()]

    def take(self) -> bytes:
        """The bytes to send."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def request(self, fields: FieldLines) -> int:
        """Begin a stream with a request without content; gives its number."""
        self._last_id += 2
        self.streams[self._last_id] = FrameStream()
        block = self._encoder.encode(fields)
        first, rest = block[:_MAX_FRAME_BYTES], block[_MAX_FRAME_BYTES:]
        flags = ["END_STREAM"] if rest else ["END_STREAM", "END_HEADERS"]
        self._send(HeadersFrame(self._last_id, first, flags=flags))
        while rest:
            piece, rest = rest[:_MAX_FRAME_BYTES], rest[_MAX_FRAME_BYTES:]
            self._send(ContinuationFrame(self._last_id, piece, flags=[] if rest else ["END_HEADERS"]))
        return self._last_id

    def ping(self, data: bytes) -> None:
        """data: eight bytes."""
        self._send(PingFrame(0, data))

    def close(self) -> None:
        """Say that we are done (RFC 9113 §6.8)."""
        self._send(GoAwayFrame(0, last_stream_id=0, error_code=0))

    def feed(self, data: bytes) -> None:
        """Take bytes of the server's. Raises UpgradeFailure where they are not HTTP/2."""
        self._incoming += data
        if self.settings is None and not _may_begin_settings(self._incoming):
            raise _failure("the server's first bytes are no SETTINGS frame")
        view, start = memoryview(self._incoming), 0
        while len(view) - start >= _FRAME_HEAD_BYTES:
            try:
                frame, size_bytes = Frame.parse_frame_header(view[start : start + _FRAME_HEAD_BYTES])
                if size_bytes > _MAX_FRAME_BYTES:
                    raise _failure(f"a frame has {size_bytes:,} bytes, more than we allow")
                end = start + _FRAME_HEAD_BYTES + size_bytes
                if len(view) < end:
                    break
                frame.parse_body(view[start + _FRAME_HEAD_BYTES : end])
            except HyperframeError as error:
                raise _failure(str(error) or type(error).__name__) from None
            start = end
            self._note(frame)
        self._incoming = self._incoming[start:]

    # Inside

    def _send(self, frame: Frame) -> None:
        self._outgoing.append(frame.serialize())

    def _note(self, frame: Any) -> None:
        if isinstance(frame, SettingsFrame):
            self._note_settings(frame)
        elif isinstance(frame, PingFrame):
            if "ACK" in frame.flags:
                self.pongs.append(bytes(frame.opaque_data))
            else:
                self.pings += 1
                self._send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, GoAwayFrame):
            detail = bytes(frame.additional_data).decode("latin-1")
            self.goaways.append(GoAway(frame.last_stream_id, code_name(frame.error_code), detail))
        elif isinstance(frame, (HeadersFrame, ContinuationFrame)):
            self._note_block(frame)
        elif isinstance(frame, DataFrame):
            self._note_data(frame)
        elif isinstance(frame, RstStreamFrame):
            stream = self.streams.get(frame.stream_id)
            if stream is not None and not stream.done:
                stream.done, stream.reset = True, code_name(frame.error_code)

    def _note_settings(self, frame: SettingsFrame) -> None:
        if "ACK" in frame.flags:
            self.acknowledged = True
            return
        self.settings = (self.settings or {}) | frame.settings
        table_bytes = frame.settings.get(SettingsFrame.HEADER_TABLE_SIZE)
        if table_bytes is not None:
            self._encoder.header_table_size = min(table_bytes, 4096)
        self._send(SettingsFrame(0, flags=["ACK"]))

    def _note_block(self, frame: HeadersFrame | ContinuationFrame) -> None:
        if isinstance(frame, HeadersFrame):
            self._block = (frame.stream_id, "END_STREAM" in frame.flags, b"")
        if self._block is None or self._block[0] != frame.stream_id:
            raise _failure("a CONTINUATION frame without its HEADERS frame")
        number, ends, data = self._block
        data += frame.data
        if len(data) > _MAX_BLOCK_BYTES:
            raise _failure("a header block is longer than we allow")
        self._block = (number, ends, data)
        if "END_HEADERS" not in frame.flags:
            return
        self._block = None
        try:
            fields = self._decoder.decode(data, raw=True)
        except HPACKError as error:
            raise _failure(f"a header block can't be read: {error}") from None
        stream = self.streams.get(number)
        if stream is not None:
            status = next((value for name, value in fields if name == b":status"), b"")
            if status.isdigit() and int(status) >= 200:
                stream.status = int(status)
            stream.done = stream.done or ends

    def _note_data(self, frame: DataFrame) -> None:
        size_bytes = frame.flow_controlled_length
        stream = self.streams.get(frame.stream_id)
        if size_bytes:
            self._send(WindowUpdateFrame(0, size_bytes))
        if stream is None:
            return
        stream.body_bytes += len(frame.data)
        stream.done = stream.done or "END_STREAM" in frame.flags
        if size_bytes and self._replenishes and not stream.done:
            self._send(WindowUpdateFrame(frame.stream_id, size_bytes))


def _may_begin_settings(data: bytes) -> bool:
    """These may be the first bytes of a SETTINGS frame that is no acknowledgement (RFC 9113 §3.4)."""
    return data[3:4] in (b"", bytes((SettingsFrame.type,))) and not (len(data) > 4 and data[4] & 1)


def _failure(detail: str) -> UpgradeFailure:
    return UpgradeFailure(ErrorKind.HTTP2_PROTOCOL, detail)
