"""What is fuzzed: for each protocol a function from a peer's bytes to a value, which must hold however the bytes come.

A target raises nothing but AssertionError: whatever else a parser lets out is a defect. Knows no fuzzer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import Leniency
from loadgen.wire.errors import Failure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.request_reader import RequestReader
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.stream import StreamRequest
from loadgen.wire.proxy.connect import ConnectRequest, ProxyLogin
from loadgen.wire.websocket.message import Message
from loadgen.wire.websocket.protocol import WebSocketProtocol
from tests.support.cuts import bytewise
from tests.support.differences import unexplained
from tests.support.http2_requests import FIELDS
from tests.support.readings import MAX_BODY_BYTES, read_h11, read_llhttp, read_ours
from tests.support.upgrade_servers import switching

MAX_INPUT_BYTES = 4096
_MESSAGE = Message(b"hello", True, "/", (("Host", "h"),))
_GET = StreamRequest(FIELDS, b"", b"")


class Target(NamedTuple):
    """One thing to fuzz."""

    name: str
    read: Callable[[list[bytes]], Any]
    """Reads pieces of a peer's bytes into a value that can be compared."""
    check: Callable[[bytes], None] | None = None
    """What else must hold for the same bytes."""

    def run(self, data: bytes) -> Any:
        """Read `data` whole and byte by byte, and compare. Gives the value, the same in either build."""
        data = data[:MAX_INPUT_BYTES]
        whole = self.read([data])
        assert self.read(bytewise(data)) == whole, f"{self.name}: byte by byte it is read in another way"
        if self.check is not None:
            self.check(data)
        return whole


def _responses(pieces: list[bytes]) -> Any:
    reading = read_ours(pieces)
    # An empty line between two responses is noted with the one in whose read it came.
    return reading.responses, bool(reading.refusal), reading.notes & ~Leniency.EMPTY_LINE


def _single_response(pieces: list[bytes]) -> Any:
    reading = read_ours(pieces, pipelined=False)
    # A connection does not feed what comes behind the response to the reader.
    return reading.responses[:1], bool(reading.refusal and not reading.responses)


def _explained(data: bytes) -> None:
    ours = read_ours([data])
    for name, read in (("h11", read_h11), ("llhttp", read_llhttp)):
        difference = unexplained(data, ours, read([data]), name)
        assert not difference, difference


def _requests(pieces: list[bytes]) -> Any:
    reader = RequestReader(MAX_BODY_BYTES)
    found: list[Any] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (head := reader.next_request()) is not None:
                found.append(head)
    except Malformed:
        return found, True
    return found, False


def _connect(pieces: list[bytes]) -> Any:
    request = ConnectRequest("h:443", ProxyLogin("Basic dTpw"))
    sent = [request.outgoing]
    request.outgoing = b""
    taken = 0
    try:
        for piece in pieces:
            rest = piece
            while rest and not request.open:
                size = request.feed(rest)
                assert 0 < size <= len(rest) or request.open or request.outgoing
                taken += size
                rest = rest[size:]
                if request.outgoing:
                    sent.append(request.outgoing)
                    request.outgoing = b""
            if request.open:
                break
    except (Malformed, Failure) as error:
        return sent, type(error).__name__
    return sent, request.open, taken if request.open else None


def _http2(pieces: list[bytes]) -> Any:
    protocol = Http2Protocol(MAX_BODY_BYTES)
    streams = [protocol.start(_GET, None) for _ in range(3)]
    protocol.more()
    for piece in pieces:
        protocol.feed(piece)
        protocol.more()
        if protocol.failure is not None:
            break
    failure = protocol.failure and protocol.failure.kind.label
    protocol.closing_bytes()
    if any(stream.error in (ErrorKind.HTTP2_PROTOCOL, ErrorKind.BODY_TOO_LARGE) for stream in streams):
        return "a stream was reset by this side"  # what follows on it counts, or not, by when it comes
    return failure, protocol.ended, [
        (stream.done, stream.error and stream.error.label, stream.head and stream.head.status, stream.body_bytes)
        for stream in streams
    ]  # fmt: skip


def _websocket(pieces: list[bytes]) -> Any:
    protocol = WebSocketProtocol(_MESSAGE, MAX_BODY_BYTES)
    assert protocol.upgrade(switching(protocol.handshake(_MESSAGE)))
    protocol.frame(_MESSAGE)
    messages = 0
    try:
        for piece in pieces:
            messages += protocol.feed(piece)
            protocol.take()
            if messages:
                return messages
    except (Malformed, Failure) as error:
        return type(error).__name__, getattr(error, "kind", None)
    return None


TARGETS = {
    target.name: target
    for target in (
        Target("responses", _responses, _explained),
        Target("single_response", _single_response),
        Target("requests", _requests),
        Target("connect", _connect),
        Target("http2", _http2),
        Target("websocket", _websocket),
    )
}
