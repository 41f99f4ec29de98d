"""What several readers of HTTP/1.1 make of the same bytes of a server: ours, h11, and llhttp as httptools gives it.

Each reading is of one connection: the responses to GET, one after another, until the connection can't be used
again, its bytes end, or a reader refuses them. Knows no socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import h11
import httptools

from loadgen.wire.http1.final_head import FinalHeadReader
from loadgen.wire.http1.head import MAX_HEAD_BYTES, Malformed
from loadgen.wire.http1.response_reader import ResponseReader

MAX_RESPONSES = 3
"""A reading ends here: more responses would show nothing new."""
MAX_BODY_BYTES = 1 << 16


class Response(NamedTuple):
    """One response as a reader understood it."""

    status: int
    body: bytes


class Reading(NamedTuple):
    """What a reader made of a connection's bytes."""

    responses: tuple[Response, ...]
    """The complete ones."""
    refusal: str = ""
    """Why it refused what followed; empty where it did not."""
    notes: int = 0
    """Deviations that our reader accepted, a bit for each."""
    is_cut: bool = False
    """The bytes ended in the middle of a response; known of ours alone."""
    ended_by: str = ""
    """The HTTP version of the response after which the reader ended the connection; empty where it did not."""


def read_ours(pieces: Sequence[bytes], pipelined: bool = True) -> Reading:
    """By our reader, as a connection uses it. pipelined: what follows a response is the next one."""
    reader = ResponseReader(MAX_BODY_BYTES)
    reader.pipelined = pipelined
    responses: list[Response] = []
    body = bytearray()
    notes = 0
    waiting = list(pieces)
    pending = b""
    try:
        while waiting:
            pending += waiting[0]
            complete = reader.feed(waiting.pop(0), body.extend)
            assert len(body) <= MAX_BODY_BYTES
            if not complete:
                continue
            responses.append(Response(reader.status, bytes(body)))
            notes |= reader.notes
            body.clear()
            pending = b""
            if not reader.persists or reader.has_extra_bytes or len(responses) == MAX_RESPONSES:
                break
            if reader.rest:
                rest, reader.rest = reader.rest, b""
                waiting.insert(0, rest)
        else:
            if not reader.finish():
                return Reading(tuple(responses), "", notes | _pending_notes(pending), is_cut=reader.begun)
            responses.append(Response(reader.status, bytes(body)))
            notes |= reader.notes
    except Malformed as error:
        return Reading(tuple(responses), str(error), notes)
    assert reader.head is not None
    return Reading(tuple(responses), "", notes, ended_by=reader.head.version)


def _pending_notes(pending: bytes) -> int:
    """Those of a head that is whole, of a response that is not."""
    found = FinalHeadReader().feed(pending)
    return 0 if found is None else found.notes


def read_h11(pieces: Sequence[bytes]) -> Reading:
    """By h11, as a client that sends the next request when a response is complete."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    request = h11.Request(method="GET", target="/", headers=[("Host", "h")])
    responses: list[Response] = []
    status, version, body = 0, "", bytearray()
    waiting = [piece for piece in pieces if piece] + [b""]
    connection.send(request)
    connection.send(h11.EndOfMessage())
    try:
        while len(responses) < MAX_RESPONSES:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(waiting.pop(0))
            elif isinstance(event, h11.Response):
                status, version = event.status_code, event.http_version.decode()
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                responses.append(Response(status, bytes(body)))
                body.clear()
                if connection.their_state is not h11.DONE:
                    return Reading(tuple(responses), ended_by=version)
                connection.start_next_cycle()
                connection.send(request)
                connection.send(h11.EndOfMessage())
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                break
    except h11.RemoteProtocolError as error:
        refusal = str(error)
        return Reading(tuple(responses), "" if refusal.startswith(_ENDS_OF_H11) else refusal)
    return Reading(tuple(responses))


# What h11 says when the bytes end: within a message, or where the next one would begin.
_ENDS_OF_H11 = (
    "peer closed connection without",
    "peer unexpectedly closed",
    "can't handle event type ConnectionClosed",
)


class _Callbacks:
    """Collects what httptools reports of a connection's responses."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.responses: list[Response] = []
        self.body = bytearray()
        self.status = 0
        self.is_open = False
        self.has_length = False

    def on_message_begin(self) -> None:
        self.is_open = True
        self.has_length = False
        self.status = 0
        self.body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        codes = name.lower() == b"transfer-encoding" and value.lower().rpartition(b",")[2].strip() == b"chunked"
        self.has_length = self.has_length or codes or name.lower() == b"content-length"

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_open = False
        if self.status >= 200:
            self.responses.append(Response(self.status, bytes(self.body)))


def read_llhttp(pieces: Sequence[bytes]) -> Reading:
    """By llhttp alone, its own framing included. httptools does not tell it that the connection ended."""
    found = _Callbacks()
    refusal = ""
    try:
        for piece in pieces:
            found.parser.feed_data(piece)
    except httptools.HttpParserUpgrade:
        refusal = "an upgrade"
    except httptools.HttpParserError as error:
        refusal = str(error)
    if found.is_open and found.status >= 200 and not found.has_length and not refusal:
        found.responses.append(Response(found.status, bytes(found.body)))
    responses = tuple(found.responses[:MAX_RESPONSES])
    return Reading(responses, "" if len(responses) == MAX_RESPONSES else refusal)
