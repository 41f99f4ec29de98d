"""A network without a kernel: real connections over transports that a test answers by hand, and a clock of its own."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import Any

from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.drive.slots.context import SlotContext
from loadgen.model.cell import Cell
from loadgen.model.errors import ErrorKind
from loadgen.model.policy import parse_policy
from loadgen.model.target import parse_target
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import READ_SIZE, WOULD_BLOCK, Step, Transport
from tests.support.row_sink import RowSink

ADDRESS = (2, ("192.0.2.1", 80))
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
MORE, LAST = b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
MS = 1_000_000


class FakeClock(PhaseClock):
    """A clock that moves when a test moves it; the kernel tells of events as they happen."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        """How long (s) each call of `sleep` was to last."""
        self._timers: list[FakeTimer] = []
        self._set(1_000 * MS)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def pass_ms(self, duration_ms: float) -> None:
        """Let time pass, and call back whose time has come."""
        end_ns = self.now_ns + int(duration_ms * MS)
        while due := [timer for timer in self._timers if timer.due_ns <= end_ns]:
            timer = min(due, key=lambda timer: timer.due_ns)
            self._timers.remove(timer)
            self._set(timer.due_ns)
            timer.callback()
        self._set(end_ns)

    def sleep(self, seconds: float) -> None:
        """In place of gevent's: the time passes, and no greenlet has its turn."""
        self.slept.append(seconds)
        self.pass_ms(seconds * 1e3)

    @property
    def waiting(self) -> int:
        """Timers that have not called back yet."""
        return len(self._timers)

    def timer(self, callback: Callable[[], None]) -> FakeTimer:
        return FakeTimer(self._timers, self, callback)

    def _set(self, now_ns: int) -> None:
        self.now_ns = self.polled_ns = self.ready_ns = now_ns


class FakeTimer:
    """A one-shot timer that the clock ends."""

    def __init__(self, running: list[FakeTimer], clock: FakeClock, callback: Callable[[], None]) -> None:
        self._running = running
        self._clock = clock
        self.callback = callback
        self.due_ns = 0

    def begin(self, seconds: float) -> None:
        self.due_ns = self._clock.now_ns + round(seconds * 1e9)
        self._running.append(self)

    def cancel(self) -> None:
        if self in self._running:
            self._running.remove(self)


class FakeTransport(Transport):
    """One connection's byte stream: a test lets it open, answers on it and closes it."""

    def __init__(self, clock: PhaseClock, session: Any = None) -> None:
        super().__init__(bytearray(READ_SIZE))
        self._clock = clock
        self.offered_session = session
        self.session = object()
        self.requests: list[bytes] = []
        self.closed = False
        self.refused = False
        self._incoming: list[bytes | Exception] = []
        self._callback: Callable[[], None] | None = None

    def open(self) -> None:
        """The connection is established."""
        self._wake()

    def refuse(self) -> None:
        """The server accepts no connection."""
        self.refused = True
        self._wake()

    def answer(self, response: bytes = HELLO) -> None:
        """The server sends a response."""
        self._incoming.append(response)
        self._wake()

    def answer_and_close(self, response: bytes) -> None:
        """The server sends a response and closes its side; the close is there before the response is read."""
        self._incoming += [response, b""]
        self._wake()

    def end(self) -> None:
        """The server closes its side."""
        self.answer(b"")

    def reset(self) -> None:
        """The server resets the connection."""
        self._incoming.append(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
        self._wake()

    def _wake(self) -> None:
        assert self._callback is not None
        self._callback()

    # What a connection calls

    def connect(self, address: Any, callback: Callable[[], None]) -> int:
        self._callback = callback
        return self._clock.monotonic_ns()

    def establish(self) -> Step:
        if self.refused:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return Step.OPEN

    def receive(self) -> int:
        if not self._incoming:
            return WOULD_BLOCK
        item = self._incoming.pop(0)
        if isinstance(item, Exception):
            raise item
        assert len(item) <= READ_SIZE
        self.buffer[: len(item)] = item
        return len(item)

    def send(self, data: bytes | memoryview) -> int:
        self.requests.append(bytes(data))
        return len(data)

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self._callback = callback

    def close(self) -> None:
        self.closed = True


class FakeRoute(Route):
    """Gives transports that stay on this machine, and remembers them in the order in which they were made."""

    def __init__(self, clock: PhaseClock, kind: type[FakeTransport] = FakeTransport) -> None:
        super().__init__(parse_target("http://h:81/"), addresses=[ADDRESS])
        self._clock = clock
        self._kind = kind
        self.made: list[FakeTransport] = []

    def transport(self, session: Any = None, offers_h2: bool = False, user: int = 0, request: Any = None) -> Any:
        made = self._kind(self._clock, session)
        self.made.append(made)
        return made


class FakeSink(RowSink):
    """Keeps rows, and what was said of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[dict[str, Any]] = []

    def block(self, facts: dict[str, Any]) -> None:
        self.blocks.append(dict(facts))


class FakeContext(SlotContext):
    """What slots share in a block, with everything noted and nothing decided."""

    clock: FakeClock
    sink: FakeSink

    def __init__(
        self,
        clock: FakeClock,
        policy: str = "persistent",
        think_s: float = 0.0,
        retried: Iterable[ErrorKind] = (),
        takes_cookies: bool = False,
    ) -> None:
        super().__init__(FakeSink(), clock)
        self.policy = parse_policy(policy)
        self.gap_s = self.policy.gap_ns / 1e9
        self.think_s = think_s
        self.running = True
        self.retried_outcomes = frozenset(-kind for kind in retried)
        self.takes_cookies = takes_cookies
        self.url = "http://h:81/"
        self.route = FakeRoute(clock)
        self.drained = self.ends = 0
        self.first_heads: list[ResponseHead] = []
        self.pending: list[Connection] = []
        self._number = 0

    @property
    def made(self) -> list[FakeTransport]:
        """The transports of all connections so far."""
        return self.route.made

    def new_connection(self, listener: Listener) -> Connection:
        kind = Pipeline if self.policy.pipelines else Connection
        made = kind(self._number, self.route, listener, self.clock, ResponseReader(1 << 20))
        made.ignores_close = not self.policy.honours_close
        self._number += 1
        return made

    def record_connection(self, slot: int, connection: Connection) -> None:
        self.sink.connection(
            connection.number, slot, connection.opened_ns, *(connection.handshake or connection.handshake_ns()),
            connection.connect_delay_ns, connection.flags, connection.ending,
        )  # fmt: skip

    def ask(self, requests: int) -> None:
        """A window begins that is to have so many requests."""
        self.asked = requests
        self.count_from(self.clock.now_ns)

    def all_ended(self) -> None:
        self.ends += 1

    def exchange_drained(self) -> None:
        self.drained += 1

    def note_first_response(self, head: ResponseHead) -> None:
        self.first_heads.append(head)

    def about_to_close(self, connection: Connection) -> None:
        pass

    def await_close(self, slot: int, connection: Connection) -> None:
        self.pending.append(connection)


def requests() -> EncodedRequest:
    """A request with more to follow, and as the last one on its connection."""

    def write(is_last: bool, cookies: str) -> bytes:
        request = LAST if is_last else MORE
        return request.replace(b"\r\n\r\n", b"\r\nCookie: " + cookies.encode() + b"\r\n\r\n") if cookies else request

    return EncodedRequest(write)


def cell(policy: str = "persistent", users: int = 1, rate_rps: float = 0.0) -> Cell:
    return Cell(policy, parse_policy(policy), users, rate_rps, "/")
