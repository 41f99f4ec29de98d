"""One process's load: runs a block and hands every exchange to the sink. Decides no order."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gevent
from gevent.event import Event

from loadgen.drive.client import Requests
from loadgen.drive.costs import Costs
from loadgen.drive.line import FirstLook, Linger, Sink
from loadgen.drive.load import BlockLoad, Shared, Users
from loadgen.drive.pacer import due_ns
from loadgen.drive.pulse import LoopPulse
from loadgen.drive.schedule import Block
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.sample import ErrorKind
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection, Listener
from loadgen.wire.head import ResponseHead
from loadgen.wire.http1 import ResponseReader, build_request
from loadgen.wire.pipeline import Pipeline
from loadgen.wire.route import Route

_MOST_USERS_AT_ONCE = 100
# How long a server may take to close what it was asked to close, and how many such connections are waited for.
_GRACE_S = 0.02
_MOST_LINGERING = 256
# How long, at the end of a block, those who still wait for a connection may get one.
_PATIENCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Window:
    """The counted part of a block: when it began and ended (ns), and the CPU time (ns) this process spent in it."""

    begun_ns: int
    ended_ns: int
    cpu_ns: int


class Worker:
    """Runs blocks one after another on this process's loop.

    policy, retried, after_close_tried, after_close_answered, keep_alive: of the block under way.
    """

    def __init__(self, plan: Plan, route: Route, sink: Sink, connections: int = 0) -> None:
        self.sink = sink
        self.errors = 0
        self.last_failure: tuple[ErrorKind, str] | None = None
        self.running = False
        self.interrupted = False
        self.observed: dict[str, Any] = {}
        self.retries_stale = plan.retry_stale
        # Where the plan itself gives a Cookie field, that is the only one (RFC 6265 §5.4).
        self.takes_cookies = plan.cookies and not any(name.lower() == "cookie" for name, _ in plan.headers)
        self.url = str(plan.target)
        self.retried = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive: dict[str, int] = {}
        self.policy: ConnectionPolicy
        self.costs: Costs  # whoever runs the worker hands it over once the target's address is known
        self.idle_s = 0.0
        self._plan = plan
        self._route = route
        self._load: BlockLoad
        self._connections = connections
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
        """Create the block's load; nothing is sent yet."""
        plan, cell = self._plan, block.cell
        self.policy = cell.policy
        self.idle_s = cell.policy.idle_ns / NS_PER_S
        self.retried = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive = {}
        requests = Requests(partial(self._write_request, cell.path))
        if cell.rate_rps or cell.policy.pool:
            dues = partial(due_ns, cell.rate_rps, plan.load.arrivals, plan.seed * 1_000_003 + block.round)
            self._load = Shared(self, cell, requests, plan.load.max_connections, dues, time.monotonic_ns)
        else:
            self._load = Users(self, cell, requests)

    def knock(self) -> tuple[ErrorKind, str] | None:
        """Let one request go alone before all others; returns how it failed, or None. The load goes on from there."""
        line = self._load.first()
        self._busy = 1
        line.knock(FirstLook(self, line))
        self._drain()
        failure, self.last_failure = self.last_failure, None
        return failure

    def run(self, block: Block, on_window: Callable[[int], None]) -> Window:
        """Run the prepared `block`: ramp and warm-up, then the counted window, then drain and close.

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
            self.costs.window_begins()
            mark()
            on_window(marks[0][0])

        self.costs.begin(block)
        if not self.interrupted:
            self.running = True
            self._loop.update_now()  # timers count from the loop's own time, which stood still since its last turn
            window = self._loop.timer(load.warmup_ns / NS_PER_S)
            window.start(open_window)
            end_s = time.monotonic() + load.block_ns / NS_PER_S
            self._load.begin()
            self._start_users(load.warmup_ns / NS_PER_S)
            self._wake.wait(max(0.0, end_s - time.monotonic()))
            window.close()
        mark()
        self.running = False
        self.costs.window_ends([line.connection for line in self._load.lines if line.connection is not None])
        self._settle()
        if len(marks) == 1:  # interrupted within the warm-up: the window is empty
            marks *= 2
        (begun, cpu_begun), (ended, cpu_ended) = marks
        return Window(begun, ended, cpu_ended - cpu_begun)

    def account(self, window: Window) -> dict[str, int]:
        """What no sample tells of: requests of the window that never got a connection (`unstarted`), arrivals `due`."""
        return self._load.account(window.begun_ns, window.ended_ns)

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

    # Called by lines

    def new_connection(self, listener: Listener) -> Connection:
        reader = ResponseReader(self._plan.max_body_bytes)
        reader.no_body = self._plan.method == "HEAD"
        number = self._connections
        self._connections = number + 1
        kind = Pipeline if self.policy.depth > 1 else Connection
        connection = kind(number, self._route, listener, self.pulse, reader)
        if not self.policy.obeys:
            connection.stubborn = True
        return connection

    def record_connection(self, slot: int, connection: Connection) -> None:
        handshake = connection.handshake or connection.handshake_ns()
        self.sink.connection(
            connection.number, slot, connection.opened_ns, *handshake, connection.flags, connection.ending
        )

    def closing(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""
        if self.running:
            self.costs.closing(connection)

    def linger(self, slot: int, connection: Connection) -> None:
        """Give a server that announced no close a moment to do it; the load goes on meanwhile."""
        lingering = self._lingering
        lingering[Linger(self, slot, connection)] = time.monotonic()
        if len(lingering) > _MOST_LINGERING:
            next(iter(lingering)).give_up()

    def lingered(self, slot: int, linger: Linger) -> None:
        """It is decided how the connection ended."""
        del self._lingering[linger]
        self.record_connection(slot, linger.connection)

    def rested(self) -> None:
        """An exchange ended while the block is not running."""
        self._busy -= 1
        if self._busy == 0:
            self._wake.set()

    # Inside

    def _write_request(self, path: str, is_last: bool, cookies: str) -> bytes:
        plan, policy = self._plan, self.policy
        headers = plan.headers
        if cookies:
            headers = (*headers, ("Cookie", cookies))
        option = policy.last_option if is_last else policy.connection_option
        return build_request(
            plan.method, path, plan.target.host_field, headers, plan.body, option, policy.http_version
        )  # fmt: skip

    def note_first(self, head: ResponseHead) -> None:
        """The head of a connection's first response: what its Keep-Alive field says."""
        timeout_s, maximum = head.keep_alive_timeout_s, head.keep_alive_max
        noted = self.keep_alive
        if timeout_s is not None:
            noted["timeout_s"] = min(timeout_s, noted.get("timeout_s", timeout_s))
        if maximum is not None:
            noted["max"] = max(maximum, noted.get("max", maximum))

    def _settle(self) -> None:
        """The block is over: let exchanges under way come to their end, then close all connections."""
        load = self._load
        load.leave()
        self._busy = sum(line.connection is not None for line in load.lines) + load.waiting
        patience = self._loop.timer(_PATIENCE_S)
        patience.start(self._drop_waiting)
        self._drain()
        patience.close()
        self._load.leave()
        if self._lingering:
            gevent.sleep(_GRACE_S)
        for linger in list(self._lingering):
            linger.give_up()

    def _drop_waiting(self) -> None:
        """Who still waits for a connection gets none: it is counted, not sampled."""
        dropped = self._load.drop_waiting()
        self._busy -= dropped
        if dropped and self._busy == 0:
            self._wake.set()

    def _drain(self) -> None:
        """Wait until no exchange is under way; an interruption cuts them short."""
        while self._busy and self._fatal is None:
            if self.interrupted:
                self._drop_waiting()
                for line in self._load.lines:
                    if line.connection is not None and line.connection.busy:
                        line.connection.abandon()
            else:
                self._wake.clear()
                self._wake.wait()
        if self._fatal is not None:
            raise self._fatal

    def _start_users(self, over_s: float) -> None:
        """Start users in batches spread over the first half of the warm-up, so as not to flood the listen queue."""
        users = self._load.starters
        batches = [users[at : at + _MOST_USERS_AT_ONCE] for at in range(0, len(users), _MOST_USERS_AT_ONCE)]
        pause_s = over_s / 2 / max(len(batches), 1)
        pause = max(self.think_s, self.idle_s)
        for number, batch in enumerate(batches):
            if number and self._wake.wait(pause_s):
                return
            for index, user in enumerate(batch, start=number * _MOST_USERS_AT_ONCE):
                if pause:  # spread over one pause: in step they would meet at the target again and again
                    user.rest(pause * index / len(users) or 1e-6)
                else:
                    user.begin()

    def _end_grace(self) -> None:
        latest = time.monotonic() - _GRACE_S
        for linger in [linger for linger, begun in self._lingering.items() if begun < latest]:
            linger.give_up()

    def _expire(self) -> None:
        oldest_ns = time.monotonic_ns() - self._plan.load.timeout_ns
        for line in self._load.lines:
            connection = line.connection
            if connection is not None and connection.busy and connection.begun_ns < oldest_ns:
                connection.expire()
