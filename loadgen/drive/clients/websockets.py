"""The WebSockets of a process's users: opens them on connections of their own, closes them when a user leaves.

Sends no message.
"""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.drive.clients.websocket_client import WebSocketClient
from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.requests.builder import FieldPairs, RequestBuilder
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.model.plan import Plan
from loadgen.model.policy import WEBSOCKET, parse_policy
from loadgen.model.units import NS_PER_S
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.websocket.conversation import Conversation


class WebSockets:
    """context: makes the users' other connections. route: of the other connections."""

    def __init__(
        self, context: ConnectionManager, builder: RequestBuilder, slots: Iterator[int], plan: Plan, route: Route
    ) -> None:
        self._context = context
        self._builder = builder
        self._max_body_bytes = plan.max_body_bytes
        self.slots = slots
        """Their numbers, none of them used twice: each needs a connection of its own, with the best reuse too."""
        self._route = _websocket_route(plan, route)
        self._timeout_s = plan.load.timeout_ns / NS_PER_S
        self.opened: dict[WebSocketClient, None] = {}
        """Those that are not closed yet."""

    def open(self, state: PathCookieState, path: str, headers: FieldPairs) -> WebSocketClient:
        """One more of the user with this state. Its `close` must be called at the end.

        Raises PlanError where it can't be asked for, WebSocketFailure where it does not open.
        """
        cookies = state.cookies_of(path) if self._context.takes_cookies else ""
        request = self._builder.upgrade(path, headers, cookies)
        made = WebSocketClient(self, self._context, next(self.slots), state, self._timeout_s)
        self.opened[made] = None
        made.open(request)
        return made

    def close_of(self, user: int) -> None:
        """Close those of a user."""
        for websocket in [one for one in self.opened if one.user_state.index == user]:
            websocket.close()

    def new_conversation(self, listener: Listener) -> Conversation:
        """The connection of a WebSocket, not open yet."""
        number = self._context.numbers.take()
        return Conversation(number, self._route, listener, self._context.clock, ResponseReader(self._max_body_bytes))

    def websocket_closed(self, websocket: WebSocketClient) -> None:
        """It is over."""
        del self.opened[websocket]


def _websocket_route(plan: Plan, route: Route) -> Route:
    """The way of a WebSocket: it needs a tunnel where requests may go to a proxy as they are."""
    tunnels = plan.tunnels(parse_policy(WEBSOCKET))
    if tunnels == route.tunnels:
        return route
    own = Route.of(plan)
    own.tunnels = tunnels
    return own
