"""Chunked bodies (RFC 9112 §7.1), through llhttp. Bytes in, lengths and trailer fields out; knows no socket."""

from __future__ import annotations

from collections.abc import Callable

import httptools

from loadgen.wire.http1.head import MAX_HEAD_BYTES, HeadTooLarge, Malformed

# llhttp decodes a body only after a head, so it gets this one.
_EMPTY_LINES = b"\r\n" * 3
_PREAMBLE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class ChunkedBody:
    """Decodes one chunked body fed in any fragments.

    takes_length: a Content-Length in the trailer section is a field like any other and frames nothing; else it makes
    the body malformed.
    """

    __slots__ = (
        "_in_body", "_overhead_bytes", "_parser", "_sink", "_tail", "body_bytes", "complete", "has_extra_bytes",
        "trailers",
    )  # fmt: skip

    def __init__(self, sink: Callable[[bytes], object] | None = None, takes_length: bool = False) -> None:
        # The decoded bytes so far; the trailer section's fields; whether bytes came after the end.
        self.body_bytes = 0
        self.complete = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self.has_extra_bytes = False
        self._sink = sink
        self._overhead_bytes = 0
        self._tail = b""
        self._in_body = False
        self._parser = httptools.HttpResponseParser(self)
        if takes_length:
            self._parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self._parser.feed_data(_PREAMBLE)
        self._in_body = True

    def feed(self, data: bytes) -> bool:
        """Take bytes; True once the body and its trailer section are complete. Raises Malformed or HeadTooLarge."""
        before = self.body_bytes
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What does not parse after the end belongs to no message.
            if not self.complete:
                raise Malformed(str(error)) from None
            self.has_extra_bytes = True
        # Counts what comes without body data: chunk sizes and extensions between data, and the trailer section.
        self._overhead_bytes = 0 if self.body_bytes > before else self._overhead_bytes + len(data)
        if self._overhead_bytes > MAX_HEAD_BYTES:
            raise HeadTooLarge(f"the trailer section is longer than {MAX_HEAD_BYTES} bytes")
        # llhttp skips empty lines between messages. A message ends with at most two line ends, so a third is extra.
        self._tail = (self._tail + data)[-len(_EMPTY_LINES) :]
        if self.complete and self._tail == _EMPTY_LINES:
            self.has_extra_bytes = True
        return self.complete

    # Called by httptools.
    def on_message_begin(self) -> None:
        if self.complete:
            self.has_extra_bytes = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body and not self.complete:
            self.trailers.append((name, value))

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.body_bytes += len(data)
            if self._sink is not None:
                self._sink(data)

    def on_message_complete(self) -> None:
        self.complete = True
