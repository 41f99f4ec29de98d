"""What is sent and received on one stream, as values that HTTP/2 and HTTP/1.1 share. Reads no bytes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import FieldLines, ResponseHead
from loadgen.wire.http1.upload import Content


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A request in each form that the server may make necessary."""

    fields: FieldLines
    """The HTTP/2 field section, pseudo-fields first."""
    body: Content
    plain: Content
    """The whole request in HTTP/1.1, for a server that declines HTTP/2."""
    upgrade: bytes = b""
    """The same with an offer to upgrade (RFC 7540 §3.2), for the first request of a connection."""
    closes: bool = False
    """`plain` asks the server to close the connection."""
    expects: bool = False
    """The body is to wait for 100 Continue (RFC 9110 §10.1.1)."""

    @property
    def head_only(self) -> bool:
        """The response has no content whatever its head says."""
        return self.fields[0][1] == b"HEAD"


class HttpStream:
    """One request and what has come of its response."""

    __slots__ = (
        "begun", "body", "body_bytes", "bytes_received", "detail", "done", "error", "head", "head_only", "number",
        "owner", "sent", "size_bytes", "trailers",
    )  # fmt: skip

    def __init__(self, number: int, owner: Any, head_only: bool = False) -> None:
        self.number = number
        # Whatever the caller that started the stream put there.
        self.owner = owner
        # The response has no content, whatever its head says (RFC 9110 §9.3.2).
        self.head_only = head_only
        # The whole request was handed out to be sent, and how many bytes that were.
        self.sent = False
        self.size_bytes = 0
        # The response has begun; and it is complete, or `error` and `detail` say why it never will be.
        self.begun = self.done = False
        self.error: ErrorKind | None = None
        self.detail = ""
        # The response.
        self.head: ResponseHead | None = None
        self.body_bytes = 0
        # Its body's pieces, where they are kept.
        self.body: list[bytes] | None = None
        self.trailers: list[tuple[bytes, bytes]] = []
        self.bytes_received = 0

    def fail(self, error: ErrorKind, detail: str) -> None:
        """It is over without a response."""
        self.done = True
        self.error = error
        self.detail = detail


class HeldStream(HttpStream):
    """One whose request's body waits for 100 Continue."""

    __slots__ = ("asked_ns", "continued", "held", "waited_ns")

    def __init__(self, number: int, owner: Any, held: Content, head_only: bool = False) -> None:
        super().__init__(number, owner, head_only)
        # The body; None once it is to be sent.
        self.held: Content | None = held
        # 100 Continue has come.
        self.continued = False
        # When the body began to wait, and for how long it did; ABSENT until that is known.
        self.asked_ns = self.waited_ns = ABSENT

    @property
    def waits(self) -> bool:
        """The server has been asked, and the wait is not over."""
        return self.asked_ns >= 0 and self.waited_ns < 0

    def end_wait(self, now_ns: int) -> None:
        """The wait ended at `now_ns`; what ended it may have been seen before it began."""
        self.waited_ns = max(0, now_ns - self.asked_ns)


@dataclass(slots=True, eq=False)
class StreamExchange:
    """One request under way. Each time is ABSENT until it has come."""

    request_index: int
    request: StreamRequest
    scheduled_ns: int
    queued: bool
    """It was due before it could begin."""
    begun_ns: int = ABSENT
    """It got a stream."""
    written_ns: int = ABSENT
    """Its frames were made, and about to be sent."""
    sent_ns: int = ABSENT
    """All of it was sent."""
    first_ns: int = ABSENT
    """The first byte of the response came."""
    lag_before_ns: int = 0
    """The connection's lag by events that are no concern of its own, of all until now."""
    lag_sent_ns: int = 0
    """Its own lag until all of it was sent."""
    wait_delay_ns: int = ABSENT
    """How late `first_ns` was stamped, at most; measured for a share of the exchanges."""
    stream: HttpStream | None = None

    def own_ns(self, end_ns: int) -> int:
        """The generator's own work between getting a stream and being sent: making frames of it."""
        return self._sending_ns(end_ns) - self.begun_ns

    def came_ns(self, polled_ns: int, now: int, end_ns: int) -> int:
        """When its first byte came, in a turn of the loop whose events were told of at `polled_ns`.

        It was read between `now` and `end_ns`. Where the exchange began, or was sent, in this same turn of the loop,
        its byte was none of the events.
        """
        if max(self.begun_ns, self.sent_ns) <= polled_ns <= now:
            return polled_ns
        return now if now >= self.begun_ns else end_ns

    def _sending_ns(self, end_ns: int) -> int:
        """When it began to be sent; one that never was has no own work."""
        return min(self.written_ns, end_ns) if self.written_ns >= 0 else self.begun_ns

    def phases_ns(self, end_ns: int) -> tuple[int, int, int]:
        """send, wait and receive of an exchange that ended, well or not, at `end_ns`; ABSENT for a missing phase."""
        begun_ns, sent_ns, first_ns = self._sending_ns(end_ns), self.sent_ns, self.first_ns
        came_ns = max(begun_ns, first_ns) if first_ns >= 0 else end_ns
        first_ns = came_ns if first_ns >= 0 else ABSENT
        receive_ns = end_ns - first_ns if first_ns >= 0 else ABSENT
        if not 0 <= sent_ns <= came_ns:  # it was answered, or given up, before all of it was sent
            return came_ns - begun_ns, ABSENT, receive_ns
        return sent_ns - begun_ns, came_ns - sent_ns, receive_ns


class StreamProtocol(Protocol):
    """One connection's streams, sans I/O. All methods may raise Failure or Malformed: the connection can't go on."""

    ended: bool
    """The server accepts no further streams."""
    acknowledged: bool
    """The server has accepted our settings, or there are none."""
    failure: UpgradeFailure | None
    """Why the connection can't go on, once the streams that `feed` returned last are handled."""
    requested_close: bool
    """A request asked the server to close the connection."""

    @property
    def free(self) -> int:
        """How many streams may be started now."""

    def start(self, request: StreamRequest, owner: Any) -> HttpStream:
        """Begin a stream; its bytes come with `more`."""

    def more(self) -> bytes:
        """The next bytes to send, a bounded number; empty where there are none, or windows are closed."""

    def release(self, stream: HeldStream) -> None:
        """Its body waits no longer: the next bytes have it, unless the response is complete."""

    def feed(self, data: bytes) -> list[HttpStream]:
        """Take bytes; returns the streams whose response has begun, that may go on, or that are done."""

    def finish(self) -> list[HttpStream]:
        """The server closed its side; returns the streams that are complete by that."""

    def cancel(self, stream: HttpStream) -> bool:
        """Give one stream up; False where that takes the whole connection."""

    def settings_timeout(self) -> None:
        """The server never acknowledged our settings: what announces the end says that (RFC 9113 §6.5.3)."""

    def closing_bytes(self) -> bytes:
        """What announces the end of the connection; empty where nothing does."""
