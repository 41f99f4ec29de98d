"""What the slots of a block share: where rows go, how connections are made. Opens nothing itself."""

from __future__ import annotations

from typing import Any

from loadgen.drive.slots.connect_pace import ConnectPace
from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import LeniencyCounts
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.sample_sink import SampleSink
from loadgen.model.trailers import TrailerCounts
from loadgen.model.unasked_bytes import UnaskedCounts
from loadgen.wire.clock import PhaseClock
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.listener import Listener

NO_LIMIT = NEVER_NS = 1 << 62
"""More requests than a block can have, and a time that never comes: integers of C, where compiled."""


class SlotContext:
    """The state that all slots of a block look at, and the calls that they make."""

    def __init__(self, sink: SampleSink, clock: PhaseClock) -> None:
        self.sink = sink
        self.clock = clock
        self.policy: ConnectionPolicy
        self.think_s = 0.0
        """How long a user waits between a response and the next request."""
        self.gap_s = 0.0
        """How long a connection rests before it is used again."""
        self.pace: ConnectPace | None = None
        """It opens connections, where the policy limits how many are opened a second."""
        self.running = False
        """Users go on after a response; False while a block ends, and outside of blocks."""
        self.asked = NO_LIMIT
        """How many requests the block's window is to have."""
        self.left = NO_LIMIT
        """How many requests may still begin: of those that were asked for, from the window's beginning on."""
        self.to_end = NO_LIMIT
        """How many of them have yet to end, well or not; `all_ended` is called after the last one."""
        self.counted_from_ns = NEVER_NS
        """Requests due from then on are among them."""
        self.retried_outcomes: frozenset[int] = frozenset()
        """A request that ends with one of these is sent once more."""
        self.takes_cookies = False
        self.url = ""
        """The target's, for cookies."""
        self.errors = 0
        self.retried = 0
        """Counted for the present block, and so are the next three."""
        self.mismatched_echoes = 0
        self.after_close_tried = 0
        """Requests sent on connections whose server had announced or done its close."""
        self.after_close_answered = 0
        self.last_failure: tuple[ErrorKind, str] | None = None
        self.observed: dict[str, Any] = {}
        """What kind of server answered first."""
        self.trailers = TrailerCounts()
        self.last_redirect: ResponseHead | None = None
        """The head of the block's last response with a status from 300 on."""
        self.leniencies = LeniencyCounts()
        self.unasked = UnaskedCounts()
        self.continues = ContinueCounts()
        self.balance: Any = None
        """The block's counts by address and backend (BlockBalance); None where there is one of each."""

    def new_connection(self, listener: Listener) -> Connection:
        """A connection of the policy's kind, not open yet."""
        raise NotImplementedError

    def record_connection(self, slot: int, connection: Connection) -> None:
        """A connection has ended: its row can be written."""
        raise NotImplementedError

    def count_from(self, begun_ns: int) -> None:
        """The window has begun: each request that is due from now on is one of those that were asked for."""
        if self.asked != NO_LIMIT:
            self.left = self.to_end = self.asked
            self.counted_from_ns = begun_ns

    def may_repeat(self, due_ns: int) -> bool:
        """Whether a request that was due then may be sent once more: each try is one of those that were asked for."""
        if due_ns >= self.counted_from_ns:
            if self.left <= 0:
                return False
            self.left -= 1
        return True

    def all_ended(self) -> None:
        """The last of the requests that were asked for has ended."""

    def note_retry(self) -> None:
        """A request is sent once more: how that ends counts, and not how its first try did."""
        self.retried += 1
        self.last_failure = None

    def exchange_drained(self) -> None:
        """An exchange ended while the block is not running."""

    def note_first_response(self, head: ResponseHead) -> None:
        """The head of a connection's first response."""

    def about_to_close(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""

    def await_close(self, slot: int, connection: Connection) -> None:
        """The server was asked to close: give it a moment to do so, then record the connection."""
        raise NotImplementedError
