"""A network without a kernel: real connections over transports that a test answers by hand, and a clock of its own."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.cell import Cell
from loadgen.model.errors import ErrorKind
from loadgen.model.policy import parse_policy
from loadgen.model.records import ABSENT
from loadgen.model.target import parse_target
from loadgen.model.trailers import TrailerCounts
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.route import Route
from loadgen.wire.transport import Step
from tests.support.row_sink import RowSink

ADDRESS = (2, ("192.0.2.1", 80))
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
MORE, LAST = b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
MS = 1_000_000


class FakeClock:
    """Stands in for the monotonic clock of every module of the engine; it moves when a test moves it."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS
        self._timers: list[FakeTimer] = []

    def __call__(self) -> int:
        return self.now_ns

    def pass_ms(self, duration_ms: float) -> None:
        """Let time pass, and call back whose time has come."""
        end_ns = self.now_ns + int(duration_ms * MS)
        while due := [timer for timer in self._timers if timer.due_ns <= end_ns]:
            timer = min(due, key=lambda timer: timer.due_ns)
            self._timers.remove(timer)
            self.now_ns = timer.due_ns
            timer.callback()
        self.now_ns = end_ns

    @property
    def waiting(self) -> int:
        """Timers that have not called back yet."""
        return len(self._timers)

    def timer(self, callback: Callable[[], None]) -> FakeTimer:
        """In place of OneShotTimer."""
        return FakeTimer(self._timers, self, callback)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give this clock to all modules of drive and wire that read the time."""
        for name, module in list(sys.modules.items()):
            if name.startswith(("loadgen.drive", "loadgen.wire")):
                if hasattr(module, "monotonic_ns"):
                    monkeypatch.setattr(module, "monotonic_ns", self)
                if hasattr(module, "OneShotTimer"):
                    monkeypatch.setattr(module, "OneShotTimer", self.timer)
                if hasattr(module, "monotonic"):
                    monkeypatch.setattr(module, "monotonic", lambda: self.now_ns / 1e9)


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


class FakeTransport:
    """One connection's byte stream: a test lets it open, answers on it and closes it."""

    def __init__(self, session: Any) -> None:
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

    def connect(self, address: Any) -> None:
        pass

    def establish(self) -> Step:
        if self.refused:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return Step.OPEN

    def recv(self, size_bytes: int) -> bytes:
        if not self._incoming:
            raise BlockingIOError
        item = self._incoming.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def send(self, data: bytes) -> int:
        self.requests.append(bytes(data))
        return len(data)

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self._callback = callback

    def close(self) -> None:
        self.closed = True


class FakeRoute(Route):
    """Gives transports that stay on this machine, and remembers them in the order in which they were made."""

    def __init__(self) -> None:
        super().__init__(parse_target("http://h:81/"), addresses=[ADDRESS])
        self.made: list[FakeTransport] = []

    def transport(self, session: Any = None, offers_h2: bool = False) -> Any:
        made = FakeTransport(session)
        self.made.append(made)
        return made


class FakeSink(RowSink):
    """Keeps rows, and what was said of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[dict[str, Any]] = []

    def block(self, facts: dict[str, Any]) -> None:
        self.blocks.append(dict(facts))


class FakeContext:
    """What slots share in a block, with everything noted and nothing decided."""

    def __init__(
        self, policy: str = "persistent", think_s: float = 0.0, retries_stale: bool = False, takes_cookies: bool = False
    ) -> None:
        self.policy = parse_policy(policy)
        self.gap_s = self.policy.gap_ns / 1e9
        self.think_s = think_s
        self.running = True
        self.retries_stale = retries_stale
        self.takes_cookies = takes_cookies
        self.url = "http://h:81/"
        self.errors = self.retried = self.after_close_tried = self.after_close_answered = 0
        self.last_failure: tuple[ErrorKind, str] | None = None
        self.observed: dict[str, Any] = {}
        self.trailers = TrailerCounts()
        self.sink = FakeSink()
        self.route = FakeRoute()
        self.drained = 0
        self.first_heads: list[ResponseHead] = []
        self.pending: list[Connection] = []
        self._number = 0

    @property
    def made(self) -> list[FakeTransport]:
        """The transports of all connections so far."""
        return self.route.made

    def new_connection(self, listener: Listener) -> Connection:
        kind = Pipeline if self.policy.pipelines else Connection
        made = kind(self._number, self.route, listener, SimpleNamespace(ready_ns=0), ResponseReader(1 << 20))
        made.ignores_close = not self.policy.honours_close
        self._number += 1
        return made

    def record_connection(self, slot: int, connection: Connection) -> None:
        handshake = connection.handshake or connection.handshake_ns()
        self.sink.connection(
            connection.number, slot, connection.opened_ns, *handshake, ABSENT, connection.flags, connection.ending
        )

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
