"""The run's very first request, which goes alone before all others, and what its response shows about the server.

Decides nothing.
"""

from __future__ import annotations

from typing import Any

from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.listener import Listener

_MAX_SERVER_NAME = 200


class ServerObserver(Listener):
    """Listens in place of a slot to one exchange, notes what kind of server answered, and hands the exchange on."""

    def __init__(self, context: SlotContext, slot: Listener) -> None:
        self._context = context
        self._slot = slot

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        if outcome > 0:
            self._context.observed = _observe(connection)
        connection.listener = self._slot
        self._slot.exchange_done(connection, outcome, end_ns)

    def connection_lost(self, connection: Connection) -> None:
        self._slot.connection_lost(connection)

    def connection_ready(self, connection: Connection) -> None:
        self._slot.connection_ready(connection)


class Preflight(ServerObserver):
    """Sends one request of a slot, on its present connection or on a new one."""

    head: ResponseHead | None = None
    """The response's, if there was one."""

    def send(self, slot: ConnectionSlot, is_concurrent: bool) -> None:
        """is_concurrent: its connection carries several requests at a time, and only a new one sends a single one."""
        if is_concurrent:
            slot.close_idle()
        if slot.connection is None:
            slot.send_first(self)
        else:
            slot.connection.listener = self
            slot.send(0)

    def connection_ready(self, connection: Connection) -> None:
        """Its request goes alone."""

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self.head = connection.reader.head if outcome > 0 else None
        super().exchange_done(connection, outcome, end_ns)


def _observe(connection: Connection) -> dict[str, Any]:
    head = connection.reader.head
    server = {name.lower(): value for name, value in head.headers}.get(b"server") if head else None
    describe = getattr(connection.transport, "describe", None)
    return {
        "http_version": head.version if head else None,
        "status": head.status if head else None,
        "server": server.decode("latin-1")[:_MAX_SERVER_NAME] if server else None,
        "keep_alive_timeout_s": head.keep_alive_timeout_s if head else None,
        "keep_alive_max": head.keep_alive_max if head else None,
        "tls": describe() if describe else None,
    }
