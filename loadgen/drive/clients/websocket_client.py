"""A WebSocket for greenlets: opens, sends and receives while others run. Knows no Locust and no policy's reuse."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

from gevent.event import Event

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.drive.waiting import wait_until
from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.lifecycle import IDLE
from loadgen.wire.websocket.conversation import Conversation, ReceivedMessage
from loadgen.wire.websocket.message import Message

_NEVER_S = float("inf")


class WebSocketFailure(Exception):
    """The WebSocket can't go on. kind: why; detail: one line about it."""

    def __init__(self, kind: ErrorKind, detail: str) -> None:
        super().__init__(kind.label)
        self.kind = kind
        self.detail = detail


class WebSocketOwner(Protocol):
    """What makes the WebSockets of a process."""

    def new_conversation(self, listener: WebSocketClient) -> Conversation: ...

    def websocket_closed(self, websocket: WebSocketClient) -> None: ...


class WebSocketClient(ConnectionSlot):
    """One WebSocket, which is the slot of its own connection. Its connection is not used again.

    timeout_s: how long `receive_message` waits by default.
    """

    __slots__ = (
        "_cookies", "_disk_error", "_failure", "_inbox", "_is_closed", "_owner", "_path", "_timeout_s", "_waiting",
        "handshake",
    )  # fmt: skip

    def __init__(
        self, owner: WebSocketOwner, context: SlotContext, index: int, user_state: PathCookieState, timeout_s: float
    ) -> None:
        ConnectionSlot.__init__(self, context, index, user_state)
        self._cookies = user_state
        self._path = ""
        self._owner = owner
        self._timeout_s = timeout_s
        self._inbox: deque[ReceivedMessage] = deque()
        self._waiting: list[Event] = []
        self._failure: WebSocketFailure | None = None
        self._disk_error: OSError | None = None
        self._is_closed = False
        self.handshake: tuple[int, int, int, int, int] | None = None
        """Durations (ns) of dns, connect, tunnel, tls and upgrade, ABSENT for a missing phase; None until it opened."""

    def open(self, request: Message) -> None:
        """Connect and shake hands, as `request` says; raises WebSocketFailure. Its payload is not sent."""
        self._path = request.path
        connection = self._owner.new_conversation(self)
        self.connection = connection
        connection.user = self.user_state.index
        connection.receive = self._received
        context, session = self._context, self.user_state.session
        opens: Any = connection.open if context.pace is None else _paced(context.pace.open, connection)
        try:
            opens(request, 0, session, self._policy.resolves)
            self._wait(lambda: self.handshake is not None)
        except BaseException:
            self.close()
            raise

    @property
    def subprotocol(self) -> str | None:
        """The one that the server chose, if any."""
        return None if self.connection is None else self._conversation.subprotocol

    def send_message(self, payload: str | bytes) -> int:
        """Send a message, text or binary; gives how long (ns) it took until all of it was sent.

        Raises WebSocketFailure, OSError where the sink's disk is full.
        """
        self._check()
        conversation = self._conversation
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        sent = conversation.submit(Message(data, isinstance(payload, str), "", ()))
        self._wait(lambda: conversation.is_sent)
        ended_ns = sent.sent_ns if sent.sent_ns >= 0 else self._context.clock.monotonic_ns()
        return ended_ns - sent.begun_ns

    def receive_message(self, timeout_s: float | None = None) -> ReceivedMessage:
        """The next message. Raises WebSocketFailure, and OSError where the sink's disk is full.

        One that does not come in time ends the WebSocket, as a response that does not come ends its connection.
        """
        if not self._inbox:
            limit_s = self._timeout_s if timeout_s is None else timeout_s
            end_ns = self._context.clock.monotonic_ns() + int(limit_s * NS_PER_S)
            if not self._wait(lambda: bool(self._inbox), end_ns / NS_PER_S):
                self._expire()
                self._check()
        return self._inbox.popleft()

    def close(self) -> None:
        """Close it, with a Close frame where the policy announces closes; safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        connection = self.connection
        if connection is not None:
            conversation = self._conversation
            if connection.state < IDLE and not conversation.forgo():
                connection.abandon()
            elif self.connection is not None:  # the sink's disk may just have become full
                self._end(connection, Ending.CLIENT_SILENT)
        self._fail(ErrorKind.WEBSOCKET_CLOSED, "it was closed here")
        self._owner.websocket_closed(self)

    # What its connection says

    def connection_ready(self, connection: Any) -> None:
        self.handshake = connection.handshake
        if connection.reader.sets_cookies and self._context.takes_cookies:
            self._cookies.take_cookies_of(self._path, connection.reader.head, self._context.url)
        self._notify()

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        try:
            ConnectionSlot.exchange_done(self, connection, outcome, end_ns)
        except OSError as error:  # the sink's disk is full: raised in the greenlet
            self._disk_error = error
            self._abandon_unrecorded(connection)
            self._notify()
        if outcome < 0:
            self._fail(ErrorKind(-outcome), connection.failure)

    def connection_lost(self, connection: Any) -> None:
        ConnectionSlot.connection_lost(self, connection)
        self._fail(ErrorKind.WEBSOCKET_CLOSED, connection.failure or "the server closed it")

    def done(self, outcome: int) -> None:
        """Greenlets go on as messages come, not as exchanges end."""

    # Inside

    @property
    def _conversation(self) -> Conversation:
        return cast(Conversation, self.connection)

    def _answered(self, connection: Connection) -> None:
        """It goes on, whatever the policy says of requests and connections."""
        balance = self._context.balance
        if balance is not None:
            balance.answered(connection.address, connection.reader.head, self._context.clock.polled_ns)

    def _received(self, message: ReceivedMessage) -> None:
        self._inbox.append(message)
        self._notify()

    def _expire(self) -> None:
        """No message came in time."""
        connection = self._conversation
        if connection.in_flight:
            connection.expire()
        else:
            self._end(connection, Ending.CLIENT_SILENT)
            self._fail(ErrorKind.RESPONSE_TIMEOUT, "no message within the time allowed")

    def _fail(self, kind: ErrorKind, detail: str) -> None:
        if self._failure is None:
            self._failure = WebSocketFailure(kind, detail)
        self._notify()

    def _check(self) -> None:
        """Raises what ended it."""
        if self._disk_error is not None:
            raise self._disk_error
        if self._failure is not None:
            raise WebSocketFailure(self._failure.kind, self._failure.detail)

    def _notify(self) -> None:
        for event in self._waiting:
            event.set()

    def _wait(self, is_done: Callable[[], bool], end_s: float = _NEVER_S) -> bool:
        """Let others run until that is so (True), or until `end_s` (False). Raises what ended it."""
        while not is_done():
            self._check()
            event = Event()
            self._waiting.append(event)
            try:
                if end_s == _NEVER_S:
                    event.wait()
                elif not wait_until(event, end_s):
                    return False
            finally:
                self._waiting.remove(event)
        return True


def _paced(begin: Callable[..., None], connection: Connection) -> Callable[..., None]:
    return lambda *opening: begin(connection, *opening)
