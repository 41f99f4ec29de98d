"""HTTP/1.x messages over any byte stream (RFC 9112): sans-IO readers and the request writer. No socket, no clock."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.final_head import END_OF_HEAD, SWITCHING_PROTOCOLS, FinalHeadReader
from loadgen.wire.http1.head import (
    CHUNKED,
    MAX_HEAD_BYTES,
    UNTIL_CLOSE,
    BodyTooLarge,
    HeadTooLarge,
    Malformed,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
    without_body,
)


def with_defaults(host_field: str, headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The default fields and then the caller's, which replace defaults of the same name."""
    given = {name.lower() for name, _ in headers}
    defaults = (("Host", host_field), ("User-Agent", "loadgen"), ("Accept", "*/*"))
    return [*(field for field in defaults if field[0].lower() not in given), *headers]


def sends_length(method: str, body: bytes) -> bool:
    """A method that gives its body a meaning sends the length even when it is 0 (RFC 9110 §8.6)."""
    return bool(body) or method in ("POST", "PUT", "PATCH")


def build_request(
    method: str,
    path: str,
    host_field: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    connection: str,
    version: str = "1.1",
    trailers: bool = False,
) -> bytes:
    """One request in origin-form, as bytes. A field of the caller's replaces the default of the same name.

    connection: the Connection field's value; empty for no such field. trailers: say that trailer sections are
    understood (RFC 9110 §10.1.4), which HTTP/1.0 has no way to say.
    """
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in with_defaults(host_field, headers)]
    if sends_length(method, body):
        lines.append(f"Content-Length: {len(body)}")
    if trailers and version != "1.0":
        # TE is for the next hop alone: its sender must name it in Connection, so that no intermediary forwards it.
        lines.append("TE: trailers")
        connection = f"{connection}, TE" if connection else "TE"
    if connection:
        lines.append(f"Connection: {connection}")
    return "\r\n".join(lines).encode("latin-1") + END_OF_HEAD + body


