"""A client's side of one HTTP/2 connection (RFC 9113), by the library h2. Bytes in and out; no socket, no clock.

h2 keeps the protocol's state, checks frames and counts windows; this module turns its events into streams. It also
checks field sections, once for each distinct one: the library would check them for each response.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any

from h2 import events
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, ProtocolError
from hyperframe.frame import SettingsFrame

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.upload import Content
from loadgen.wire.http2.fields import check_content, check_trailers, stream_head
from loadgen.wire.http2.h2_adapter import CONNECTION_WINDOW_BYTES, ClientH2Connection, code_name, error_text
from loadgen.wire.http2.stream import HeldStream, HttpStream, StreamRequest

_FRAME_HEAD_BYTES = 9
_MAX_OUT_BYTES = 64 * 1024
# Until the server's SETTINGS say how many it allows; RFC 9113 §6.5.2 advises servers to allow at least these.
_STREAMS_BEFORE_SETTINGS = 100
# Frames between two responses that are no part of a response (RFC 9113 §10.5).
_MAX_IDLE_FRAMES = 2_000
_SWITCHES = (b":status", b"101")
_CONTINUES = (b":status", b"100")
_IDLE_EVENTS = {
    events.RemoteSettingsChanged, events.SettingsAcknowledged, events.PingReceived, events.PingAckReceived,
    events.WindowUpdated, events.PriorityUpdated, events.UnknownFrameReceived, events.InformationalResponseReceived,
    events.AlternativeServiceAvailable,
}  # fmt: skip


class Http2Protocol:
    """Streams (see wire/http2/stream.py) of one connection; `more` begins with the preface.

    keeps_bodies: streams have the bodies of their responses.
    upgrades: the connection begins with an upgrade (RFC 7540 §3.2). Then `upgrade_settings` is the value of its
    request's HTTP2-Settings field, and `adopt` takes the place of the first `start`.
    """

    __slots__ = (
        "_closing_code", "_first", "_h2", "_idle_frames", "_keeps_bodies", "_limit_bytes", "_max_streams", "_open",
        "_unacknowledged_bytes", "_uploads", "acknowledged", "ended", "failure", "upgrade_settings",
    )  # fmt: skip
    requested_close = False

    def __init__(self, max_body_bytes: int, upgrades: bool = False, keeps_bodies: bool = False) -> None:
        self._limit_bytes = max_body_bytes
        self._keeps_bodies = keeps_bodies
        # Streams by number whose response is not complete; and bodies that are not sent in full, with what is.
        self._open: dict[int, HttpStream] = {}
        self._uploads: deque[tuple[HttpStream, Content, int]] = deque()
        # Frames since the last response that are no part of one.
        self._idle_frames = 0
        # Bytes received on streams that are over, which the connection's window still lacks.
        self._unacknowledged_bytes = 0
        # Concurrent streams that the server allows.
        self._max_streams = _STREAMS_BEFORE_SETTINGS
        # The first bytes from the server, until they show that a SETTINGS frame begins.
        self._first = b""
        self._closing_code = ErrorCodes.NO_ERROR
        # See StreamProtocol.
        self.ended = self.acknowledged = False
        self.failure: UpgradeFailure | None = None
        self._h2 = ClientH2Connection(upgrades)
        self.upgrade_settings = self._h2.upgrade_settings

    @property
    def free(self) -> int:
        if self.ended or self.failure is not None:
            return 0
        return max(0, self._max_streams - len(self._open))

    def adopt(self, request: StreamRequest, owner: Any) -> HttpStream:
        """Stream 1, whose request went with the upgrade."""
        stream = self._open[1] = HttpStream(1, owner, request.head_only)
        stream.sent = True
        stream.size_bytes = len(request.upgrade)
        return stream

    def start(self, request: StreamRequest, owner: Any) -> HttpStream:
        connection, body = self._h2, request.body
        try:
            number = connection.get_next_available_stream_id()
            connection.send_headers(number, request.fields, end_stream=len(body) == 0)
        except ProtocolError as error:  # after two billion requests
            raise UpgradeFailure(ErrorKind.HTTP2_PROTOCOL, str(error)) from None
        stream: HttpStream
        if request.expects:
            stream = HeldStream(number, owner, body, request.head_only)
        else:
            stream = HttpStream(number, owner, request.head_only)
            if len(body):
                self._uploads.append((stream, body, 0))
            else:
                stream.sent = True
        stream.size_bytes = connection.sent_block_bytes + _FRAME_HEAD_BYTES
        self._open[number] = stream
        return stream

    def release(self, stream: HeldStream) -> None:
        body, stream.held = stream.held, None
        if body is not None and not stream.done:
            self._uploads.append((stream, body, 0))

    def more(self) -> bytes:
        connection = self._h2
        for _ in range(len(self._uploads)):
            if len(connection._data_to_send) >= _MAX_OUT_BYTES:
                break
            stream, body, sent_bytes = self._uploads.popleft()
            if not stream.done:
                sent_bytes = self._upload(stream, body, sent_bytes)
                if not stream.sent:
                    self._uploads.append((stream, body, sent_bytes))
        data: bytes = connection.data_to_send()
        return data

    def feed(self, data: bytes) -> list[HttpStream]:
        connection = self._h2
        connection.found = found = list[events.Event]()
        try:
            if len(self._first) < _FRAME_HEAD_BYTES:
                self._check_preface(data)
            connection.receive_data(data)
            self._check_next()
        except DenialOfServiceError as error:
            self.failure = UpgradeFailure(ErrorKind.HEAD_TOO_LARGE, error_text(error))
        except (ProtocolError, ValueError) as error:
            self.failure = UpgradeFailure(ErrorKind.HTTP2_PROTOCOL, error_text(error))
        except UpgradeFailure as error:
            self.failure = error
        changed: list[HttpStream] = []
        for event in found:
            kind = type(event)
            handle = _HANDLERS.get(kind)
            if handle is not None:
                handle(self, event, changed)
            if kind in _IDLE_EVENTS:
                self._idle_frames += 1
        if self._idle_frames > _MAX_IDLE_FRAMES and self.failure is None:
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            detail = f"more than {_MAX_IDLE_FRAMES:,} frames without a response among them"
            self.failure = UpgradeFailure(ErrorKind.HTTP2_FLOOD, detail)
        return changed

    def finish(self) -> list[HttpStream]:
        return []

    def cancel(self, stream: HttpStream) -> bool:
        self._reset(stream, ErrorCodes.CANCEL)
        return True

    def settings_timeout(self) -> None:
        self._closing_code = ErrorCodes.SETTINGS_TIMEOUT

    def closing_bytes(self) -> bytes:
        """GOAWAY (RFC 9113 §6.8): without an error, or with the one that the library has found."""
        connection = self._h2
        if connection.state_machine.state is not ConnectionState.CLOSED:
            connection.close_connection(self._closing_code)
        data: bytes = connection.data_to_send()
        return data

    # Inside

    def _check_preface(self, data: bytes) -> None:
        """A server's first frame has to be its SETTINGS (RFC 9113 §3.4); the library takes any."""
        first = self._first = (self._first + data)[:_FRAME_HEAD_BYTES]
        if first.startswith(b"HTTP/"):
            detail = "the server answers in HTTP/1.x; in clear it takes an upgrade (h2c) to ask it first"
        elif len(first) == _FRAME_HEAD_BYTES and (first[3] != SettingsFrame.type or first[4] & 1):
            detail = "the server's first bytes are no SETTINGS frame; does this port speak HTTP/2?"
        else:
            return
        self._h2.close_connection(ErrorCodes.PROTOCOL_ERROR)
        raise UpgradeFailure(ErrorKind.HTTP2_PROTOCOL, detail)

    def _check_next(self) -> None:
        """Check the length of a frame that is still incomplete; the library would wait for all of it."""
        begun = self._h2.incoming_buffer._data[:3]
        whole = len(self._first) == _FRAME_HEAD_BYTES and len(begun) == 3
        if whole and int.from_bytes(begun, "big") > self._h2.max_inbound_frame_size:
            self._h2.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
            raise UpgradeFailure(ErrorKind.HTTP2_PROTOCOL, "a frame is longer than we allow")

    def _upload(self, stream: HttpStream, body: Content, sent_bytes: int) -> int:
        """Send what the windows allow; returns how much is sent by now. May raise the Failure of a body's file."""
        connection, number = self._h2, stream.number
        room = min(connection.local_flow_control_window(number), _MAX_OUT_BYTES)
        size_bytes = len(body)
        while room > 0 and sent_bytes < size_bytes:
            end = min(size_bytes, sent_bytes + min(room, connection.max_outbound_frame_size))
            piece = body[sent_bytes:end]
            sent_bytes = end
            connection.send_data(number, piece, end_stream=end == size_bytes)
            stream.size_bytes += len(piece) + _FRAME_HEAD_BYTES
            room -= len(piece)
            # Opening the windows for it took frames, on the stream and on the connection: these are not idle.
            self._idle_frames = max(0, self._idle_frames - 2 - len(piece) // 1024)
        stream.sent = sent_bytes == size_bytes
        return sent_bytes

    def _on_response(self, event: events.ResponseReceived, changed: list[HttpStream]) -> None:
        size_bytes = self._h2.sections.popleft() + _FRAME_HEAD_BYTES
        stream = self._open.get(event.stream_id)
        if stream is not None:
            stream.begun = True
            stream.bytes_received += size_bytes
            changed.append(stream)
            try:
                stream.head = stream_head(tuple(event.headers))
            except Malformed as error:
                self._give_up(stream, ErrorKind.HTTP2_PROTOCOL, str(error), ErrorCodes.PROTOCOL_ERROR)

    def _on_interim(self, event: events.InformationalResponseReceived, changed: list[HttpStream]) -> None:
        size_bytes = self._h2.sections.popleft() + _FRAME_HEAD_BYTES
        stream = self._open.get(event.stream_id)
        if stream is not None:
            stream.bytes_received += size_bytes
            if _SWITCHES in event.headers:
                changed.append(stream)
                detail = "the response's :status is 101, which HTTP/2 does not have (RFC 9113 §8.6)"
                self._give_up(stream, ErrorKind.HTTP2_PROTOCOL, detail, ErrorCodes.PROTOCOL_ERROR)
            elif isinstance(stream, HeldStream) and _CONTINUES in event.headers:
                stream.continued = True
                changed.append(stream)

    def _on_trailers(self, event: events.TrailersReceived, changed: list[HttpStream]) -> None:
        size_bytes = self._h2.sections.popleft() + _FRAME_HEAD_BYTES
        stream = self._open.get(event.stream_id)
        if stream is not None:
            stream.bytes_received += size_bytes
            stream.trailers = list(event.headers)
            try:
                check_trailers(tuple(event.headers))
            except Malformed as error:
                changed.append(stream)
                self._give_up(stream, ErrorKind.HTTP2_PROTOCOL, str(error), ErrorCodes.PROTOCOL_ERROR)

    def _on_data(self, event: events.DataReceived, changed: list[HttpStream]) -> None:
        stream = self._open.get(event.stream_id)
        size_bytes = event.flow_controlled_length
        if not size_bytes:
            self._idle_frames += 1
        if self.failure is not None:
            pass  # the connection is closed: nothing can be acknowledged now
        elif event.stream_ended is None and stream is not None:
            self._h2.acknowledge_received_data(size_bytes, event.stream_id)
        else:  # its own window is no longer needed, and the connection's is wide
            self._unacknowledged_bytes += size_bytes
            if self._unacknowledged_bytes > CONNECTION_WINDOW_BYTES // 4:
                self._h2.acknowledge_received_data(self._unacknowledged_bytes, event.stream_id)
                self._unacknowledged_bytes = 0
        if stream is None:
            return
        stream.bytes_received += size_bytes + _FRAME_HEAD_BYTES
        stream.body_bytes += len(event.data)
        if self._keeps_bodies:
            stream.body = stream.body or []
            stream.body.append(event.data)
        if stream.body_bytes > self._limit_bytes:
            changed.append(stream)
            detail = f"the body is longer than {self._limit_bytes} bytes"
            self._give_up(stream, ErrorKind.BODY_TOO_LARGE, detail, ErrorCodes.CANCEL)

    def _on_end(self, event: events.StreamEnded, changed: list[HttpStream]) -> None:
        stream = self._open.pop(event.stream_id, None)
        if stream is not None:
            self._idle_frames = 0
            stream.done = True
            changed.append(stream)
            if not stream.body_bytes and not stream.head_only and stream.head is not None:
                try:
                    check_content(stream.head)  # the library checks it only where a DATA frame ends the stream
                except Malformed as error:
                    stream.fail(ErrorKind.HTTP2_PROTOCOL, str(error))
            if not stream.sent:  # answered before all of the request was sent: the rest is not needed
                self._reset(stream, ErrorCodes.NO_ERROR)

    def _on_reset(self, event: events.StreamReset, changed: list[HttpStream]) -> None:
        stream = self._open.pop(event.stream_id, None)
        self._idle_frames = self._idle_frames + 1 if stream is None else 0
        if stream is not None:
            if event.error_code == ErrorCodes.REFUSED_STREAM and event.remote_reset and not stream.begun:
                stream.fail(ErrorKind.HTTP2_REFUSED_STREAM, "the server refused the stream")
            elif event.remote_reset:
                stream.fail(ErrorKind.HTTP2_RESET, f"the server reset the stream: {code_name(event.error_code)}")
            else:  # the library found that the server broke the rules
                stream.fail(ErrorKind.HTTP2_PROTOCOL, f"the stream had to be reset: {code_name(event.error_code)}")
            changed.append(stream)

    def _on_goaway(self, event: events.ConnectionTerminated, changed: list[HttpStream]) -> None:
        self.ended = True
        self._idle_frames += 1
        last = event.last_stream_id or 0
        for number in [number for number in self._open if number > last]:
            stream = self._open.pop(number)
            stream.fail(ErrorKind.HTTP2_GOAWAY, f"the server ended the connection: {code_name(event.error_code)}")
            changed.append(stream)

    def _on_settings(self, _event: events.RemoteSettingsChanged, _changed: list[HttpStream]) -> None:
        self._max_streams = int(self._h2.remote_settings.max_concurrent_streams)

    def _on_acknowledged(self, _event: events.SettingsAcknowledged, _changed: list[HttpStream]) -> None:
        self.acknowledged = True

    def _give_up(self, stream: HttpStream, kind: ErrorKind, detail: str, code: ErrorCodes) -> None:
        stream.fail(kind, detail)
        self._reset(stream, code)

    def _reset(self, stream: HttpStream, code: ErrorCodes) -> None:
        self._open.pop(stream.number, None)
        stream.done = True
        with suppress(ProtocolError):  # both sides have closed it meanwhile
            self._h2.reset_stream(stream.number, code)


_HANDLERS: dict[type, Any] = {
    events.ResponseReceived: Http2Protocol._on_response,
    events.InformationalResponseReceived: Http2Protocol._on_interim,
    events.TrailersReceived: Http2Protocol._on_trailers,
    events.DataReceived: Http2Protocol._on_data,
    events.StreamEnded: Http2Protocol._on_end,
    events.StreamReset: Http2Protocol._on_reset,
    events.ConnectionTerminated: Http2Protocol._on_goaway,
    events.RemoteSettingsChanged: Http2Protocol._on_settings,
    events.SettingsAcknowledged: Http2Protocol._on_acknowledged,
}
