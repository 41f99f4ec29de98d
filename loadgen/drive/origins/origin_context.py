"""One of the origins that a block's requests go to, as its slots see it. Chooses no request of another, sends nothing.

What is of the block as a whole is its manager's: rows, closes that are waited for, counts. Connections are numbered so
that a number says the origin, and no row has to (model/request_choice.py): of k origins each has every k-th number.
"""

from __future__ import annotations

from dataclasses import replace

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.requests.block_requests import request_mix
from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.system.monitor import MONITORED_SHARE
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.request_choice import number_at_origin
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route


class OriginContext(SlotContext):
    """place: of `origins` origins, from 0. plan: the run's, as this origin has it. manager: of all of them."""

    def __init__(self, plan: Plan, route: Route, place: int, origins: int, manager: ConnectionManager) -> None:
        super().__init__(manager.sink, manager.clock)
        self.plan = plan
        self.route = route
        self.place = place
        self.origins = origins
        self.requests: RequestMix
        """Those of the present block."""
        self.connections = 0
        """How many were begun."""
        self._manager = manager
        self._next = 0
        self.takes_cookies = manager.takes_cookies
        self.url = manager.url
        self.trailers, self.leniencies, self.unasked = manager.trailers, manager.leniencies, manager.unasked

    def prepare(self, cell: Cell, counter: RequestCounter) -> None:
        """Lead and send as a block of this cell needs it; the manager is prepared already. counter: see RequestMix."""
        policy = self.policy = cell.policy if self.plan.target.is_tls else cell.policy.in_clear
        self.gap_s, self.pace = self._manager.gap_s, self._manager.pace
        self.route.tunnels = self.plan.tunnels(policy)
        self.route.use_tls(self.plan.tls_of(cell), policy.early_data)
        self.route.socket_options = tuple([(one.level, one.option, one.value) for one in policy.socket_options])
        self._next = self._manager.connections + (self.place - self._manager.connections) % self.origins
        self.requests = request_mix(
            self.plan, replace(cell, policy=policy), self.route, lambda: self._next, counter, self.origins
        )

    def hand_over(self) -> None:
        """Add what was counted to the manager's counts."""
        manager = self._manager
        manager.errors += self.errors
        manager.after_close_tried += self.after_close_tried
        manager.after_close_answered += self.after_close_answered
        self.errors = self.after_close_tried = self.after_close_answered = 0
        manager.last_redirect = self.last_redirect or manager.last_redirect
        self.last_redirect = None

    # Called by slots

    def new_connection(self, listener: Listener) -> Connection:
        numbers, number = self._manager.numbers, self._next
        self._next = number + self.origins
        numbers.next = max(numbers.next, number + 1)
        self.connections += 1
        return self._manager.make_connection(number, self._own_number(number), self.route, listener)

    def record_connection(self, slot: int, connection: Connection) -> None:
        self._manager.record_connection(slot, connection)

    def await_close(self, slot: int, connection: Connection) -> None:
        self._manager.await_close(slot, connection)

    def about_to_close(self, connection: Connection) -> None:
        monitor = self._manager.monitor
        if monitor is not None and self._manager.running and self._own_number(connection.number) % MONITORED_SHARE == 0:
            monitor.about_to_close(connection)

    def note_first_response(self, head: ResponseHead) -> None:
        self._manager.note_first_response(head)

    def exchange_drained(self) -> None:
        self._manager.exchange_drained()

    def count_from(self, begun_ns: int) -> None:
        """As that of the manager, which counts the requests of all origins: here each is the last one that is asked
        for, so that its end is reported.
        """
        self.counted_from_ns = begun_ns
        self.to_end = 1

    def all_ended(self) -> None:
        """One of the requests that were asked for has ended."""
        self.to_end = 1
        manager = self._manager
        manager.to_end -= 1
        if manager.to_end == 0:
            manager.all_ended()

    # Inside

    def _own_number(self, number: int) -> int:
        """That of a connection among those of this origin."""
        found: int = number_at_origin(number, self.origins)
        return found
