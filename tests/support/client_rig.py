"""Clients of a scenario over a network without a kernel, and over the embedded target in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent

from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.drive.clients.websocket_client import WebSocketClient
from loadgen.drive.requests.call_result import CallResult
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from loadgen.target.server import TargetServer
from loadgen.wire import poller
from loadgen.wire.clock import PhaseClock
from loadgen.wire.route import Route
from tests.support.fake_network import HELLO, FakeRoute, FakeSink, FakeTransport
from tests.support.row_sink import RowSink
from tests.support.target_thread import target_in_thread
from tests.support.upgrade_servers import switching


class ClientRig:
    """A pool of clients whose connections a test answers by hand."""

    def __init__(self, policy: str = "persistent", clock: PhaseClock | None = None, **values: Any) -> None:
        plan = Plan(parse_target("http://h:81/"), parse_policies("persistent"), **values)
        self.route = FakeRoute(clock or poller.of_hub())
        self.sink = FakeSink()
        self.pool = GreenletClientPool(plan, self.route, self.sink, policy)
        if clock is not None:
            self.pool.clock = clock

    @property
    def made(self) -> list[FakeTransport]:
        return self.route.made

    @property
    def paths(self) -> list[list[str]]:
        """What was requested, by connection."""
        return [
            [one.split(b" ")[1].decode() for one in b"".join(made.requests).split(b"\r\n\r\n") if one]
            for made in self.made
        ]


def begun(function: Callable[..., Any], *arguments: Any) -> Any:
    """A greenlet that has run as far as it can."""
    greenlet = gevent.spawn(function, *arguments)
    gevent.idle()
    return greenlet


def call_all(client: Any, *paths: str) -> list[Any]:
    """Greenlets that each call for one path; all have run as far as they can."""
    return [begun(client.call, "GET", path) for path in paths]


def answered(rig: ClientRig, greenlet: Any, response: bytes = HELLO) -> CallResult:
    """The result of a call once its response has come."""
    transport = rig.made[-1]
    if not transport.requests:
        transport.open()
    transport.answer(response)
    result: CallResult = greenlet.get(timeout=5)
    return result


def opened_websocket(rig: ClientRig, user: Any = None, more: bytes = b"", headers: Any = ()) -> WebSocketClient:
    """A WebSocket whose handshake the server has answered. more: field lines of the answer."""
    opening = begun((user or rig.pool.new_client()).websocket, "/chat?room=1", headers)
    rig.made[-1].open()
    rig.made[-1].answer(switching(rig.made[-1].requests[0], more=more))
    websocket: WebSocketClient = opening.get(timeout=5)
    return websocket


@contextmanager
def clients_of_target(
    behaviour: Behaviour | None = None, policy: str = "persistent", ca_file: Path | None = None, **values: Any
) -> Iterator[tuple[GreenletClientPool, RowSink, TargetServer]]:
    """A pool of clients over real sockets, its rows, and the target; all are closed at the end.

    ca_file: the target speaks TLS, and its certificate goes there.
    """
    context, scheme = None, "http"
    if ca_file is not None:
        context, scheme = server_context(("127.0.0.1",), ca_file, ("h2", "http/1.1")), "https"
        values["cacert"] = str(ca_file)
    with target_in_thread(behaviour or Behaviour(), context) as target:
        plan = Plan(parse_target(f"{scheme}://127.0.0.1:{target.port}/"), parse_policies("persistent"), **values)
        sink = RowSink()
        pool = GreenletClientPool(plan, Route.of(plan), sink, policy)
        try:
            yield pool, sink, target
        finally:
            pool.close()
