"""HTTP/1.1 as streams, one at a time, for a connection whose server declined HTTP/2. Sans I/O."""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.wire.connection import REQUEST_TIMEOUT
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.upload import Content
from loadgen.wire.http2.stream import HttpStream, StreamRequest
from loadgen.wire.transport import READ_SIZE


class Http1FallbackStreams:
    """Streams (see wire/http2/stream.py) of one connection that speaks HTTP/1.1."""

    __slots__ = (
        "_number",
        "_out",
        "_out_bytes",
        "_reader",
        "_stream",
        "acknowledged",
        "ended",
        "failure",
        "requested_close",
    )

    def __init__(self, reader: ResponseReader) -> None:
        self._reader = reader
        self._stream: HttpStream | None = None
        self._number = 0
        self._out: Content = b""
        self._out_bytes = 0
        self.ended = self.requested_close = False
        self.acknowledged = True
        self.failure: UpgradeFailure | None = None

    @property
    def free(self) -> int:
        return 0 if self.ended or self._stream is not None else 1

    def adopt(self, request: StreamRequest, owner: Any) -> HttpStream:
        """The stream of a request that was already sent, with the offer to upgrade."""
        stream = self._begin(request, request.upgrade, owner)
        stream.sent = True
        return stream

    def start(self, request: StreamRequest, owner: Any) -> HttpStream:
        self._out, self._out_bytes = request.plain, 0
        self.requested_close = request.closes
        return self._begin(request, request.plain, owner)

    def more(self) -> bytes:
        begin = self._out_bytes
        end = self._out_bytes = min(len(self._out), begin + READ_SIZE)
        if self._stream is not None and end == len(self._out):
            self._stream.sent = True
        return self._out[begin:end]

    def feed(self, data: bytes) -> list[HttpStream]:
        stream = self._stream
        if stream is None or not stream.begun:
            data = self._reader.skip_empty_lines(data)
            if not data:
                return []
        if stream is None:
            self._reader.add_extra(data)
            raise Malformed("the server sent bytes without a request")
        stream.begun = True
        stream.bytes_received += len(data)
        if self._reader.feed(data):
            self._complete(stream)
        return [stream]

    def finish(self) -> list[HttpStream]:
        stream = self._stream
        if stream is None or not stream.begun or not self._reader.finish():
            return []
        self._complete(stream)
        return [stream]

    def cancel(self, stream: HttpStream) -> bool:
        return False

    def settings_timeout(self) -> None:
        raise AssertionError("HTTP/1.1 has no settings")

    def closing_bytes(self) -> bytes:
        return b""

    def _begin(self, request: StreamRequest, data: Content, owner: Any) -> HttpStream:
        self._number += 1
        self._reader.no_body = request.head_only
        stream = self._stream = HttpStream(self._number, owner)
        stream.size_bytes = len(data)
        return stream

    def _complete(self, stream: HttpStream) -> None:
        reader = self._reader
        if self._number > 1 and reader.status == REQUEST_TIMEOUT and not reader.persists:
            stream.fail(ErrorKind.CROSSED_BY_CLOSE, "a 408 that the server sent before it had the request")
        stream.head = reader.head
        stream.trailers = reader.trailers
        stream.body_bytes = reader.body_bytes
        stream.done = True
        self._stream = None
        # Behind a request that was sent in part, another one would be taken for its rest.
        is_cut_off = 0 < self._out_bytes < len(self._out)
        self.ended = reader.head is None or not reader.head.persists or reader.has_extra_bytes or is_cut_off
        self._out, self._out_bytes = b"", 0
