"""A WebSocket of a scenario: opened by a `with` block, its handshake and messages timed as events of Locust's.

Knows no frame and no run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict

from loadgen.drive.clients.websocket_client import WebSocketClient, WebSocketFailure
from loadgen.drive.requests.call_result import phases_by_name
from loadgen.model.units import NS_PER_MS
from loadgen.swarm.request_failures import RequestFailed

if TYPE_CHECKING:  # Locust patches the standard library of who imports it, and who opens a WebSocket has done so
    from locust import User

REQUEST_TYPE = "WS"
_WEBSOCKET = re.compile("^ws(?=s?://)", re.IGNORECASE)


class WebSocketOptions(TypedDict, total=False):
    """Options of a WebSocket."""

    name: str | None
    """In the statistics, behind `connect`, `send` and `receive`; else path and query, without secrets."""
    headers: Mapping[str, str | bytes | None] | None
    """Of the request for the upgrade. `Sec-WebSocket-Protocol` offers subprotocols."""
    context: Mapping[str, Any] | None
    """Passed on with the events."""


@dataclass(frozen=True, slots=True)
class WebSocketLabels:
    """What the events of a WebSocket say beside its times."""

    name: str
    url: str
    """With the scheme http or https; events have ws or wss in its place."""
    policy: str
    context: Mapping[str, Any]


class ReuseWebSocket:
    """The value of a `with` block; each event is named `connect`, `send` or `receive` and the WebSocket's name."""

    def __init__(self, user: User, open_websocket: Callable[[], WebSocketClient], labels: WebSocketLabels) -> None:
        self._user = user
        self._open = open_websocket
        self._labels = labels
        self._client: WebSocketClient | None = None

    def __enter__(self) -> Self:
        """Connect and shake hands. Raises RequestFailed where the WebSocket does not open."""
        start_time = time.time()
        try:
            client = self._client = self._open()
        except WebSocketFailure as failure:
            self._fire("connect", start_time, {}, failure=failure)
            raise RequestFailed(failure.kind.label) from failure
        assert client.handshake is not None, "it is open"
        self._fire("connect", start_time, phases_by_name(handshake=client.handshake))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def subprotocol(self) -> str | None:
        """The one that the server chose, if any."""
        return self._opened.subprotocol

    def send(self, message: str | bytes) -> None:
        """Send text (str) or a binary message (bytes); timed until all of it is sent. Raises RequestFailed."""
        start_time = time.time()
        try:
            send_ns = self._opened.send_message(message)
        except WebSocketFailure as failure:
            self._fire("send", start_time, {}, failure=failure)
            raise RequestFailed(failure.kind.label) from failure
        self._fire("send", start_time, phases_by_name(send=send_ns), len(message))

    def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message, text as str; after at most `timeout` seconds, by default those of --timeout.

        Timed from when the oldest unanswered message was sent, so that `send` and `receive` make up the exchange;
        where none is, from this call. Raises RequestFailed where none comes: the WebSocket is over then.
        """
        start_time, begun_ns = time.time(), time.monotonic_ns()
        try:
            message = self._opened.receive_message(timeout)
        except WebSocketFailure as failure:
            self._fire("receive", start_time, {"wait": time.monotonic_ns() - begun_ns}, failure=failure)
            raise RequestFailed(failure.kind.label) from failure
        if message.phases_ns is None:
            phases = phases_by_name(wait=max(0, message.received_ns - begun_ns))
        else:
            queue_ns, wait_ns, receive_ns = message.phases_ns
            phases = phases_by_name(queue=queue_ns, wait=wait_ns, receive=receive_ns)
        self._fire("receive", start_time, phases, len(message.payload))
        return message.payload

    def close(self) -> None:
        """Close it, with a close handshake; safe to call twice."""
        if self._client is not None:
            self._client.close()

    # Inside

    @property
    def _opened(self) -> WebSocketClient:
        if self._client is None:
            raise RuntimeError("a WebSocket opens in a with block: with self.client.websocket(path) as ws")
        return self._client

    def _fire(
        self,
        step: str,
        start_time: float,
        phases: Mapping[str, int | None],
        length: int = 0,
        failure: WebSocketFailure | None = None,
    ) -> None:
        labels = self._labels
        self._user.environment.events.request.fire(
            request_type=REQUEST_TYPE,
            name=f"{step} {labels.name}",
            response_time=sum(value or 0 for value in phases.values()) / NS_PER_MS,
            response_length=length,
            response=None,
            exception=None if failure is None else RequestFailed(failure.kind.label),
            context={
                **self._user.context(),
                **labels.context,
                "phases": dict(phases),
                "reused": step != "connect",
                "policy": labels.policy,
            },
            start_time=start_time,
            url=f"ws{labels.url.removeprefix('http')}",
        )


def http_url(url: str) -> str:
    """The URL with the scheme http or https for ws or wss."""
    return _WEBSOCKET.sub("http", url)
