"""The result of a call: the response with its body, and the times that were recorded of it. Decides nothing."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from loadgen.model.errors import ErrorKind
from loadgen.model.records import EXCHANGE_FIELDS, HANDSHAKE
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.response_reader import ResponseReader

_HANDSHAKE = tuple(phase.value for phase in HANDSHAKE)
_OUTCOME = EXCHANGE_FIELDS.index("outcome")


class CallResult(NamedTuple):
    """One call, as it was recorded."""

    outcome: int
    """The status code, or -ErrorKind."""
    failure: str
    """One line about an error, else empty."""
    head: ResponseHead | None
    """Of a complete response."""
    body: bytes
    """Of a complete response; decoded from chunks, and from nothing else."""
    phases: dict[str, int | None]
    """Durations (ns) by name, None where a phase did not happen."""
    latency_ns: int
    """The sum of the phases."""
    connection: int
    """The connection's number."""
    request_index: int
    """How many requests the connection had served before."""

    @property
    def status(self) -> int:
        """The status code, 0 where there is no response."""
        return max(self.outcome, 0)

    @property
    def error(self) -> ErrorKind | None:
        return ErrorKind(-self.outcome) if self.outcome < 0 else None

    @property
    def reused(self) -> bool:
        """The connection had served a request before."""
        return self.request_index > 0


class BodyReader(ResponseReader):
    """Keeps the body of the response under way until it is taken."""

    __slots__ = ("_keep", "_parts")

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(max_body_bytes)
        self._parts: list[bytes] = []
        self._keep = self._parts.append

    def feed(self, data: bytes, sink: Any = None) -> bool:
        return super().feed(data, self._keep)

    def feed_buffer(self, buffer: bytearray, size: int) -> bool:
        return self.feed(bytes(memoryview(buffer)[:size]))

    def take(self) -> bytes:
        """The body so far; it is kept no longer."""
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return body


def result_of(connection: Connection, row: tuple[int, ...]) -> CallResult:
    """The result of a call, from the row that was recorded of it and the connection it was recorded on."""
    number, _, request_index, _, queue, _, send, wait, receive, *_ = row
    outcome = row[_OUTCOME]
    handshake: dict[str, int | None] = dict.fromkeys(_HANDSHAKE)
    latency_ns = 0
    if request_index == 0:
        paid = connection.handshake or connection.handshake_ns()
        handshake = {name: value if value >= 0 else None for name, value in zip(_HANDSHAKE, paid, strict=True)}
        latency_ns = sum(value for value in paid if value >= 0)
    for value in (queue, send, wait, receive):
        if value >= 0:
            latency_ns += value
    phases = {
        "queue": queue if queue >= 0 else None,
        **handshake,
        "send": send if send >= 0 else None,
        "wait": wait if wait >= 0 else None,
        "receive": receive if receive >= 0 else None,
    }
    if outcome < 0:
        return CallResult(outcome, connection.failure, None, b"", phases, latency_ns, number, request_index)
    reader = cast(BodyReader, connection.reader)
    return CallResult(outcome, "", reader.head, reader.take(), phases, latency_ns, number, request_index)
