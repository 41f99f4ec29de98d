"""A client connection with all its neighbours faked: its transport, its clock, its route and its listener."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ClosedBy
from loadgen.model.target import parse_target
from loadgen.wire.clock import PhaseClock, Timer
from loadgen.wire.connection import Connection
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import READ_SIZE, WOULD_BLOCK, WRITE, Step, Transport

ADDRESS = (2, ("192.0.2.1", 80))
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
EOF = b""


def reset() -> OSError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def broken_pipe() -> OSError:
    return BrokenPipeError(errno.EPIPE, "Broken pipe")


class Clock(PhaseClock):
    """A monotonic clock that advances by itself at each look, a different step each time."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 1_000_000
        self.looks = 0
        self.runs = True

    def monotonic_ns(self) -> int:
        if self.runs:
            self.looks += 1
            self.now_ns += 1000 + self.looks
        return self.now_ns


class TimedClock(Clock):
    """With one timer, which a test ends."""

    def __init__(self) -> None:
        super().__init__()
        self._callback: Callable[[], None] | None = None
        self.limit_ns = 0
        """When the time that is running is over; 0 where none is."""

    def timer(self, callback: Callable[[], None]) -> Timer:
        self._callback = callback
        return self

    def begin(self, seconds: float) -> None:
        assert self.limit_ns == 0
        self.limit_ns = self.now_ns + round(seconds * 1e9)

    def cancel(self) -> None:
        self.limit_ns = 0

    def expire(self) -> None:
        assert self._callback is not None
        self.now_ns, self.limit_ns = self.limit_ns, 0
        self._callback()


class FakeTransport(Transport):
    """Records what was written and watched; gives what a test put into `steps` and `incoming`, raising exceptions."""

    def __init__(self, clock: PhaseClock) -> None:
        super().__init__(bytearray(READ_SIZE))
        self._clock = clock
        self.steps: list[Step | Exception] = [Step.OPEN]
        self.incoming: list[bytes | Exception] = []
        self.room_bytes = 1 << 30
        self.send_error: Exception | None = None
        self.connect_error: OSError | None = None
        self.connected_to: Any = None
        self.written = b""
        self.is_connected = False
        self.watched = 0
        self.closed = False
        self.resumed = False
        self.rtt_ns = self.arrived_ns = ABSENT
        """What the kernel would say, where it is asked."""
        self.asked: list[str] = []
        self.callback: Callable[[], None]

    def connect(self, address: Any, callback: Callable[[], None]) -> int:
        if self.connect_error:
            raise self.connect_error
        self.connected_to = address
        self.watch(WRITE, callback)
        return self._clock.monotonic_ns()

    def establish(self) -> Step:
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def receive(self) -> int:
        if not self.incoming:
            return WOULD_BLOCK
        item = self.incoming.pop(0)
        if isinstance(item, Exception):
            raise item
        if len(item) > READ_SIZE:
            self.incoming.insert(0, item[READ_SIZE:])
            item = item[:READ_SIZE]
        self.buffer[: len(item)] = item
        return len(item)

    def send(self, data: bytes | memoryview) -> int:
        if self.send_error:
            raise self.send_error
        taken = bytes(data[: self.room_bytes])
        if not taken:
            return WOULD_BLOCK
        self.room_bytes -= len(taken)
        self.written += taken
        return len(taken)

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        assert not self.closed
        self.watched, self.callback = event, callback

    def close(self) -> None:
        self.closed = True

    def was_connected(self) -> bool:
        return self.is_connected

    def first_rtt_ns(self) -> int:
        self.asked.append("rtt")
        return self.rtt_ns

    def arrival_ns(self) -> int:
        self.asked.append("arrival")
        return self.arrived_ns


class FakeRoute(Route):
    """A route whose transports are made by a test."""

    make: Callable[[Any], FakeTransport]

    def transport(self, session: Any = None, offers_h2: bool = False, user: int = 0, request: Any = None) -> Any:
        return self.make(session)


def exchange_phases(connection: Connection) -> tuple[int, int, int]:
    """send, wait and receive (ns) of the exchange that has just ended; ABSENT where a phase did not happen."""
    return connection.phase_ns(SENDING), connection.phase_ns(WAITING), connection.phase_ns(RECEIVING)


class Rig(Listener):
    """A connection with all its neighbours faked; it is its own listener."""

    def __init__(self, clock: Clock, limit_bytes: int = 1000, kind: Callable[..., Connection] = Connection) -> None:
        self.clock = clock
        self.transport = FakeTransport(clock)
        self.sessions: list[Any] = []
        self.making_ns = 0
        """How long it takes to make the transport."""
        self.route = FakeRoute(parse_target("http://h:81/"), addresses=[ADDRESS])
        self.route.make = self._new_transport
        self.reader = ResponseReader(limit_bytes)
        self.connection = kind(7, self.route, self, clock, self.reader)
        self.outcomes: list[int] = []
        self.end_ns = 0
        self.losses = 0
        self.answer: Callable[[bytes, int, Callable[[Any], None]], None] | None = None
        self.listener_error: Exception | None = None

    def _new_transport(self, session: Any) -> FakeTransport:
        self.sessions.append(session)
        self.clock.now_ns += self.making_ns
        return self.transport

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        assert connection is self.connection
        self.outcomes.append(outcome)
        self.end_ns = end_ns
        if self.listener_error:
            raise self.listener_error

    def connection_lost(self, connection: Connection) -> None:
        assert connection is self.connection
        self.losses += 1

    def open(self, request: Any = REQUEST) -> Rig:
        """Open, and take all the transport's steps."""
        self.connection.open(request, 0)
        while self.transport.steps and self.connection.busy:
            self.transport.callback()
        return self

    def arrive(self, *items: bytes | Exception) -> Rig:
        self.transport.incoming += items
        self.transport.callback()
        return self

    def reuse(self, request: Any = REQUEST) -> Rig:
        self.connection.exchange(request)
        return self

    @property
    def phases(self) -> dict[str, int]:
        """The phases that happened (ns)."""
        assert self.connection.handshake is not None
        names = ("dns", "connect", "tunnel", "tls", "upgrade", "send", "wait", "receive")
        handshake = self.connection.handshake if self.connection.request_index == 0 else (ABSENT,) * 5
        phases = zip(names, (*handshake, *exchange_phases(self.connection)), strict=True)
        return {name: phase for name, phase in phases if phase != ABSENT}

    def assert_tiled(self, *names: str) -> None:
        """Exactly these phases happened, and with the generator's own work they sum to the time of the sample."""
        assert tuple(self.phases) == names
        assert all(phase > 0 for phase in self.phases.values())
        assert self.connection.own_ns >= 0
        assert sum(self.phases.values()) + self.connection.own_ns == self.end_ns - self.connection.scheduled_ns

    def assert_failed(self, kind: ErrorKind, by: ClosedBy) -> None:
        assert [ErrorKind(-outcome) for outcome in self.outcomes[-1:]] == [kind]
        assert (self.connection.state, self.connection.ending.closed_by) == (CLOSED, by)
        assert self.transport.closed
        assert self.connection.failure
        assert self.losses == 0
