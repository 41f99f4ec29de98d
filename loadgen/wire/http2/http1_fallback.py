"""HTTP/1.1 as streams, one at a time, for a connection whose server declined HTTP/2. Sans I/O."""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.wire.connection import REQUEST_TIMEOUT
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.interim import CONTINUE, InterimFilter
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.upload import Content, Upload
from loadgen.wire.http2.stream import HeldStream, HttpStream, StreamRequest
from loadgen.wire.transport import READ_SIZE


class Http1FallbackStreams:
    """Streams (see wire/http2/stream.py) of one connection that speaks HTTP/1.1."""

    __slots__ = (
        "_end", "_interim", "_number", "_out", "_out_bytes", "_reader", "_stream", "acknowledged", "ended", "failure",
        "requested_close",
    )  # fmt: skip

    def __init__(self, reader: ResponseReader) -> None:
        self._reader = reader
        self._stream: HttpStream | None = None
        self._number = 0
        # The request, how much of it was handed out, and how much may be by now.
        self._out: Content = b""
        self._out_bytes = self._end = 0
        # Of a request whose body waits, until its response begins; else the reader takes interim responses.
        self._interim: InterimFilter | None = None
        self.ended = self.requested_close = False
        self.acknowledged = True
        self.failure: UpgradeFailure | None = None

    @property
    def free(self) -> int:
        return 0 if self.ended or self._stream is not None else 1

    def adopt(self, request: StreamRequest, owner: Any) -> HttpStream:
        """The stream of a request that was already sent, with the offer to upgrade."""
        stream = self._begin(request, HttpStream(self._number + 1, owner))
        stream.size_bytes = len(request.upgrade)
        stream.sent = True
        return stream

    def start(self, request: StreamRequest, owner: Any) -> HttpStream:
        data = request.plain
        self._out, self._out_bytes, self._end = data, 0, len(data)
        self.requested_close = request.closes
        if not (isinstance(data, Upload) and data.expects):
            return self._begin(request, HttpStream(self._number + 1, owner))
        self._end = len(data.head)
        self._interim = InterimFilter()
        return self._begin(request, HeldStream(self._number + 1, owner, data))

    def release(self, stream: HeldStream) -> None:
        stream.held = None
        if stream is self._stream:
            self._end = len(self._out)

    def more(self) -> bytes:
        begin, stream = self._out_bytes, self._stream
        end = self._out_bytes = min(self._end, begin + READ_SIZE)
        if stream is not None and end > begin:
            stream.size_bytes = end
            stream.sent = end == len(self._out)
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
        if self._interim is not None:
            size_bytes = len(data)
            statuses, data = self._interim.feed(data)
            stream.bytes_received += size_bytes - len(data)
            if isinstance(stream, HeldStream) and CONTINUE in statuses:
                stream.continued = True
            if not data:
                return [stream]
            self._interim = None
        stream.begun = True
        stream.bytes_received += len(data)
        if self._reader.feed(data):
            self._complete(stream)
        elif self._reader.has_only_interim:
            stream.begun = False
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

    def _begin(self, request: StreamRequest, stream: HttpStream) -> HttpStream:
        self._number += 1
        self._reader.no_body = request.head_only
        self._stream = stream
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
        self._out, self._out_bytes, self._end = b"", 0, 0
