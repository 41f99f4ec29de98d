"""Reads HTTP/1.x responses from any byte stream (RFC 9112), one after another. Sans I/O: no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.leniency import Leniency
from loadgen.wire.http1.chunked import ChunkedBody
from loadgen.wire.http1.final_head import LINE_END_BYTES, SWITCHING_PROTOCOLS, FinalHeadReader, first_empty_line
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
# Integers of C, where compiled.
_H, _EMPTY_LINE = ord("H"), int(Leniency.EMPTY_LINE)


class ResponseReader:
    """Reads responses one after another. Its facts about a response stay until the next one is complete."""

    __slots__ = (
        "_chunked", "_current", "_heads", "_interim", "_limit", "_memory", "_missing", "_notes", "_skipped_bytes",
        "body_bytes", "extra", "has_extra_bytes", "head", "interim", "no_body", "notes", "persists", "pipelined",
        "rest", "sets_cookies", "status", "trailers",
    )  # fmt: skip

    keeps_bodies = False
    """Responses' bodies are kept until they are taken."""

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
        # the number of 1xx responses before it, the bits of each Leniency that it needed,
        self.interim = 0
        self.notes = 0
        # and whether bytes followed it that belong to no response; and these bytes, or the first of them.
        self.has_extra_bytes = False
        self.extra = b""
        # The response under way: what has come of its head, then the head, and what is known of its body.
        self._heads: FinalHeadReader | None = None
        self._current: ResponseHead | None = None
        self._interim = 0
        self._chunked: ChunkedBody | None = None
        self._missing = 0
        self._notes = 0
        self._skipped_bytes = 0

    def feed(self, data: bytes, sink: Callable[[bytes], object] | None = None) -> bool:
        """Take the next bytes; True once the response is complete. Decoded bytes go to `sink`. Raises Malformed."""
        if self._current is not None:
            return self._feed_body(data, sink)
        heads = self._heads
        if heads is None:
            if len(data) > 0 and data[0] != _H:
                data = self.skip_empty_lines(data)
                if not data:
                    return False
            end = first_empty_line(data)
            if end > 0:
                head = parse_response_head(data[:end])
                if self._memory is not None and not head.notes:
                    self._memory.learn(data[:end], head)
                # The usual response, whole in one read, ends here. Nothing was kept, so nothing need be dropped.
                if (
                    head.framing + end == len(data)
                    and not head.notes
                    and self._ends_with(head.status, head.framing, end)
                ):
                    self.set_head(head)
                    self.body_bytes = head.framing
                    if sink is not None:
                        sink(data[end:])
                    return True
                if head.status >= 200 and end <= MAX_HEAD_BYTES:
                    self._notes |= head.notes
                    return self._begin(head, data[end:], sink)
            heads = FinalHeadReader()
        found = heads.feed(data)
        if found is None:
            self._heads = heads if heads.begun else None
            return False
        if found.head.status == SWITCHING_PROTOCOLS:
            raise Malformed("101 Switching Protocols, which was not asked for (RFC 9110 §15.2.2)")
        self._heads = None
        self._interim = found.interim
        self._notes |= found.notes
        return self._begin(found.head, found.rest, sink)

    def feed_buffer(self, buffer: bytearray, size: int) -> bool:
        """`feed` with the buffer's first `size` bytes, which are read and not kept."""
        return self._recognise(buffer, size) > 0 or self.feed(bytes(memoryview(buffer)[:size]))

    def skip_empty_lines(self, data: bytes) -> bytes:
        """Bytes between two responses, without empty lines at their begin: these are no part of a response.

        The next response has a note of them. Endless ones are given back: they belong to nothing.
        """
        rest = data.lstrip(LINE_END_BYTES)
        self._skipped_bytes += len(data) - len(rest)
        if self._skipped_bytes > MAX_HEAD_BYTES:
            return data
        if len(rest) < len(data):
            self._notes |= _EMPTY_LINE
        return rest

    def add_extra(self, data: bytes) -> None:
        """Bytes came that belong to no response."""
        self.has_extra_bytes = True
        self.extra += data

    def set_head(self, head: ResponseHead) -> None:
        """A response is complete whose final head this is."""
        self.head = head
        self.status = head.status
        self.persists = head.persists
        self.sets_cookies = head.sets_cookies

    def keep_body(self, pieces: list[bytes]) -> None:
        """The body of a response that is complete and was read elsewhere. Subclasses keep it."""

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

    @property
    def has_only_interim(self) -> bool:
        """Interim responses have come, each of them whole, and no byte of what follows."""
        return self._heads is not None and self._heads.has_only_interim

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
            or self.has_extra_bytes or self.interim or self.notes or self._notes
        )  # fmt: skip

    def _begin(self, head: ResponseHead, rest: bytes, sink: Callable[[bytes], object] | None) -> bool:
        self._current = head
        self.body_bytes = 0
        self.has_extra_bytes = False
        self.extra = b""
        if self.no_body:
            # It ends with its head, whatever length the head names (RFC 9112 §6.3, point 1).
            self._current = without_body(head)
            self._keep_rest(rest)
            return self._complete()
        if head.framing == CHUNKED:
            self._chunked = ChunkedBody(sink)
        elif head.framing > self._limit:
            raise BodyTooLarge(f"Content-Length is {head.framing}, the limit {self._limit} bytes")
        else:
            self._missing = head.framing
        return self._feed_body(rest, sink) if rest or head.framing == 0 else False

    def _feed_body(self, data: bytes, sink: Callable[[bytes], object] | None) -> bool:
        if self._chunked is not None:
            chunked = self._chunked
            done = chunked.feed(data)
            self.body_bytes = chunked.body_bytes
            if done:
                self._notes |= chunked.notes
                self._keep_rest(chunked.rest)
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
        """What followed the response in the same read."""
        if rest:
            rest = self.skip_empty_lines(rest)
        if self.pipelined:
            self.rest = rest
        elif rest:
            self.add_extra(rest)

    def _complete(self) -> bool:
        assert self._current is not None, "its head has come"
        self.set_head(self._current)
        self.interim = self._interim
        self.trailers = [] if self._chunked is None else self._chunked.trailers
        self.notes = self._notes
        self._current = None
        self._chunked = None
        self._missing = self._interim = self._notes = 0
        self._skipped_bytes = 0
        return True
