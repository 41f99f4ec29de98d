"""One request of a user who may have several under way: its path and bytes are its own, cookies and TLS session not.

Knows no connection.
"""

from __future__ import annotations

from typing import Any, Protocol

from gevent import getcurrent

from loadgen.drive.clients.call_timer import CallTimer
from loadgen.drive.requests.call_result import CallResult
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.model.request_method import IDEMPOTENT
from loadgen.wire.http1.head import ResponseHead


class CallingClient(Protocol):
    """The client of the user who calls."""

    @property
    def user_state(self) -> PathCookieState:
        """The user's cookies and TLS session."""

    @property
    def hub(self) -> Any:
        """The hub of the greenlets that wait."""

    def call_ended(self, call: UserCall, outcome: int) -> None:
        """A request has ended, well or not."""


class UserCall(PathCookieState):
    """A call under way: what a slot sends, and what the greenlet that waits for it gets."""

    __slots__ = (
        "_client",
        "_waiting",
        "ended",
        "error",
        "is_head",
        "is_idempotent",
        "result",
        "slot",
        "timeout_s",
        "timer",
    )

    def __init__(self, client: CallingClient, method: str, path: str, timeout_s: float = 0.0) -> None:
        PathCookieState.__init__(self, client.user_state.index, "")
        self.path = path
        self.session = client.user_state.session
        self._client = client
        self._waiting: Any = None
        self.ended = False
        self.result: CallResult | None = None
        self.error: Exception | None = None
        """What the greenlet raises in place of a result."""
        self.is_head = method == "HEAD"
        self.is_idempotent = method in IDEMPOTENT
        self.timeout_s = timeout_s
        """How long it may take once a slot carries it; 0 for as long as the run allows."""
        self.timer: CallTimer | None = None
        self.slot: Any = None
        """The slot that carries it; None while it waits for one."""

    @property
    def user_state(self) -> UserCall:
        """What a pool sends is this call itself."""
        return self

    def take_cookies(self, head: ResponseHead, url: str) -> None:
        self._client.user_state.take_cookies_of(self.path, head, url)

    def cookies(self) -> str:
        return self._client.user_state.cookies_of(self.path)

    def share_session(self) -> None:
        """The user's next connection offers the TLS session that this call's connection had."""
        if self.session is not None:
            self._client.user_state.session = self.session

    def served(self, outcome: int) -> None:
        """It has ended, and `result` or `error` is set."""
        if self.timer is not None:
            self.timer.stop()
        self._client.call_ended(self, outcome)
        self.end()

    def end(self) -> None:
        """The greenlet goes on, in a turn of its own."""
        self.ended = True
        if self._waiting is not None:
            self._client.hub.loop.run_callback(self._wake)

    def wait(self) -> CallResult:
        """Let others run until it has ended. Raises `error`: the sink's OSError, RuntimeError where the user left."""
        self._waiting = getcurrent()
        try:
            while not self.ended:
                self._client.hub.switch()
        finally:
            self._waiting = None
        if self.error is not None:
            raise self.error
        assert self.result is not None, "it has ended"
        return self.result

    def _wake(self) -> None:
        # Since run_callback the greenlet may have been killed, or have begun to wait for something else.
        if self._waiting is not None:
            self._waiting.switch()
