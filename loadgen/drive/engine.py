"""One process's load: runs a block and hands every exchange to the sink. Decides no order."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from functools import partial

from gevent.event import Event

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.open_loop.due_times import due_ns
from loadgen.drive.preflight import Preflight
from loadgen.drive.requests.block_requests import block_requests
from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.drive.schedule import Block
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.drive.slots.workload import BlockLoad, PerUserLoad, PooledLoad
from loadgen.drive.waiting import wait_until
from loadgen.drive.window import Mark, Window, mark
from loadgen.model.cell import Cell
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.sample_sink import SampleSink
from loadgen.model.units import NS_PER_S
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.route import Route

_MAX_USERS_AT_ONCE = 100
# How long, at the end of a block, requests that still wait for a connection may get one.
_PATIENCE_S = 0.1


def users_due(started: int, users: int, elapsed_s: float, ramp_s: float) -> int:
    """How many users should have begun after `elapsed_s` of the ramp, `started` of which have: the next batch at least.

    It is more than a batch where the clock is ahead: with thousands of users at work one turn of the loop takes longer
    than the pause between two batches, and the ramp must not outlast the warm-up.
    """
    share = elapsed_s / ramp_s if ramp_s else 0.0
    return min(users, max(started + _MAX_USERS_AT_ONCE, int(share * users)))


class Engine(ConnectionManager):
    """Runs blocks one after another on this process's loop."""

    def __init__(
        self, plan: Plan, route: Route, sink: SampleSink, connections: int = 0, clock: PhaseClock | None = None
    ) -> None:
        self._load: BlockLoad | None = None
        self._counter = RequestCounter()
        super().__init__(plan, route, sink, connections, clock)
        self.interrupted = False
        self.await_start: Callable[[], object] = lambda: None
        """Called when a block is ready to begin; its load begins when this returns."""
        self.load_begun_ns = 0
        """When the present block's load began."""
        self._ended_early = False
        self._unfinished = 0
        self._wake = Event()
        self._all_ended: Mark | None = None
        self._fatal: BaseException | None = None

    @property
    def routes(self) -> list[Route]:
        """The way that its connections take, or, of several origins, that to each."""
        return [self._route]

    def continue_from(self, connections: int) -> None:
        """Number connections from here on. connections: how many all engines of the run have begun."""
        self.numbers.next = connections

    def prepare(self, block: Block) -> None:
        """Create the block's load, and have the way lead as its policy needs it; nothing is sent yet."""
        plan, cell = self._plan, block.cell
        self.use(cell.policy)
        self._all_ended = None
        asked = plan.load.requests_of(block.round)
        if asked is not None:
            self.asked = asked
        self._ended_early = False
        seed = plan.seed * 1_000_003 + block.round
        self._load = self._make_load(cell, partial(due_ns, cell.rate_rps, plan.load.arrivals, seed))

    def _make_load(self, cell: Cell, due_times: Callable[[], Iterator[int]]) -> BlockLoad:
        """The load of a block of this cell. due_times: gives the times of arrivals, where there are any."""
        plan, route = self._plan, self._route
        route.tunnels = plan.tunnels(cell.policy)
        route.use_tls(plan.tls_of(cell), cell.policy.early_data)
        requests = self._requests = block_requests(plan, cell, route, lambda: self.connections, self._counter)
        if cell.rate_rps or cell.policy.pool:
            return PooledLoad(self, cell, requests, plan.load.max_connections, due_times)
        return PerUserLoad(self, cell, requests)

    def preflight(self) -> tuple[ErrorKind, str] | None:
        """Send one request alone before all others; returns how it failed, or None. The load goes on from there."""
        return self._ask(self, self._route, self._requests, self._prepared.preflight_slot)

    def _ask(
        self,
        context: SlotContext,
        route: Route,
        requests: EncodedRequest | RequestMix,
        next_slot: Callable[[], ConnectionSlot],
    ) -> tuple[ErrorKind, str] | None:
        """As `preflight`, for the slots of this context, which is reached by this route."""
        try:
            # A proxy's challenge is answered on the same connection, where that stays open.
            if route.challenged(self._send_preflight(context, next_slot())):
                requests.rewrite()
                head = self._send_preflight(context, next_slot())
                if head is None and context.last_failure and context.last_failure[0].is_stale:
                    head = self._send_preflight(context, next_slot())
                route.challenged(head)
        except UpgradeFailure as error:
            return error.kind, str(error)
        failure, context.last_failure = context.last_failure, None
        return failure

    def run(
        self, block: Block, on_window: Callable[[int], None], on_window_end: Callable[[int], None] | None = None
    ) -> Window:
        """Run the prepared `block`: ramp and warm-up, then the counted window, then drain and close.

        The window ends with the block's time, or as soon as all requests that were asked for have ended.
        `on_window` is called with the time (ns) at which the window begins, `on_window_end` with that at which it
        ended, before the requests under way are completed. Raises whatever a callback of the loop
        raised, as OSError of the sink.
        """
        prepared = self._prepared
        self._preopen(prepared.preopened(self.policy.preopened))
        # What earlier blocks have left in cycles was frozen with them, and could not be freed.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self.watch_for_stalls()
        self._wake.clear()
        marks: list[Mark] = []

        def open_window() -> None:
            if self.monitor is not None:
                self.monitor.window_begins()
            marks.append(mark())
            begun_ns = marks[0][0]
            self.count_from(begun_ns)
            on_window(begun_ns)

        if self.monitor is not None:
            self.monitor.begin(block)
        self.await_start()
        if self.whole:
            self._run_load(open_window)
        marks.append(self._all_ended or mark())
        self.running = False
        if on_window_end is not None:
            on_window_end(marks[-1][0])
        if self.monitor is not None:
            self.monitor.window_ends([slot.connection for slot in prepared.slots if slot.connection is not None])
        self._end_load(prepared)
        if len(marks) == 1:  # interrupted within the warm-up: the window is empty
            marks *= 2
        (begun, cpu_begun), (ended, cpu_ended) = marks
        return Window(begun, ended, cpu_ended - cpu_begun)

    def pause(self, seconds: float) -> None:
        """Wait before a next try of the preflight request; an interruption ends the pause."""
        if self.whole:
            self._wake.clear()
            wait_until(self._wake, time.monotonic() + seconds)

    def account(self, window: Window) -> dict[str, int]:
        """What no sample shows: requests of the window that never got a connection (`unstarted`), arrivals `due`."""
        return self._prepared.account(window.begun_ns, window.ended_ns)

    def end_block(self) -> None:
        """End the present block early, but in the normal way: exchanges under way are completed."""
        self._ended_early = True
        self._wake.set()

    @property
    def whole(self) -> bool:
        """The block had its time, so far."""
        return not (self.interrupted or self._ended_early)

    def interrupt(self) -> None:
        """End the block now; exchanges under way are recorded as unfinished."""
        self.interrupted = True
        self._wake.set()

    def fail(self, error: BaseException) -> None:
        """A callback of the loop raised: end the run with that."""
        if self._fatal is None:
            self._fatal = error
        self._wake.set()

    # Called by slots

    def all_ended(self) -> None:
        self._all_ended = mark()
        self._wake.set()

    def exchange_drained(self) -> None:
        """An exchange ended while the block is not running."""
        self._unfinished -= 1
        if self._unfinished == 0:
            self._wake.set()

    # Inside

    def _send_preflight(self, context: SlotContext, slot: ConnectionSlot) -> ResponseHead | None:
        preflight = Preflight(context, slot)
        self._unfinished, context.last_failure = 1, None
        preflight.send(slot, is_concurrent=self.policy.depth > 1)
        self._drain()
        self._await_closes()  # before anything keeps the loop from the response
        return preflight.head

    @property
    def _prepared(self) -> BlockLoad:
        assert self._load is not None, "prepare comes first"
        return self._load

    def _at_work(self) -> Iterator[Connection | None]:
        return (slot.connection for slot in self._slots())

    def _slots(self) -> list[ConnectionSlot]:
        return self._load.slots if self._load is not None else []

    def _preopen(self, slots: list[ConnectionSlot]) -> None:
        """Open the connections of these slots, each with a request, before any load; some at a time, as users begin."""
        missing = [slot for slot in slots if slot.connection is None]
        for start in range(0, len(missing), _MAX_USERS_AT_ONCE):
            some = missing[start : start + _MAX_USERS_AT_ONCE]
            if self.whole:
                self._unfinished = len(some)
                for slot in some:
                    slot.send_first(slot)
                self._drain()

    def _run_load(self, open_window: Callable[[], None]) -> None:
        """The block's load from its beginning to the end of its time, or to an interruption."""
        load, prepared = self._plan.load, self._prepared
        self.running = True
        self.load_begun_ns = time.monotonic_ns()
        self._loop.update_now()  # timers count from the loop's own time, which stood still since its last turn
        window = self._loop.timer(load.warmup_ns / NS_PER_S)
        if load.warmup_ns:
            window.start(open_window)
        else:
            open_window()  # before the users begin, so that each one's first request is counted too
        end_s = (self.load_begun_ns + load.block_ns) / NS_PER_S
        prepared.begin()
        self._start_users(prepared, load.warmup_ns / NS_PER_S)
        wait_until(self._wake, end_s)
        window.close()

    def _end_load(self, load: BlockLoad) -> None:
        """The block is over: complete the exchanges under way, then close all connections."""
        load.stop()
        self._unfinished = sum(slot.unfinished for slot in load.slots) + load.waiting
        patience = self._loop.timer(_PATIENCE_S)
        patience.start(self._drop_waiting)
        self._drain()
        patience.close()
        load.stop()
        self._await_closes()

    def _drop_waiting(self) -> None:
        """Requests that still wait for a connection get none: they are counted, not sampled."""
        if self.pace is not None:
            self.pace.give_up()
        dropped = self._prepared.drop_waiting()
        self._unfinished -= dropped
        if dropped and self._unfinished == 0:
            self._wake.set()

    def _drain(self) -> None:
        """Wait until no exchange is under way; an interruption cuts them short."""
        while self._unfinished and self._fatal is None:
            if self.interrupted:
                self._drop_waiting()
                for connection in self._at_work():
                    if connection is not None and connection.busy:
                        connection.abandon()
            else:
                self._wake.clear()
                self._wake.wait()
        if self._fatal is not None:
            raise self._fatal

    def _start_users(self, load: BlockLoad, over_s: float) -> None:
        """Start users in batches spread over the first half of the warm-up, so as not to flood the listen queue."""
        users = load.users
        ramp_s = over_s / 2
        pause = max(self.think_s, self.gap_s)
        begun_s = time.monotonic()
        started = 0
        while started < len(users):
            due = users_due(started, len(users), time.monotonic() - begun_s, ramp_s)
            for index in range(started, due):
                if pause:  # spread over one pause: in step they would meet at the target again and again
                    users[index].begin_after(pause * index / len(users) or 1e-6)
                else:
                    users[index].begin()
            started = due
            wait_s = begun_s + ramp_s * started / len(users) - time.monotonic()
            if started < len(users) and self._wake.wait(max(0.0, wait_s)):
                return
