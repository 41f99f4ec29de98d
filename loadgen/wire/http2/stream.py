"""What is sent and received on one stream, as values that HTTP/2 and HTTP/1.1 share. No octets are read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import ResponseHead

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A request in each form that the server may make necessary.

    fields: the HTTP/2 field section, pseudo-fields first; body: its content. plain: the whole request in HTTP/1.1, for
    a server that declines HTTP/2. upgrade: the same asking for the upgrade (RFC 7540 §3.2), for a connection's first.
    closes: `plain` asks the server to close the connection.
    """

    fields: Fields
    body: bytes
    plain: bytes
    upgrade: bytes = b""
    closes: bool = False

    @property
    def head_only(self) -> bool:
        """The response has no content whatever its head says."""
        return self.fields[0][1] == b"HEAD"


class HttpStream:
    """One request on its way and what came back of it.

    owner: whatever the one who started it has put there. sent: all of it was handed out to be sent; size_bytes: how
    much that was. begun: the response has begun; done: it is complete, or `error` and `detail` say why it never will
    be. head, trailers, body_bytes, bytes_received: of the response. head_only: it has no content (RFC 9110 §9.3.2).
    """

    __slots__ = (
        "begun", "body_bytes", "bytes_received", "detail", "done", "error", "head", "head_only", "number", "owner",
        "sent", "size_bytes", "trailers",
    )  # fmt: skip

    def __init__(self, number: int, owner: Any, head_only: bool = False) -> None:
        self.head_only = head_only
        self.number = number
        self.owner = owner
        self.sent = self.begun = self.done = False
        self.size_bytes = self.body_bytes = self.bytes_received = 0
        self.head: ResponseHead | None = None
        self.trailers: list[tuple[bytes, bytes]] = []
        self.error: ErrorKind | None = None
        self.detail = ""

    def fail(self, error: ErrorKind, detail: str) -> None:
        """It is over without a response."""
        self.done = True
        self.error = error
        self.detail = detail


@dataclass(slots=True, eq=False)
class StreamExchange:
    """One request under way, its times in ns. begun_ns: it got a stream; sent_ns: all of it was sent; ABSENT before.

    queued: it was due before it could begin. lag_before_ns: the connection's lag when it began.
    """

    request_index: int
    request: StreamRequest
    scheduled_ns: int
    queued: bool
    begun_ns: int = ABSENT
    sent_ns: int = ABSENT
    first_ns: int = ABSENT
    lag_before_ns: int = 0
    stream: HttpStream | None = None

    def phases_ns(self, end_ns: int) -> tuple[int, int, int]:
        """send, wait and receive of one that has begun and ended, well or not, at `end_ns`; ABSENT what was none."""
        begun_ns, sent_ns, first_ns = self.begun_ns, self.sent_ns, self.first_ns
        came_ns = first_ns if first_ns >= 0 else end_ns
        receive_ns = end_ns - first_ns if first_ns >= 0 else ABSENT
        if not 0 <= sent_ns <= came_ns:  # it was answered, or given up, before all of it was sent
            return came_ns - begun_ns, ABSENT, receive_ns
        return sent_ns - begun_ns, came_ns - sent_ns, receive_ns


class StreamProtocol(Protocol):
    """One connection's streams, sans I/O. All methods may raise Failure or Malformed: the connection can't go on.

    ended: the server takes no further streams. acknowledged: it has accepted our settings, where there are any.
    failure: why it can't go on after the streams that `feed` gave last. said_close: a request asked for that.
    """

    ended: bool
    acknowledged: bool
    failure: UpgradeFailure | None
    said_close: bool

    @property
    def free(self) -> int:
        """How many streams may be started now."""

    def start(self, request: StreamRequest, owner: Any) -> HttpStream:
        """Begin a stream; its octets come with `more`."""

    def more(self) -> bytes:
        """The next octets to send, a bounded number; empty where there are none, or windows are closed."""

    def feed(self, data: bytes) -> list[HttpStream]:
        """Take octets; gives the streams that have begun to be answered, or are done."""

    def finish(self) -> list[HttpStream]:
        """The server closed its side; gives the streams that are complete by that."""

    def cancel(self, stream: HttpStream) -> bool:
        """Give one stream up; False where that takes the whole connection."""

    def farewell(self) -> bytes:
        """What announces the end of the connection; empty where nothing does."""
