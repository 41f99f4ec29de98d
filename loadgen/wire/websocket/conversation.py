"""A WebSocket on which both sides send when they like; each message of ours and the next that comes are an exchange.

A message's time from being sent until the answer before its own is complete is `queue`, as in a pipeline. A message of
the server's that none of ours waits for is no exchange. Knows no policy and no greenlet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.duplex_connection import DuplexConnection
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, UPGRADING, WAITING
from loadgen.wire.listener import NULL_LISTENER, Listener
from loadgen.wire.route import Route
from loadgen.wire.websocket.connection import MESSAGE_STATUS
from loadgen.wire.websocket.inbox import InboxProtocol
from loadgen.wire.websocket.message import Message
from loadgen.wire.websocket.protocol import closed_by_server


@dataclass(slots=True, eq=False)
class SentMessage:
    """One of our messages, until it is answered. Each time is ABSENT until it has come."""

    index: int
    begun_ns: int
    """Its sending began."""
    size_bytes: int
    sent_ns: int = ABSENT
    """All of it was sent."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message of the server's."""

    payload: str | bytes
    phases_ns: tuple[int, int, int] | None
    """queue, wait and receive of the exchange that it completes, ABSENT for a missing one; None where none waited."""
    received_ns: int
    """When it was complete."""


class Conversation(DuplexConnection):
    """Opens with a `Message` whose payload is not sent. The listener hears of each exchange, `receive` of each message.

    `submit` sends; `forgo` ends the exchanges that no answer is awaited for any more.
    """

    __slots__ = (
        "_core",
        "_exchanges",
        "_first_ns",
        "_opening_ns",
        "_phases",
        "_previous_end_ns",
        "receive",
        "submitted",
    )

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        self._core: InboxProtocol | None = None
        # To be set: it gets each message.
        self.receive: Callable[[ReceivedMessage], None] = _ignore
        # How many messages were given to it; and those that are not answered yet, in order.
        self.submitted = 0
        self._exchanges: deque[SentMessage] = deque()
        # The generator's own work while it opened, and the time that this and the handshake took.
        self._opening_ns = (0, 0)
        # When the present message's first byte came, and when the one before was complete.
        self._first_ns = ABSENT
        self._previous_end_ns = 0
        # send, wait and receive of the exchange that is being reported.
        self._phases = (ABSENT, ABSENT, ABSENT)

    @property
    def subprotocol(self) -> str | None:
        """The one that the server chose, if any."""
        return None if self._core is None else self._core.subprotocol

    @property
    def accepts(self) -> bool:
        """Neither side has begun to close it."""
        return self.state != CLOSED and self._core is not None and self._core.open

    @property
    def in_flight(self) -> int:
        """Messages submitted and not yet answered."""
        return len(self._exchanges)

    @property
    def is_sent(self) -> bool:
        """All that was submitted has been sent."""
        return not self._unsent

    def is_reusable(self) -> bool:
        return self.accepts

    @property
    def framed(self) -> bool:
        return False

    @property
    def awaits_close(self) -> bool:
        return self._core is not None and self._core.closing

    def submit(self, message: Message) -> SentMessage:
        """Send a message; only while it `accepts` one."""
        core = self._core
        assert core is not None, "it is open"
        now = self._clock.monotonic_ns()
        frame = core.frame(message)
        exchange = SentMessage(self.submitted, now, len(frame))
        self.submitted += 1
        self._exchanges.append(exchange)
        if self.state == IDLE:
            self._begin_next(now)
        self._write(frame)
        return exchange

    def forgo(self) -> bool:
        """End the exchanges in flight without `wait`: no answer is awaited. False where one is not sent yet."""
        if self.state < SENDING or any(exchange.sent_ns < 0 for exchange in self._exchanges):
            return False
        now = self._clock.monotonic_ns()
        while self._exchanges:
            exchange = self._exchanges.popleft()
            self.queue_ns, self._phases = ABSENT, (exchange.sent_ns - exchange.begun_ns, ABSENT, ABSENT)
            self._report(exchange, now)
        return True

    def overdue(self, oldest_ns: int) -> bool:
        """It has not opened, or a message has not left. An answer has no deadline here: its reader has one."""
        if self.state < SENDING:
            return super().overdue(oldest_ns)
        return bool(self._unsent) and self._exchanges[-1].begun_ns < oldest_ns

    def announce_close(self) -> bool:
        core = self._core
        if core is None or not core.open:
            return False
        self._write(core.close())
        return True

    def phase_ns(self, state: int) -> int:
        return self._phases[state - SENDING]

    # Inside

    def _send(self, left_ns: int) -> None:
        """The transport is open: ask for the upgrade."""
        message = self._request
        try:
            self._core = InboxProtocol(message, self.reader.max_body_bytes)
            request = self._core.handshake(message)
            self._begin(UPGRADING, left_ns)
            self._write(request)
        except (OSError, UpgradeFailure) as error:
            self._fail_by(error)

    def _drained(self, now: int) -> None:
        for exchange in reversed(self._exchanges):
            if exchange.sent_ns >= 0:
                break
            exchange.sent_ns = now
        if self.state == SENDING and self._exchanges:
            self.enter(WAITING, now)

    def _receive(self, data: bytes, now: int, end: int) -> None:
        core = self._core
        assert core is not None, "it asked for the upgrade"
        if self.state == UPGRADING:
            if not core.upgrade(data):
                return
            self._open(core, end)
            core.feed(b"")  # what followed the head directly
        else:
            self.bytes_received += len(data)
            core.feed(data)
        answers = core.take()  # to pings, or to the server's close
        if answers:
            self._write(answers)
        self._take_messages(core, now, end)
        if core.closed is None or self.state == CLOSED:
            return
        if self._exchanges:
            raise closed_by_server(core.closed)
        self._lose(Ending.CLIENT_ANNOUNCED if self.awaits_close else Ending.SERVER_ANNOUNCED)

    def _open(self, core: InboxProtocol, end: int) -> None:
        self.flags |= ConnectionFlag.UPGRADED
        assert core.head is not None, "it was upgraded"
        self.reader.set_head(core.head)
        self.enter(IDLE, end)
        self.handshake = self.handshake_ns()
        self._opening_ns = (self.own_ns, self.own_ns + sum(max(0, phase) for phase in self.handshake))
        self.listener.connection_ready(self)

    def _take_messages(self, core: InboxProtocol, now: int, end: int) -> None:
        """Pass on the messages that are complete; the loop began to read the last bytes at `now`."""
        if (core.begun or core.inbox) and self._first_ns < 0:
            self._first_ns = now
            if self._exchanges and self.state != RECEIVING:
                self.enter(RECEIVING, now)
        while core.inbox:
            payload = core.inbox.popleft()
            exchange = self._exchanges.popleft() if self._exchanges else None
            if exchange is None:
                self.receive(ReceivedMessage(payload, None, end))
            else:
                self._set_phases(exchange, self._first_ns, end)
                self.receive(ReceivedMessage(payload, (self.queue_ns, *self._phases[1:]), end))
                self._report(exchange, end)
            self._previous_end_ns = end
            self._first_ns = now if core.inbox else ABSENT
            core.begun = False

    def _set_phases(self, exchange: SentMessage, first_ns: int, end: int) -> None:
        """Set queue, send, wait and receive of an exchange whose answer began at `first_ns`, ABSENT where none did."""
        begun_ns, sent_ns = exchange.begun_ns, exchange.sent_ns
        came_ns = max(first_ns, begun_ns) if first_ns >= 0 else end
        if sent_ns < 0:  # it was answered, or failed, before all of it was sent
            self.queue_ns, send_ns, turn_ns = ABSENT, came_ns - begun_ns, came_ns
        else:
            send_ns, turn_ns = sent_ns - begun_ns, max(sent_ns, min(self._previous_end_ns, end))
            self.queue_ns = turn_ns - sent_ns if turn_ns > sent_ns else ABSENT
        came_ns = max(came_ns, turn_ns)
        wait_ns = came_ns - turn_ns if sent_ns >= 0 else ABSENT
        self._phases = (send_ns, wait_ns, end - came_ns if first_ns >= 0 else ABSENT)

    def _report(self, exchange: SentMessage, end: int) -> None:
        """An exchange ended, and the connection goes on with the next one."""
        if self.state != RECEIVING:
            self.enter(RECEIVING, end)
        self.enter(IDLE, end)
        self._show(exchange)
        self.listener.exchange_done(self, MESSAGE_STATUS, end)
        self.bytes_received = 0
        if self._exchanges:
            self._begin_next(end)

    def _begin_next(self, now: int) -> None:
        """The state is that of the first exchange in flight."""
        exchange = self._exchanges[0]
        self.request_index, self.begun_ns, self.lag_ns = exchange.index, exchange.begun_ns, 0
        self.enter(SENDING, now)
        if exchange.sent_ns >= 0:
            self.enter(WAITING, now)

    def _show(self, exchange: SentMessage) -> None:
        """Set the exchange's own facts where the listener looks for them."""
        self.request_index = exchange.index
        self.bytes_sent = exchange.size_bytes if exchange.sent_ns >= 0 else 0
        # The first one pays for the handshake, however long ago that was.
        self.own_ns, opening_ns = (0, 0) if exchange.index else self._opening_ns
        self.scheduled_ns = exchange.begun_ns - opening_ns

    def _fail(self, kind: ErrorKind, detail: str, ending: Ending | None = None) -> None:
        if not self._exchanges:  # it never opened
            super()._fail(kind, detail, ending)
            return
        listener, self.listener = self.listener, NULL_LISTENER
        super()._fail(kind, detail, ending)
        self.listener = listener
        end = self.entered_ns(CLOSED)
        while self._exchanges:
            exchange = self._exchanges.popleft()
            self._set_phases(exchange, self._first_ns, end)
            self._show(exchange)
            self.listener.exchange_done(self, -kind, end)
            self._first_ns, self.bytes_received = ABSENT, 0

    def _closing_bytes(self) -> bytes:
        core = self._core
        return core.close() if core is not None and core.head is not None else b""


def _ignore(_message: ReceivedMessage) -> None:
    """Until a receiver is set, messages are dropped."""
