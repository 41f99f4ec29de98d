"""What slots with several requests in flight have in common: when to add one, and when the connection is over."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.model.records import Ending
from loadgen.wire.connection import Connection
from loadgen.wire.lifecycle import SENDING

if TYPE_CHECKING:  # a library is loaded where a policy needs it
    from loadgen.wire.http1.pipeline import Pipeline
    from loadgen.wire.http2.connection import Http2Connection

    ConcurrentConnection = Pipeline | Http2Connection
    """A connection with several requests in flight."""


class Repeats:
    """Requests of one slot that are sent once more, as soon as a connection takes them."""

    __slots__ = ("is_sending", "sent", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, Any]] = deque()
        """In order: when the request was due, and for whom it is sent, as the slot knows that."""
        self.sent: set[int] = set()
        """Which of the present connection's requests they are."""
        self.is_sending = False


class ConcurrentSlot(ConnectionSlot):
    """Mixed into a slot whose connection is a ConcurrentConnection."""

    __slots__ = ()

    _repeats: Repeats

    def _may_send(self, connection: ConcurrentConnection) -> bool:
        """One more request may begin on it."""
        if self._expires:
            return self._policy.may_reuse(connection, self._context.clock.monotonic_ns())
        return self._policy.keeps(connection)  # the same without a look at the clock

    def _usable(self) -> ConcurrentConnection | None:
        """The present connection, unless it is idle and may carry no more: then it is ended."""
        connection = cast("ConcurrentConnection | None", self.connection)
        if connection is not None and not connection.in_flight and not self._may_send(connection):
            self._end(connection, Ending.CLIENT_SILENT)  # it grew too old meanwhile
            return None
        return connection

    def _failed(self, connection: Connection, outcome: int) -> None:
        concurrent = cast("ConcurrentConnection", connection)
        if concurrent.in_flight:
            if self._context.balance is not None:
                self._context.balance.failed(connection.address, self._context.clock.polled_ns)
            self._context.errors += 1  # the last exchange to end, well or not, decides about the connection
            return
        super()._failed(connection, outcome)
        if self.connection is connection and not self._may_send(concurrent):
            # The exchange failed and its connection did not, and it was the last that this one could carry.
            self._finish(connection, is_last=False)

    def _answered(self, connection: Connection) -> None:
        """End the connection after the last response that it may carry."""
        concurrent = cast("ConcurrentConnection", connection)
        self._note(connection)
        if concurrent.in_flight:
            return
        is_last = concurrent.submitted >= self._limit
        if is_last or not concurrent.is_reusable():
            self._finish(connection, is_last)
        elif not self._may_send(concurrent):
            self._end(connection, Ending.CLIENT_SILENT)

    # Requests that are sent once more

    def _present_sender(self) -> Any:
        """For whom the request is sent whose exchange has just ended."""
        return None

    def _repeat_for(self, sender: Any, request_index: int) -> None:
        """The next request is sent once more for `sender`, as this one of its connection."""

    def _send_again(self, connection: Connection) -> bool:
        repeats = self._repeats
        if connection.request_index in repeats.sent or not self._context.may_repeat(connection.scheduled_ns):
            return False
        repeats.waiting.append((connection.scheduled_ns, self._present_sender()))
        self._send_repeats()
        return True

    def _send_repeats(self) -> bool:
        """Send what waits for that; True where it opened a connection for it, whose events go on from there.

        A connection that takes no more, and still answers some requests, is awaited: a slot has one at a time.
        """
        repeats = self._repeats
        if repeats.is_sending:
            return True  # one failed at once; the loop below goes on with the next
        repeats.is_sending = True
        opened = False
        while repeats.waiting:
            connection = cast("Http2Connection | None", self._usable())
            if connection is not None and not self._takes_repeat(connection):
                break
            scheduled_ns, sender = repeats.waiting.popleft()
            self._context.note_retry()
            if connection is None:
                repeats.sent = {0}
                self._repeat_for(sender, 0)
                opened = True
                self._open(scheduled_ns)
            else:
                repeats.sent.add(connection.submitted)
                self._repeat_for(sender, connection.submitted)
                requests = self.user_state.requests
                is_last = connection.submitted + 1 >= self._limit
                connection.exchange(requests.last if is_last else requests.more, scheduled_ns)
        repeats.is_sending = False
        return opened

    def _takes_repeat(self, connection: Http2Connection) -> bool:
        is_open = connection.state >= SENDING
        return is_open and connection.in_flight < self._policy.depth and self._may_send(connection)
