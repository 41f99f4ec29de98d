"""The result of a call: the response with its body, and the times that were recorded of it. Decides nothing."""

from __future__ import annotations

from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.model.records import HANDSHAKE
from loadgen.model.sample_sink import SampleSink
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import SENDING, WAITING

_HANDSHAKE = tuple(phase.value for phase in HANDSHAKE)
_NO_PHASES: dict[str, int | None] = dict.fromkeys(("queue", *_HANDSHAKE, "send", "wait", "receive"))


def phases_by_name(
    handshake: tuple[int, ...] = (), queue: int = -1, send: int = -1, wait: int = -1, receive: int = -1
) -> dict[str, int | None]:
    """Durations (ns) by name, None where a phase did not happen. A negative one did not."""
    values = {**dict(zip(_HANDSHAKE, handshake, strict=False)), "queue": queue, "send": send}
    values |= {"wait": wait, "receive": receive}
    return _NO_PHASES | {name: value for name, value in values.items() if value >= 0}


class CallResult:
    """One call, as it was recorded."""

    __slots__ = ("body", "connection", "failure", "head", "latency_ns", "outcome", "phases", "request_index")

    def __init__(
        self, outcome: int, failure: str, head: ResponseHead | None, body: bytes, phases: dict[str, int | None],
        latency_ns: int, connection: int, request_index: int,
    ) -> None:  # fmt: skip
        self.outcome = outcome
        """The status code, or -ErrorKind."""
        self.failure = failure
        """One line about an error, else empty."""
        self.head = head
        """Of a complete response."""
        self.body = body
        """Of a complete response; decoded from chunks, and from nothing else."""
        self.phases = phases
        """Durations (ns) by name, None where a phase did not happen."""
        self.latency_ns = latency_ns
        """The sum of the phases."""
        self.connection = connection
        """The connection's number."""
        self.request_index = request_index
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
    """Keeps the body of the response under way until it is taken.

    memory: of the same server's heads. It must be an exact one: a scenario may read any field of a head.
    """

    __slots__ = ("_keep", "_parts", "stream")

    keeps_bodies = True

    def __init__(self, max_body_bytes: int, memory: HeadMemory | None = None) -> None:
        ResponseReader.__init__(self, max_body_bytes, memory)
        self._parts: list[bytes] = []
        self._keep = self._parts.append
        self.stream: Any = None
        """Gets a body as it comes: called with the head and a part, while the response is not complete."""

    def feed(self, data: bytes, sink: Any = None) -> bool:
        done = ResponseReader.feed(self, data, self._keep)
        if self.stream is not None and not done and self._current is not None:
            self.stream(self._current, self.take())
        return done

    def feed_buffer(self, buffer: bytearray, size: int) -> bool:
        end = self._recognise(buffer, size)
        if end == 0:
            return self.feed(bytes(memoryview(buffer)[:size]))
        self._parts.append(bytes(buffer[end:size]))
        return True

    def keep_body(self, pieces: list[bytes]) -> None:
        """The body of a response that came otherwise, in a stream of HTTP/2."""
        self._parts.extend(pieces)

    def take(self) -> bytes:
        """The body so far; it is kept no longer."""
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return body


class CallRow(SampleSink):
    """Passes rows of exchanges on, and keeps of the last one what its call's result needs."""

    __slots__ = ("_number", "_outcome", "_queue", "_receive", "_request_index", "_send", "_sink", "_wait")

    def __init__(self, sink: SampleSink) -> None:
        self._sink = sink
        self._number = self._request_index = self._outcome = 0
        self._queue = self._send = self._wait = self._receive = 0

    def exchange(
        self, connection: int, user: int, request_index: int, scheduled: int, queue: int, late: int, send: int,
        wait: int, receive: int, own: int, lag: int, wait_delay: int, outcome: int, bytes_sent: int,
        bytes_received: int, continue_wait: int,
    ) -> None:  # fmt: skip
        self._number = connection
        self._request_index = request_index
        self._outcome = outcome
        self._queue = queue
        self._send = send
        self._wait = wait
        self._receive = receive
        self._sink.exchange(
            connection, user, request_index, scheduled, queue, late, send, wait, receive, own, lag, wait_delay,
            outcome, bytes_sent, bytes_received, continue_wait,
        )  # fmt: skip

    def so_far(self, connection: Connection, head: ResponseHead) -> CallResult:
        """What is known of a call once the response's head has come."""
        self._number = connection.number
        self._request_index = connection.request_index
        self._outcome, self._queue, self._receive = -1, connection.queue_ns, -1
        self._send, self._wait = connection.phase_ns(SENDING), connection.phase_ns(WAITING)
        known = self.result(connection)
        return CallResult(
            head.status, "", head, b"", known.phases, known.latency_ns, known.connection, known.request_index
        )

    def result(self, connection: Connection) -> CallResult:
        """The result of the call that ended last, on this connection."""
        phases = _NO_PHASES.copy()
        latency_ns = 0
        if self._queue >= 0:
            phases["queue"] = self._queue
            latency_ns += self._queue
        if self._request_index == 0:
            for name, value in zip(_HANDSHAKE, connection.handshake or connection.handshake_ns(), strict=True):
                if value >= 0:
                    phases[name] = value
                    latency_ns += value
        if self._send >= 0:
            phases["send"] = self._send
            latency_ns += self._send
        if self._wait >= 0:
            phases["wait"] = self._wait
            latency_ns += self._wait
        if self._receive >= 0:
            phases["receive"] = self._receive
            latency_ns += self._receive
        failure, head, body = connection.failure, None, b""
        if self._outcome >= 0:
            reader: Any = connection.reader
            failure, head, body = "", reader.head, reader.take()
        return CallResult(
            self._outcome, failure, head, body, phases, latency_ns, self._number, self._request_index
        )  # fmt: skip
