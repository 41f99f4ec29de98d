"""What all slots of a block share: makes their connections, records them, ends those that take too long.

Decides neither what is sent nor when.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent

from loadgen.drive.block_balance import BlockBalance, address_text
from loadgen.drive.connection_kinds import kind_of
from loadgen.drive.connection_numbers import ConnectionNumbers
from loadgen.drive.slots.connect_pace import ConnectPace
from loadgen.drive.slots.context import NEVER_NS, NO_LIMIT, SlotContext
from loadgen.drive.slots.pending_close import PendingClose
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.drive.system.monitor import MONITORED_SHARE, SystemMonitor
from loadgen.model.address_marks import address_mark
from loadgen.model.descriptors import pending_closes
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.records import ADDRESS_SHIFT, ConnectionFlag, Ending
from loadgen.model.sample_sink import SampleSink
from loadgen.model.units import NS_PER_S
from loadgen.wire import poller
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.head_memory import HeadMemory
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.upload_connection import UploadConnection
from loadgen.wire.kernel_times import keep_stamping
from loadgen.wire.lifecycle import IDLE
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route

# How long a server may take to close a connection that it was asked to close: a multiple of what the handshake and the
# last exchange took, which show how far away and how busy it is, within these bounds.
_MIN_GRACE_NS, _MAX_GRACE_NS = 20_000_000, NS_PER_S
_GRACE_IN_EXCHANGES = 5
_TICK_S = _MIN_GRACE_NS / 4 / NS_PER_S
# Of the connections of a block one in this many is sampled: the kernel is asked for its own stamps.
_SAMPLED_SHARE = 16
# How often unused connections are looked at within the time that they may be unused; the bounds of the interval (s).
_LOOKS_PER_LIMIT = 10
_MIN_LOOK_S, _MAX_LOOK_S = 0.005, 0.1
# A sweep that is late by more than this was kept off by something else than the load.
_MIN_STALL_NS = 250_000_000
# The timeout is an integer of C, where compiled; no run is longer than this.
_MAX_TIMEOUT_NS = 1 << 62


class ConnectionManager(SlotContext):
    """The connections of all slots, under one policy at a time.

    connections: the number of the first connection. clock: the hub's, where none is given. Another manager of the same
    run, as of another origin, takes its numbers from this one, once it has this one's `numbers`.
    """

    def __init__(
        self, plan: Plan, route: Route, sink: SampleSink, connections: int = 0, clock: PhaseClock | None = None
    ) -> None:
        super().__init__(sink, clock or poller.of_hub())
        self.retried_outcomes = plan.retried_outcomes
        # Where the plan itself gives a Cookie field, that is the only one (RFC 6265 §5.4).
        self.takes_cookies = plan.cookies and not any(name.lower() == "cookie" for name, _ in plan.headers)
        self.url = plan.target.origin + plan.target.path  # cookies are kept by it
        self.think_s = plan.load.think_ns / NS_PER_S
        self.keep_alive: dict[str, int] = {}
        """What the servers' Keep-Alive fields said in the present block."""
        self.idle_statuses: dict[str, int] = {}
        """Of the responses with which servers ended idle connections in the present block; 0 where it is not known."""
        self.monitor: SystemMonitor | None = None
        """None where the connections' cost to kernel and server is not read."""
        self._last_first_head: ResponseHead | None = None
        self._plan = plan
        self._route = route
        self.numbers = ConnectionNumbers(connections)
        self._first_of_block = connections
        self._loop = gevent.get_hub().loop
        self._kind: Callable[..., Connection] = Connection
        for cell in plan.cells:
            # What has to be loaded is there before the first block.
            kind_of(cell.policy.protocol, expects=plan.transfer.expects_continue)
        self._ignores_close = False
        self._max_body_bytes = plan.max_body_bytes
        self._is_head = plan.method == "HEAD"
        self._heads = HeadMemory(deciding=(plan.addressing.backend_header or "").lower().encode())
        self._stamping = keep_stamping()
        self._timeout_ns = min(plan.load.timeout_ns, _MAX_TIMEOUT_NS)
        # One timer looks over all requests: a timer for each would cost more than the request's own bookkeeping.
        tick_s = min(0.1, max(0.005, plan.load.timeout_ns / NS_PER_S / 50))
        self._tick_ns = round(tick_s * NS_PER_S)
        self._swept_ns = self._patient_until_ns = self._patient_sweeps = 0
        self.stalled_ns = 0
        """For how long, at most, this process did not run in the present block; 0 where it always did."""
        self._sweep = self._loop.timer(tick_s, tick_s, ref=False)
        self._sweep.start(self._expire)
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._max_pending_closes = pending_closes(limit, plan.peak_connections)
        self._pending_closes: dict[PendingClose, None] = {}  # in the order in which they began
        self._grace = self._loop.timer(_TICK_S, _TICK_S, ref=False)
        self._grace.start(self._end_grace)
        self._look: Any = None
        """The timer that looks for unused connections; None where the policy keeps them."""

    def use(self, policy: ConnectionPolicy) -> None:
        """Treat connections as `policy` says from now on; a block's counts begin anew."""
        self.policy = policy
        self.gap_s = policy.gap_ns / NS_PER_S
        self.asked = self.left = self.to_end = NO_LIMIT
        self.counted_from_ns = NEVER_NS
        self.retried = self.mismatched_echoes = self.after_close_tried = self.after_close_answered = 0
        self.keep_alive = {}
        self.idle_statuses = {}
        self._last_first_head = self.last_redirect = None
        self.begin_balance()
        self.watch_for_stalls()
        self._first_of_block = self.numbers.next
        transfer = self._plan.transfer
        self._kind = Pipeline if policy.pipelines else kind_of(policy.protocol, expects=transfer.expects_continue)
        is_upload = transfer.in_pieces and self._kind is Connection
        if is_upload or transfer.expects_continue:
            timeout_s = transfer.continue_timeout_ns / NS_PER_S
            kind: Callable[..., Connection] = UploadConnection if is_upload else self._kind
            self._kind = partial(kind, continue_timeout_s=timeout_s, counts=self.continues)
        self._ignores_close = not policy.honours_close
        self.pace = ConnectPace(self.clock, policy.connects_per_s) if policy.connects_per_s else None
        self._route.socket_options = tuple([(one.level, one.option, one.value) for one in policy.socket_options])
        self._close_unused_by(policy)

    def begin_balance(self) -> None:
        """Count connections and requests by address and backend from now on, where there may be several."""
        self.balance = None
        if self._plan.addressing.varies or self.policy.resolves:
            self.balance = BlockBalance.of(self._plan, self.clock.monotonic_ns())

    @property
    def open_connections(self) -> list[Any]:
        """Those that are open, and have no row yet."""
        present = [*self._at_work(), *(slot.connection for slot in self._slots())]
        present += [one.connection for one in self._pending_closes]
        return [one for one in dict.fromkeys(present) if one is not None and one.flags & ConnectionFlag.ESTABLISHED]

    def watch_for_stalls(self) -> None:
        """From now on the loop runs, and nothing else of this process."""
        self._swept_ns = self.stalled_ns = 0

    def close(self) -> None:
        """The run is over: the loop is left as it was found."""
        for timer in (self._sweep, self._grace, self._look):
            if timer is not None:
                timer.stop()
                timer.close()
        self._look = None
        self._stamping.close()

    @property
    def connections(self) -> int:
        """How many connections were begun; the next one gets this number."""
        return self.numbers.next

    def new_connection(self, listener: Listener) -> Connection:
        number = self.numbers.take()
        return self.make_connection(number, number - self._first_of_block, self._route, listener)

    def make_connection(self, number: int, place: int, route: Route, listener: Listener) -> Connection:
        """A connection of this number, not open yet, on this way.

        place: among those that are alike, of which some have the kernel's own stamps.
        """
        link: Connection = self._kind(number, route, listener, self.clock, self._new_reader())
        link.is_sampled = place % _SAMPLED_SHARE == 0
        link.ignores_close = self._ignores_close
        return link

    def record_connection(self, slot: int, connection: Any) -> None:
        link: Connection = connection
        dns, connect, tunnel, tls, upgrade = link.handshake or link.handshake_ns()
        self.mismatched_echoes += link.mismatched_echoes
        flags = link.flags
        if self.balance is not None and link.address is not None:
            if flags & ConnectionFlag.ESTABLISHED:
                self.balance.opened(link.address, link.opened_ns)
            flags |= address_mark(address_text(link.address)) << ADDRESS_SHIFT
        if link.ending is Ending.SERVER_IDLE_RESPONSE:
            status = str(link.idle_status)
            self.idle_statuses[status] = self.idle_statuses.get(status, 0) + 1
        elif link.reader.has_extra_bytes:
            self.unasked.note(link.reader.status, link.reader.extra)
        self.sink.connection(
            link.number, slot, link.opened_ns, dns, connect, tunnel, tls, upgrade, link.connect_delay_ns, flags,
            link.ending,
        )  # fmt: skip

    def about_to_close(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""
        if self.running and self.monitor is not None and connection.number % MONITORED_SHARE == 0:
            self.monitor.about_to_close(connection)

    def await_close(self, slot: int, connection: Connection) -> None:
        """Give a server that announced no close a moment to do it; the load goes on meanwhile."""
        pending = self._pending_closes
        now = self.clock.monotonic_ns()
        pending[PendingClose(connection, slot, now + _grace_ns(connection, now), self._close_done)] = None
        if len(pending) > self._max_pending_closes:  # the oldest is closed before its grace is over
            oldest = next(iter(pending))
            oldest.give_up(waited=oldest.due_ns < now)

    def exchange_drained(self) -> None:
        """An exchange ended while no block is running."""

    def note_first_response(self, head: ResponseHead) -> None:
        """The head of a connection's first response: what its Keep-Alive field says."""
        if head is self._last_first_head:
            return  # the same head says the same
        self._last_first_head = head
        timeout_s, maximum = head.keep_alive_timeout_s, head.keep_alive_max
        noted = self.keep_alive
        if timeout_s is not None:
            noted["timeout_s"] = min(timeout_s, noted.get("timeout_s", timeout_s))
        if maximum is not None:
            noted["max"] = max(maximum, noted.get("max", maximum))

    # For subclasses

    def _new_reader(self) -> ResponseReader:
        reader = ResponseReader(self._max_body_bytes, self._heads)
        reader.no_body = self._is_head
        return reader

    def _at_work(self) -> Iterable[Connection | None]:
        """The connections on which an exchange may be under way."""
        return ()

    def _slots(self) -> Iterable[ConnectionSlot]:
        """The slots of the present block."""
        return ()

    def _await_closes(self) -> None:
        """Wait until every server that was asked to close has done so, or its grace is over."""
        while self._pending_closes:
            gevent.sleep(_TICK_S)

    # Inside

    def _close_unused_by(self, policy: ConnectionPolicy) -> None:
        """Look for unused connections from now on as often as this policy needs it, which for most is never."""
        if self._look is not None:
            self._look.stop()
            self._look.close()
            self._look = None
        limits = policy.closes_unused
        if limits:
            shortest_s = min(limit.limit_ns for limit in limits) / NS_PER_S
            look_s = min(_MAX_LOOK_S, max(_MIN_LOOK_S, shortest_s / _LOOKS_PER_LIMIT))
            self._look = self._loop.timer(look_s, look_s, ref=False)
            self._look.start(self._close_unused)

    def _close_unused(self) -> None:
        """Close the connections that may not be used again, whether or not a request will want them."""
        now = self.clock.monotonic_ns()
        for slot in self._slots():
            connection = slot.connection
            if connection is not None and connection.state == IDLE and not self.policy.may_reuse(connection, now):
                slot.close_unused()

    def _has_stalled(self, now: int) -> bool:
        """This process was stopped, or got no CPU, since the last sweep."""
        last, self._swept_ns = self._swept_ns, now
        stalled_ns = now - last - self._tick_ns
        if not last or stalled_ns <= _MIN_STALL_NS:
            return False
        self.stalled_ns = max(self.stalled_ns, stalled_ns)
        return True

    def _end_grace(self) -> None:
        now = self.clock.monotonic_ns()
        for pending in [pending for pending in self._pending_closes if pending.due_ns < now]:
            if pending.is_over:
                pending.give_up(waited=True)
            # A close that came in time, and that the loop was too late to see, is found before the next tick.
            pending.is_over = True

    def _close_done(self, pending: PendingClose) -> None:
        """How the connection ended is known."""
        del self._pending_closes[pending]
        self.record_connection(pending.slot, pending.connection)

    def _expire(self) -> None:
        now = self.clock.monotonic_ns()
        if self._has_stalled(now):
            self._patient_until_ns = now + self._tick_ns
            self._patient_sweeps = 2
        if self._patient_sweeps or now < self._patient_until_ns:
            # What has come meanwhile is read first: it may have been in time. A timer that is late is due again at
            # once, and timers come before what can be read: that is read between the second sweep and the third.
            self._patient_sweeps = max(0, self._patient_sweeps - 1)
            return
        oldest_ns = now - self._timeout_ns
        for connection in self._at_work():
            while connection is not None and connection.overdue(oldest_ns):
                connection.expire()


def _grace_ns(connection: Connection, now_ns: int) -> int:
    """How long the server of this connection may take to close it."""
    took_ns = now_ns - connection.begun_ns
    if connection.request_index and connection.handshake is not None:
        took_ns += sum(max(0, phase) for phase in connection.handshake)
    return min(_MAX_GRACE_NS, max(_MIN_GRACE_NS, _GRACE_IN_EXCHANGES * took_ns))
