"""Clients for greenlets: a call sends one request and returns when its response is there. Knows no Locust.

Where each user has a connection of its own, its client is the slot of that: it treats the connection as the policy
says, and watches it between calls. Further calls at the same time take the slots of a pool.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import gevent
from gevent import getcurrent

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.clients.call_extras import CallExtras
from loadgen.drive.clients.shared_client import CallContext, SharedClient
from loadgen.drive.clients.websocket_client import WebSocketClient
from loadgen.drive.requests.builder import FieldPairs
from loadgen.drive.requests.call_result import CallResult, CallRow
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot, pause_after
from loadgen.model.request_method import IDEMPOTENT
from loadgen.model.sample_sink import SampleSink
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead

MAX_CONCURRENCY = 10
"""Connections of one user at a time, as Locust's FastHttpUser has them by default."""


class GreenletContext(CallContext, Protocol):
    """What the clients of one pool have in common."""

    sink: SampleSink

    def further_client(self, state: PathCookieState, connections: int) -> SharedClient:
        """For calls beside one that is under way, of the user with this state."""

    def new_slot(self) -> int:
        """The number of a slot that none had before."""

    def release(self, client: GreenletClient) -> None:
        """A client will not call any more."""


class GreenletClient(ConnectionSlot):
    """One blocking client, which is the slot of its own connection."""

    __slots__ = (
        "_builder", "_calling", "_concurrency", "_ended", "_error", "_extras", "_further", "_gave_turn", "_hub",
        "_is_head", "_left", "_pause_until_ns", "_pool", "_rows", "_state", "_takes_cookies", "_used", "_waiting",
    )  # fmt: skip

    def __init__(
        self, pool: GreenletContext, index: int, user_state: PathCookieState, concurrency: int = MAX_CONCURRENCY
    ) -> None:
        ConnectionSlot.__init__(self, cast(SlotContext, pool), index, user_state)
        self._sink = self._rows = CallRow(pool.sink)
        self._pool = pool
        self._builder = pool.builder
        self._hub = pool.hub
        self._takes_cookies = pool.takes_cookies
        self._state = user_state
        self._calling = self._ended = self._is_head = self._left = self._gave_turn = False
        self._error: OSError | None = None
        self._pause_until_ns = 0
        self._used: Connection
        self._waiting: Any = None
        self._further: Any = None
        self._concurrency = concurrency
        self._extras: Any = None

    def call(
        self, method: str, path: str, headers: FieldPairs = (), body: bytes = b"", timeout_s: float = 0.0,
        stream: BodyStream | None = None,
    ) -> CallResult:  # fmt: skip
        """Send a request and wait for its response; other greenlets run meanwhile.

        timeout_s: how long it may take, in place of the run's --timeout; 0 for that. stream: gets the body as it comes:
        the call returns when the head has come, and counts as under way until the body has.

        Beside a call that is under way it goes on a further connection of the user's, as far as there may be one more.
        The call waits first until the connection has rested, and until a short pause after an error is over, which
        keeps a target that is down from being hammered; neither counts as a part of the request's time.
        Raises PlanError where the request can't be sent as it is, OSError where the sink's disk is full. An exception
        that is thrown into the greenlet meanwhile abandons the exchange.
        """
        if self._calling:
            return self._call_beside(method, path, headers, body, timeout_s, stream)
        state = self._state
        state.path = path
        cookies = state.cookies() if self._takes_cookies else ""
        state.requests = self._builder.requests(method, path, headers, body, cookies)
        self._calling = True
        try:
            if self._pause_until_ns:
                self._sleep_out_pause()
            if timeout_s or stream is not None:
                self._extras = CallExtras(self, timeout_s, stream, self._pool.timed)
            self._begin(method)
            if stream is not None:
                return stream.wait_for_head()
            self._wait()
        except BaseException:
            self._waiting = None
            self._abandon()
            if self._extras is not None:
                self._end_extras()
            raise
        finally:
            self._calling = self._extras is not None
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._rows.result(self._used)

    def websocket(self, path: str, headers: FieldPairs = ()) -> WebSocketClient:
        """Open a WebSocket on a connection of its own; see `WebSockets.open`."""
        if self._left:
            raise RuntimeError("this user has left")
        websocket: WebSocketClient = self._pool.websockets.open(self._state, path, headers)
        return websocket

    def so_far(self, head: ResponseHead) -> CallResult:
        """What is known of the call under way, whose response has this head."""
        assert self.connection is not None, "an exchange is under way"
        return self._rows.so_far(self.connection, head)

    def give_up(self) -> None:
        """End the exchange under way, if there is one."""
        self._abandon()

    def take_turn(self) -> bool:
        """Others could run during a call since this was asked last."""
        gave, self._gave_turn = self._gave_turn, False
        return gave

    def leave(self) -> None:
        """Abandon the exchange under way, close the connection, free the slot; safe to call twice."""
        if not self._left:
            self._left = True
            self._abandon()
            self.close_idle()
            if self._further is not None:
                self._further.leave()
            self._pool.release(self)

    def close_idle(self) -> None:
        if self.connection is not None and not self.connection.busy:
            ConnectionSlot.close_idle(self)
            self.index = self._pool.new_slot()  # the user wants another connection next
        if self._further is not None:
            self._further.close_idle()

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self._used = connection
        try:
            ConnectionSlot.exchange_done(self, connection, outcome, end_ns)
        except OSError as error:  # the sink's disk is full: raised in the greenlet, which would wait for ever
            self._error = error
            self._abandon_unrecorded(connection)
            self._end_call()

    def done(self, outcome: int) -> None:
        pause_s = pause_after(outcome, 0.0)
        if self.connection is not None and self._context.gap_s > pause_s:
            pause_s = self._context.gap_s
        self._pause_until_ns = self._context.clock.monotonic_ns() + int(pause_s * NS_PER_S) if pause_s else 0
        self._end_call()

    # Inside

    def _call_beside(
        self, method: str, path: str, headers: FieldPairs, body: bytes, timeout_s: float, stream: BodyStream | None
    ) -> CallResult:
        if self._left:
            raise RuntimeError("this user has left")
        if self._further is None:
            self._further = self._pool.further_client(self._state, self._concurrency - 1)
        result: CallResult = self._further.call(method, path, headers, body, timeout_s, stream)
        return result

    def _end_extras(self) -> None:
        extras, self._extras = self._extras, None
        extras.end()
        if extras.stream is not None and self._ended:
            self._calling = False
            error, self._error = self._error, None
            reader: Any = self._used.reader
            reader.stream = None
            extras.stream.end(self._rows.result(self._used), error)

    def _begin(self, method: str) -> None:
        if self._left:
            raise RuntimeError("this user has left")
        self._ended = False
        self._is_head = method == "HEAD"
        # Non-idempotent requests are never retried: treat them as already retried (RFC 9110 §9.2.2).
        self._retrying = method not in IDEMPOTENT
        if self.connection is not None:
            self.connection.reader.no_body = self._is_head
            if self._extras is not None:
                self._extras.prepare(self.connection.reader)
        self.send(0)

    def _open(self, scheduled_ns: int) -> None:
        ConnectionSlot._open(self, scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = self._is_head
            if self._extras is not None:
                self._extras.prepare(self.connection.reader)

    def _abandon(self) -> None:
        if self.connection is not None and self.connection.busy:
            self.connection.abandon()
            self.index = self._pool.new_slot()  # nobody could use that connection again

    def _sleep_out_pause(self) -> None:
        while (left_ns := self._pause_until_ns - self._context.clock.monotonic_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)

    def _wait(self) -> None:
        """Let others run until the response is there; it may be there already, where a connection failed at once."""
        if not self._ended:
            self._waiting = getcurrent()
            self._gave_turn = True
            while not self._ended:
                self._hub.switch()

    def _end_call(self) -> None:
        self._ended = True
        if self._extras is not None:
            self._end_extras()
        if self._waiting is not None:
            hub = self._hub
            if getcurrent() is hub:
                self._wake()
            else:
                hub.loop.run_callback(self._wake)

    def _wake(self) -> None:
        # Between run_callback and here the greenlet may have been killed, or may have begun to wait for something else.
        waiting = self._waiting
        if waiting is not None and self._ended:
            self._waiting = None
            waiting.switch()
