"""Reads HTTP/1.x requests from any byte stream (RFC 9112), for the embedded target. Sans I/O: no socket, no clock."""

from __future__ import annotations

from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.final_head import END_OF_HEAD
from loadgen.wire.http1.head import (
    CHUNKED,
    MAX_HEAD_BYTES,
    BodyTooLarge,
    HeadTooLarge,
    RequestHead,
    parse_request_head,
)


class RequestReader:
    """Reads requests from a stream, pipelined or not: feed bytes, then take requests until None.

    A request is returned once its body is complete; bodies are counted and dropped.
    """

    __slots__ = ("_body", "_buffer", "_limit", "_missing", "_pending", "wants_continue")

    def __init__(self, max_body_bytes: int) -> None:
        self._limit = max_body_bytes
        self._buffer = b""
        self._pending: RequestHead | None = None
        self._missing = 0
        self._body: ChunkedBody | None = None
        self.wants_continue = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._buffer = self._buffer + data if self._buffer else data

    def next_request(self) -> RequestHead | None:
        """The next complete request, or None while bytes are missing. Raises Malformed."""
        head = self._pending
        if head is None:
            # Empty lines before a request are to be skipped (RFC 9112 §2.2).
            data = self._buffer = self._buffer.lstrip(b"\r\n") if self._buffer[:1] in b"\r\n" else self._buffer
            if not data:
                return None
            end = data.find(END_OF_HEAD) + 4
            if end < 4 or end > MAX_HEAD_BYTES:
                if len(data) > MAX_HEAD_BYTES:
                    raise HeadTooLarge(f"the head is longer than {MAX_HEAD_BYTES} bytes")
                return None
            head = parse_request_head(data[:end])
            self._buffer = data[end:]
            if head.framing == 0:
                return head
            self._pending = head
            self._missing = head.framing
            self.wants_continue = head.expects_continue
            self._body = ChunkedBody(is_strict=True) if head.framing == CHUNKED else None
            if head.framing > self._limit:
                raise BodyTooLarge(f"Content-Length is {head.framing}, the limit {self._limit} bytes")
        return head if self._body_complete() else None

    def _body_complete(self) -> bool:
        data, self._buffer = self._buffer, b""
        if self._body is not None:
            done = self._body.feed(data) if data else False
            if self._body.body_bytes > self._limit:
                raise BodyTooLarge(f"the body is longer than {self._limit} bytes")
            if done:
                self._buffer = self._body.rest
        else:
            self._buffer = data[self._missing :]
            self._missing -= len(data) - len(self._buffer)
            done = self._missing == 0
        if done:
            self._pending = None
            self.wants_continue = False
        return done
