"""Reads HTTP/1.x responses from any byte stream (RFC 9112), one after another. Sans I/O: no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.final_head import END_OF_HEAD, SWITCHING_PROTOCOLS, FinalHeadReader
from loadgen.wire.http1.head import (
    CHUNKED,
    MAX_HEAD_BYTES,
    UNTIL_CLOSE,
    BodyTooLarge,
    Malformed,
    ResponseHead,
    parse_response_head,
    without_body,
)
from loadgen.wire.http1.head_memory import HeadMemory

# The limit is an integer of C, where compiled; no body is longer than this.
_MAX_LIMIT_BYTES = 1 << 62


class ResponseReader:
    """Reads responses one after another. Its facts about a response stay until the next one is complete."""

    __slots__ = (
        "_chunked", "_current", "_heads", "_interim", "_limit", "_memory", "_missing", "body_bytes", "has_extra_bytes",
        "head", "interim", "no_body", "persists", "pipelined", "rest", "sets_cookies", "status", "trailers",
    )  # fmt: skip

    def __init__(self, max_body_bytes: int, memory: HeadMemory | None = None) -> None:
        """memory: heads of the same server; fields that decide nothing may then hold an alike head's values."""
        self._limit = min(max_body_bytes, _MAX_LIMIT_BYTES)
        self._memory = memory
        # To be set: the next response is one to HEAD.
        self.no_body = False
        # To be set: bytes that follow a response are the next one's. They wait in `rest`, and the caller feeds them.
        self.pipelined = False
        self.rest = b""
        # Once `feed` has returned True: the final response's head, the length of its decoded body, its trailer fields,
        self.head: ResponseHead | None = None
        # (and some of its facts once more, for C),
        self.status = 0
        self.persists = self.sets_cookies = False
        self.body_bytes = 0
        self.trailers: list[tuple[bytes, bytes]] = []
        # the number of 1xx responses before it, and whether bytes followed it that belong to no response.
        self.interim = 0
        self.has_extra_bytes = False
        # The response under way: what has come of its head, then the head, and what is known of its body.
        self._heads: FinalHeadReader | None = None
        self._current: ResponseHead | None = None
        self._interim = 0
        self._chunked: ChunkedBody | None = None
        self._missing = 0

    def feed(self, data: bytes, sink: Callable[[bytes], object] | None = None) -> bool:
        """Take the next bytes; True once the response is complete. Decoded bytes go to `sink`. Raises Malformed."""
        if self._current is not None:
            return self._feed_body(data, sink)
        heads = self._heads
        if heads is None:
            end = data.find(END_OF_HEAD) + 4
            if end >= 4:
                head = parse_response_head(data[:end])
                if self._memory is not None:
                    self._memory.learn(data[:end], head)
                # The usual response, whole in one read, ends here. Nothing was kept, so nothing need be dropped.
                if head.framing + end == len(data) and self._ends_with(head.status, head.framing, end):
                    self.set_head(head)
                    self.body_bytes = head.framing
                    if sink is not None:
                        sink(data[end:])
                    return True
                if head.status >= 200 and end <= MAX_HEAD_BYTES:
                    return self._begin(head, data[end:], sink)
            heads = FinalHeadReader()
        found = heads.feed(data)
        if found is None:
            self._heads = heads if heads.begun else None
            return False
        if found.head.status == SWITCHING_PROTOCOLS:
            raise Malformed("101 Switching Protocols, which was not asked for")
        self._heads = None
        self._interim = found.interim
        return self._begin(found.head, found.rest, sink)

    def feed_buffer(self, buffer: bytearray, size: int) -> bool:
        """`feed` with the buffer's first `size` bytes, which are read and not kept."""
        return self._recognise(buffer, size) > 0 or self.feed(bytes(memoryview(buffer)[:size]))

    def set_head(self, head: ResponseHead) -> None:
        """A response is complete whose final head this is."""
        self.head = head
        self.status = head.status
        self.persists = head.persists
        self.sets_cookies = head.sets_cookies

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
        return self._current is not None or self._heads is not None

    def _recognise(self, buffer: bytearray, size: int) -> int:
        """Complete a response if buffer[:size] is all of it and its head is known: gives the head's length, else 0."""
        memory = self._memory
        if memory is not None and self._current is None and self._heads is None:
            end = memory.find(buffer, size)
            known = memory.found
            if end == 0 or known is None:
                return 0  # to be parsed
            if memory.framing + end == size and self._ends_with(known.status, memory.framing, end):
                self.head = known.head
                self.status = known.status
                self.persists = known.persists
                self.sets_cookies = known.sets_cookies
                self.body_bytes = memory.framing
                return end
        return 0

    def _ends_with(self, status: int, framing: int, end: int) -> bool:
        """With a body that followed its head at once, a response is complete; nothing is left to do."""
        return not (
            status < 200 or self.no_body or self.trailers or framing > self._limit or end > MAX_HEAD_BYTES
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
        assert self._current is not None, "its head has come"
        self.set_head(self._current)
        self.interim = self._interim
        self.trailers = [] if self._chunked is None else self._chunked.trailers
        self._current = None
        self._chunked = None
        self._missing = self._interim = 0
        return True
