"""One process's users: runs a block of closed-loop load and hands every exchange to the sink. Decides no order."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event

from loadgen.drive.pulse import LoopPulse
from loadgen.drive.schedule import Block
from loadgen.drive.user import FirstLook, Linger, Sink, User
from loadgen.model.plan import Plan
from loadgen.model.sample import ErrorKind
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection, Listener
from loadgen.wire.http1 import ResponseReader, build_request
from loadgen.wire.route import Route

_MOST_USERS_AT_ONCE = 100
# How long a server may take to close what it was asked to close, and how many such connections are waited for.
_GRACE_S = 0.02
_MOST_LINGERING = 256


@dataclass(frozen=True, slots=True)
class Window:
    """The counted part of a block: when it began and ended (ns), and the CPU time (ns) this process spent in it."""

    begun_ns: int
    ended_ns: int
    cpu_ns: int


class Worker:
    """Runs blocks one after another on this process's loop."""

    def __init__(self, plan: Plan, route: Route, sink: Sink) -> None:
        self.sink = sink
        self.errors = 0
        self.last_failure: tuple[ErrorKind, str] | None = None
        self.running = False
        self.interrupted = False
        self.observed: dict[str, Any] = {}
        self._plan = plan
        self._route = route
        self._users: list[User] = []
        self._connections = 0
        self._busy = 0
        self._wake = Event()
        self._fatal: BaseException | None = None
        self._loop = gevent.get_hub().loop
        timeout_s = plan.load.timeout_ns / NS_PER_S
        # One timer looks over all requests: a timer for each would cost more than the request's own bookkeeping.
        tick_s = min(0.1, max(0.005, timeout_s / 50))
        self._sweep = self._loop.timer(tick_s, tick_s, ref=False)
        self._sweep.start(self._expire)
        self._lingering: dict[Linger, float] = {}
        self._grace = self._loop.timer(_GRACE_S / 4, _GRACE_S / 4, ref=False)
        self._grace.start(self._end_grace)
        self.pulse = LoopPulse(self._loop)
        self.think_s = plan.load.think_ns / NS_PER_S

    def prepare(self, block: Block) -> None:
        """Create the block's users; nothing is sent yet."""
        plan = self._plan
        self.reuses = block.policy.reuses
        self.resumes_tls = block.policy.resumes_tls
        self.request = build_request(
            plan.method,
            plan.target.path,
            plan.target.host_field,
            plan.headers,
            plan.body,
            block.policy.connection_option,
        )
        self._users = [User(self, index) for index in range(plan.load.users)]

    def knock(self) -> tuple[ErrorKind, str] | None:
        """Let the first user alone send one request; returns how it failed, or None. It goes on from there."""
        user = self._users[0]
        self._busy = 1
        user.connection = self.new_connection(FirstLook(self, user))
        user.connection.open(self.request, 0)
        self._drain()
        failure, self.last_failure = self.last_failure, None
        return failure

    def run(self, on_window: Callable[[int], None]) -> Window:
        """Run the prepared block: ramp and warm-up, then the counted window, then drain and close.

        `on_window` is called with the time (ns) at which the window begins. Raises whatever a callback of the loop
        raised: OSError where the sink's disk is full.
        """
        load = self._plan.load
        gc.collect()
        gc.freeze()
        self._wake.clear()
        marks: list[tuple[int, int]] = []

        def mark() -> None:
            marks.append((time.monotonic_ns(), time.process_time_ns()))

        def open_window() -> None:
            mark()
            on_window(marks[0][0])

        if not self.interrupted:
            self.running = True
            window = self._loop.timer(load.warmup_ns / NS_PER_S)
            window.start(open_window)
            end_s = time.monotonic() + load.block_ns / NS_PER_S
            self._start_users(load.warmup_ns / NS_PER_S)
            self._wake.wait(max(0.0, end_s - time.monotonic()))
            window.close()
        mark()
        self.running = False
        self._settle()
        if len(marks) == 1:  # interrupted within the warm-up: the window is empty
            marks *= 2
        (begun, cpu_begun), (ended, cpu_ended) = marks
        return Window(begun, ended, cpu_ended - cpu_begun)

    def interrupt(self) -> None:
        """End the block now; what is under way is recorded as unfinished."""
        self.interrupted = True
        self._wake.set()

    def fail(self, error: BaseException) -> None:
        """A callback of the loop raised: end the run with that."""
        if self._fatal is None:
            self._fatal = error
        self._wake.set()

    @property
    def connections(self) -> int:
        """How many connections were begun; the next one gets this number."""
        return self._connections

    # Called by users

    def new_connection(self, listener: Listener) -> Connection:
        reader = ResponseReader(self._plan.max_body_bytes)
        reader.no_body = self._plan.method == "HEAD"
        number = self._connections
        self._connections = number + 1
        return Connection(number, self._route, listener, self.pulse, reader)

    def record_connection(self, user: int, connection: Connection) -> None:
        handshake = connection.handshake or connection.handshake_ns()
        self.sink.connection(
            connection.number, user, connection.opened_ns, *handshake, connection.flags, connection.closed_by
        )

    def linger(self, user: int, connection: Connection) -> None:
        """Give a server that announced no close a moment to do it; the user goes on meanwhile."""
        lingering = self._lingering
        lingering[Linger(self, user, connection)] = time.monotonic()
        if len(lingering) > _MOST_LINGERING:
            next(iter(lingering)).give_up()

    def lingered(self, user: int, linger: Linger) -> None:
        """It is decided how the connection ended."""
        del self._lingering[linger]
        self.record_connection(user, linger.connection)

    def rested(self) -> None:
        """A user's exchange ended while the block is not running."""
        self._busy -= 1
        if self._busy == 0:
            self._wake.set()

    # Inside

    def _settle(self) -> None:
        """The block is over: let exchanges under way come to their end, then close all connections."""
        for user in self._users:
            user.leave()
        self._busy = sum(user.connection is not None for user in self._users)
        self._drain()
        for user in self._users:
            user.leave()
        if self._lingering:
            gevent.sleep(_GRACE_S)
        for linger in list(self._lingering):
            linger.give_up()

    def _drain(self) -> None:
        """Wait until no exchange is under way; an interruption cuts them short."""
        while self._busy and self._fatal is None:
            if self.interrupted:
                for user in self._users:
                    if user.connection is not None and user.connection.busy:
                        user.connection.abandon()
            else:
                self._wake.clear()
                self._wake.wait()
        if self._fatal is not None:
            raise self._fatal

    def _start_users(self, over_s: float) -> None:
        """Start users in batches spread over the first half of the warm-up, so as not to flood the listen queue."""
        users = self._users
        batches = [users[at : at + _MOST_USERS_AT_ONCE] for at in range(0, len(users), _MOST_USERS_AT_ONCE)]
        pause_s = over_s / 2 / len(batches)
        for number, batch in enumerate(batches):
            if number and self._wake.wait(pause_s):
                return
            for user in batch:
                if self.think_s:  # spread over one pause: in step they would meet at the target again and again
                    user.rest(self.think_s * user.index / len(users) or 1e-6)
                else:
                    user.begin()

    def _end_grace(self) -> None:
        latest = time.monotonic() - _GRACE_S
        for linger in [linger for linger, begun in self._lingering.items() if begun < latest]:
            linger.give_up()

    def _expire(self) -> None:
        oldest_ns = time.monotonic_ns() - self._plan.load.timeout_ns
        for user in self._users:
            connection = user.connection
            if connection is not None and connection.busy and connection.scheduled_ns < oldest_ns:
                connection.expire()


def rss_bytes() -> int:
    """Resident memory of this process now, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 # a kernel table, not a path
        return int(statm.read().split()[1]) * resource.getpagesize()
