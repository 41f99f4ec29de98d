"""Clients that greenlets drive: a call sends one request and returns once its answer is there. Knows no Locust.

Connections are treated as the policy says, by the same lines as those of closed-loop users; between calls a connection
stays as it is, watched.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from time import monotonic_ns
from typing import Any, cast

import gevent
from gevent import getcurrent

from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.requests.builder import Fields, RequestBuilder
from loadgen.drive.requests.call_result import BodyReader, CallResult, answer_of
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.slots.slot import ConnectionSlot, SampleSink, ServerObserver, rest_after
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import IDEMPOTENT, Plan
from loadgen.model.policy import ConnectionPolicy, parse_policy
from loadgen.model.records import Ending
from loadgen.model.units import NS_PER_S
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.route import Route


def scenario_policy(text: str) -> ConnectionPolicy:
    """Read the policy of a scenario's users. Raises PlanError, also where it needs users that share or don't wait."""
    policy = parse_policy(text)
    if not policy.fits_scenarios:
        raise PlanError(
            f"the policy {policy.name!r} is not for scenarios, whose users send one HTTP/1.1 request at a time "
            "over a connection of their own; a SwarmUser can have it"
        )
    return policy


class GreenletClient(ConnectionSlot):
    """One client, on a line of its own, whose requests greenlets ask for one at a time."""

    __slots__ = (
        "_callers",
        "_calling",
        "_ended",
        "_error",
        "_is_head",
        "_left",
        "_rest_until_ns",
        "_row",
        "_used",
        "_waiting",
    )  # fmt: skip

    def __init__(self, callers: GreenletClientPool, index: int, visitor: PathCookieState) -> None:
        super().__init__(callers, index, visitor)
        self._record = self._record_row
        self._callers = callers
        self._calling = self._ended = self._is_head = self._left = False
        self._error: OSError | None = None
        self._rest_until_ns = 0
        self._row: tuple[int, ...]
        self._used: Connection
        self._waiting: Any = None

    def call(self, method: str, path: str, headers: Fields = (), body: bytes = b"") -> CallResult:
        """Send a request and wait for its answer; other greenlets run meanwhile.

        A connection that has to rest is waited for first, and so is the end of a short pause after an error, which
        keeps a target that is down from being hammered; neither counts as a part of the request's time.
        Raises PlanError where the request can't be sent as it is, OSError where the sink's disk is full. Whatever is
        thrown into the greenlet meanwhile abandons the exchange.
        """
        if self._calling:
            raise RuntimeError("this user's requests go one at a time, and one is under way")
        visitor = cast(PathCookieState, self.client)
        visitor.path = path
        cookies = visitor.cookies() if self._callers.takes_cookies else ""
        visitor.requests = self._callers.writer.requests(method, path, headers, body, cookies)
        self._calling = True
        try:
            if self._rest_until_ns:
                self._rest()
            self._begin(method)
            self._wait()
        except BaseException:
            self._waiting = None
            self._abandon()
            raise
        finally:
            self._calling = False
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return answer_of(self._used, self._row)

    def leave(self) -> None:
        """Abandon what is under way, close the connection, make room for another caller; safe to call twice."""
        if not self._left:
            self._left = True
            self._abandon()
            self.close_idle()
            self._callers.left(self)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self._used = connection
        try:
            super().exchange_done(connection, outcome, end_ns)
        except OSError as error:  # the sink's disk is full: told to the greenlet, which would wait for ever
            self._error = error
            self.connection = None
            if connection.state is not CLOSED:
                connection.close(Ending.CLIENT_SILENT)
            self._end_call()

    def done(self, outcome: int) -> None:
        rest_s = rest_after(outcome, 0.0)
        if self.connection is not None and self._context.gap_s > rest_s:
            rest_s = self._context.gap_s
        self._rest_until_ns = monotonic_ns() + int(rest_s * NS_PER_S) if rest_s else 0
        self._end_call()

    # Inside

    def _begin(self, method: str) -> None:
        if self._left:
            raise RuntimeError("this user has left")
        self._ended = False
        self._is_head = method == "HEAD"
        # What isn't idempotent is never sent again, as if it had been already (RFC 9110 §9.2.2).
        self._retrying = method not in IDEMPOTENT
        if self.connection is not None:
            self.connection.reader.no_body = self._is_head
        self.send(0)

    def _open(self, scheduled_ns: int) -> None:
        super()._open(scheduled_ns)
        if self.connection is not None:  # it may have failed at once
            self.connection.reader.no_body = self._is_head

    def _record_row(self, *row: int) -> None:
        self._row = row
        self._callers.sink.exchange(*row)

    def _abandon(self) -> None:
        if self.connection is not None and self.connection.busy:
            self.connection.abandon()

    def _rest(self) -> None:
        while (left_ns := self._rest_until_ns - monotonic_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)

    def _wait(self) -> None:
        """Let others run until the answer is there; it may be there already, where a connection failed at once."""
        if not self._ended:
            self._waiting = getcurrent()
            while not self._ended:
                self._callers.hub.switch()

    def _end_call(self) -> None:
        self._ended = True
        if self._waiting is not None:
            hub = self._callers.hub
            if getcurrent() is hub:
                self._wake()
            else:
                hub.loop.run_callback(self._wake)

    def _wake(self) -> None:
        # What was woken from elsewhere may have been killed since then, and may wait for something else by now.
        waiting = self._waiting
        if waiting is not None and self._ended:
            self._waiting = None
            waiting.switch()


class GreenletClientPool(ConnectionManager):
    """The crew of a scenario's users in this process, under one policy.

    A slot's number is that of its user, and goes to another one when that has left. connections: the number of the
    first connection. policy: as written. Raises PlanError where it is none, or not for scenarios.
    """

    def __init__(self, plan: Plan, route: Route, sink: SampleSink, policy: str, connections: int = 0) -> None:
        chosen = scenario_policy(policy)
        super().__init__(plan, route, sink, connections)
        self.use(chosen)
        self.writer = RequestBuilder(plan, chosen)
        self.hub: Any = gevent.get_hub()
        target = plan.target
        self._origin = f"{target.scheme}://{target.host_field}"
        self._present: dict[int, GreenletClient] = {}
        self._free: list[int] = []
        self._closed = False

    @property
    def origin(self) -> str:
        """Scheme and authority of the target's URLs."""
        return self._origin

    def caller(self) -> GreenletClient:
        """A client that is nobody yet: no connection, no cookies. Its `leave` must be called at the end."""
        index = heappop(self._free) if self._free else len(self._present)
        caller = self._present[index] = GreenletClient(self, index, PathCookieState(index, self._origin))
        return caller

    def left(self, caller: GreenletClient) -> None:
        """A caller will not call any more."""
        del self._present[caller.index]
        heappush(self._free, caller.index)

    def close(self) -> None:
        """All callers leave, and the loop is left as it was found; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for caller in list(self._present.values()):
            caller.leave()
        self._await_closes()
        super().close()

    def new_connection(self, listener: Listener) -> Connection:
        # The first answer says what kind of server this is.
        return super().new_connection(listener if self.observed else ServerObserver(self, listener))

    def _new_reader(self) -> BodyReader:
        return BodyReader(self._plan.max_body_bytes)

    def _at_work(self) -> Iterable[Connection | None]:
        # A copy: what ends here wakes users, and they come and go.
        return [caller.connection for caller in self._present.values()]