class ResponseReader:
    """Reads responses one after another. Its facts about a response stay until the next one is complete."""

    __slots__ = (
        "_chunked", "_current", "_heads", "_interim", "_limit", "_missing", "body_bytes", "has_extra_bytes", "head",
        "interim", "no_body", "pipelined", "rest", "trailers",
    )  # fmt: skip

    def __init__(self, max_body_bytes: int) -> None:
        self._limit = max_body_bytes
        # To be set: the next response is one to HEAD.
        self.no_body = False
        # To be set: bytes that follow a response are the next one's. They wait in `rest`, and the caller feeds them.
        self.pipelined = False
        self.rest = b""
        # Once `feed` has returned True: the final response's head, the length of its decoded body, its trailer fields,
        self.head: ResponseHead | None = None
        self.body_bytes = 0
        self.trailers: list[tuple[bytes, bytes]] = []
        # the number of 1xx responses before it, and whether bytes followed it that belong to no response.
        self.interim = 0
        self.has_extra_bytes = False
        # The response under way: its head, if that is whole, and what is known of its body.
        self._heads = FinalHeadReader()
        self._current: ResponseHead | None = None
        self._interim = 0
        self._chunked: ChunkedBody | None = None
        self._missing = 0

    def feed(self, data: bytes, sink: Callable[[bytes], object] | None = None) -> bool:
        """Take the next bytes; True once the response is complete. Decoded bytes go to `sink`. Raises Malformed."""
        if self._current is not None:
            return self._feed_body(data, sink)
        heads = self._heads
        if not heads.begun:
            end = data.find(END_OF_HEAD) + 4
            if end >= 4:
                head = parse_response_head(data[:end])
                # The usual response, whole in one read, ends here. Nothing was kept, so nothing need be dropped.
                if head.framing + end == len(data) and self._is_simple(head, end):
                    self.head = head
                    self.body_bytes = head.framing
                    if sink is not None:
                        sink(data[end:])
                    return True
        found = heads.feed(data)
        if found is None:
            return False
        if found.head.status == SWITCHING_PROTOCOLS:
            raise Malformed("101 Switching Protocols, which was not asked for")
        self._interim = found.interim
        return self._begin(found.head, found.rest, sink)

    def finish(self) -> bool:
        """The peer closed its side. True if that completes the response (RFC 9112 §8), False if it is cut short."""
        complete = self._current is not None and self._current.framing == UNTIL_CLOSE
        return self._complete() if complete else False

    @property
    def max_body_bytes(self) -> int:
        """The longest body that it accepts."""
        return self._limit

    @property
    def begun(self) -> bool:
        """Some bytes of a response have come, and not all."""
        return self._current is not None or self._heads.begun

    def _is_simple(self, head: ResponseHead, end: int) -> bool:
        return not (
            head.status < 200 or self.no_body or self.trailers or head.framing > self._limit or end > MAX_HEAD_BYTES
            or self.has_extra_bytes or self.interim
        )  # fmt: skip

    def _begin(self, head: ResponseHead, rest: bytes, sink: Callable[[bytes], object] | None) -> bool:
        self._current = head
        self.body_bytes = 0
        self.has_extra_bytes = False
        if self.no_body:
            # It ends with its head, whatever length the head names (RFC 9112 §6.3, point 1).
            self._current = without_body(head)
            self._keep_rest(rest)
            return self._complete()
        if head.framing == CHUNKED:
            self._chunked = ChunkedBody(sink, takes_length=True)
        elif head.framing > self._limit:
            raise BodyTooLarge(f"Content-Length is {head.framing}, the limit {self._limit} bytes")
        else:
            self._missing = head.framing
        return self._feed_body(rest, sink) if rest or head.framing == 0 else False

    def _feed_body(self, data: bytes, sink: Callable[[bytes], object] | None) -> bool:
        if self._chunked is not None:
            done = self._feed_chunks(self._chunked, data) if self.pipelined else self._chunked.feed(data)
            self.body_bytes = self._chunked.body_bytes
            self.has_extra_bytes = self._chunked.has_extra_bytes
        else:
            done = False
            if self._missing != UNTIL_CLOSE:
                self._keep_rest(data[self._missing :])
                data = data[: self._missing]
                self._missing -= len(data)
                done = self._missing == 0
            self.body_bytes += len(data)
            if sink is not None and data:
                sink(data)
        if self.body_bytes > self._limit:
            raise BodyTooLarge(f"the body is longer than {self._limit} bytes")
        return self._complete() if done else False

    def _keep_rest(self, rest: bytes) -> None:
        if self.pipelined:
            self.rest = rest
        else:
            self.has_extra_bytes = bool(rest)

    def _feed_chunks(self, body: ChunkedBody, data: bytes) -> bool:
        """Feed one piece after another, each up to where the body may end: llhttp does not tell where it ended.

        A chunked body ends with CR LF CR LF. That may be split over two reads, so pieces also end after 1 to 3 bytes.
        """
        ends = [1, 2, 3]
        at = data.find(END_OF_HEAD)
        while at >= 0:
            ends.append(at + 4)
            at = data.find(END_OF_HEAD, at + 2)
        begun = 0
        for end in sorted({*(end for end in ends if end < len(data)), len(data)}):
            if body.feed(data[begun:end]):
                self.rest = data[end:]
                return True
            begun = end
        return False

    def _complete(self) -> bool:
        self.head = self._current
        self.interim = self._interim
        self.trailers = [] if self._chunked is None else self._chunked.trailers
        self._current = None
        self._chunked = None
        self._missing = self._interim = 0
        return True


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
            self._body = ChunkedBody() if head.framing == CHUNKED else None
            if head.framing > self._limit:
                raise BodyTooLarge(f"Content-Length is {head.framing}, the limit {self._limit} bytes")
        return head if self._body_complete() else None

    def _body_complete(self) -> bool:
        data, self._buffer = self._buffer, b""
        if self._body is not None:
            done = self._body.feed(data) if data else False
            if self._body.body_bytes > self._limit:
                raise BodyTooLarge(f"the body is longer than {self._limit} bytes")
            if self._body.has_extra_bytes:
                raise Malformed("bytes followed a chunked request body; pipelining behind one is not supported")
        else:
            self._buffer = data[self._missing :]
            self._missing -= len(data) - len(self._buffer)
            done = self._missing == 0
        if done:
            self._pending = None
            self.wants_continue = False
        return done
