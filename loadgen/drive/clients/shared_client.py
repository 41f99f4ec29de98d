"""A user's client whose calls go over the connections of a pool: its own, or one of all users. Knows no policy."""

from __future__ import annotations

from typing import Any, Protocol

import gevent

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.clients.user_call import UserCall
from loadgen.drive.clients.websocket_client import WebSocketClient
from loadgen.drive.requests.builder import FieldPairs, RequestBuilder
from loadgen.drive.requests.call_result import CallResult
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.slots.pool import Pool
from loadgen.drive.slots.pooled_slot import PooledSlot
from loadgen.drive.slots.slot import pause_after
from loadgen.model.exceptions import PlanError
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_S
from loadgen.wire.clock import PhaseClock


class WebSocketOpener(Protocol):
    """What opens the WebSockets of users."""

    def open(self, state: PathCookieState, path: str, headers: FieldPairs) -> WebSocketClient: ...


class CallContext(Protocol):
    """What the clients of one policy have in common."""

    builder: RequestBuilder
    hub: Any
    clock: PhaseClock
    policy: ConnectionPolicy
    gap_s: float
    takes_cookies: bool

    @property
    def websockets(self) -> WebSocketOpener: ...

    timed: set[Any]
    """Slots whose present call has a time limit of its own."""

    def client_left(self, client: SharedClient) -> None:
        """It will not call any more."""

    def own_slots(self, client: SharedClient) -> list[PooledSlot]:
        """The slots whose connections this client shares with no other user."""


class SharedClient:
    """Calls of several greenlets may be under way at a time; each waits in order until a connection is free."""

    def __init__(self, context: CallContext, pool: Pool, user_state: PathCookieState) -> None:
        self.pool = pool
        self.user_state = user_state
        self.index = user_state.index
        self.hub = context.hub
        self._context = context
        self._under_way: dict[UserCall, None] = {}
        self._pause_until_ns = 0
        self._gave_turn = self._left = False

    def call(
        self, method: str, path: str, headers: FieldPairs = (), body: bytes = b"", timeout_s: float = 0.0,
        stream: BodyStream | None = None,
    ) -> CallResult:  # fmt: skip
        """Send a request as soon as a connection is free, and wait for its response; see `GreenletClient.call`.

        The time until a connection is free is the request's `queue`. timeout_s: counted from then on. stream: gets the
        body when all of it has come.
        """
        if self._left:
            raise RuntimeError("this user has left")
        context = self._context
        call = UserCall(self, method, path, timeout_s)
        cookies = call.cookies() if context.takes_cookies else ""
        call.requests = context.builder.requests(method, path, headers, body, cookies)
        self._sleep_out_pause()
        self._check_pipeline(call, method)
        self._under_way[call] = None
        self._gave_turn = True
        try:
            self.pool.submit(call, 0, ABSENT)
            result = call.wait()
            if stream is not None:
                stream.end(result)
            return result
        except BaseException:
            self._abandon(call)
            raise

    def websocket(self, path: str, headers: FieldPairs = ()) -> WebSocketClient:
        """Open a WebSocket on a connection of its own; see `WebSockets.open`."""
        if self._left:
            raise RuntimeError("this user has left")
        return self._context.websockets.open(self.user_state, path, headers)

    def take_turn(self) -> bool:
        """Others could run during a call since this was asked last."""
        gave, self._gave_turn = self._gave_turn, False
        return gave

    def close_idle(self) -> None:
        """Close the connections that are this user's own and not in use."""
        for slot in self._context.own_slots(self):
            slot.close_idle()

    def leave(self) -> None:
        """Abandon the calls under way; safe to call twice."""
        if not self._left:
            self._left = True
            for call in reversed(list(self._under_way)):  # those that wait for a connection come first
                self._abandon(call)
            self._context.client_left(self)

    def call_ended(self, call: UserCall, outcome: int) -> None:
        """Rest before the next call, where the policy or an error demands it."""
        self._under_way.pop(call, None)
        pause_s = pause_after(outcome, 0.0)
        if call.slot.connection is not None and self._context.gap_s > pause_s:
            pause_s = self._context.gap_s
        if pause_s:
            self._pause_until_ns = self._context.clock.monotonic_ns() + int(pause_s * NS_PER_S)

    # Inside

    def _check_pipeline(self, call: UserCall, method: str) -> None:
        """Raises PlanError where a pipeline would hold a request that may only go alone (RFC 9112 §9.3.2)."""
        alone = [one for one in (call, *self._under_way) if not one.is_idempotent]
        if self._context.policy.pipelines and self._under_way and alone:
            raise PlanError(
                f"the policy {self._context.policy.name!r} can't have {method} {call.path} under way beside others: "
                "what is not idempotent can't be pipelined (RFC 9112 §9.3.2); send it when they are done"
            )

    def _abandon(self, call: UserCall) -> None:
        if call.ended:
            return
        waiting = self.pool.waiting
        found = [entry for entry in waiting if entry[0] is call]
        if found:
            waiting.remove(found[0])
            self._under_way.pop(call, None)
            call.error = RuntimeError("this user has left")
            call.end()
        elif call.slot is not None:
            # Users are mostly stopped together: none of them should get the connection just before it is.
            self.pool.serves_waiting = False
            call.slot.abandon(call)
            self.hub.loop.run_callback(self._serve_waiting, call.slot)

    def _serve_waiting(self, slot: PooledSlot) -> None:
        self.pool.serves_waiting = True
        self.pool.release(slot)

    def _sleep_out_pause(self) -> None:
        while (left_ns := self._pause_until_ns - self._context.clock.monotonic_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)
