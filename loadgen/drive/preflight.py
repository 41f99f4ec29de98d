"""The run's very first request, which goes alone before all others. Decides nothing."""

from __future__ import annotations

from loadgen.drive.slots.slot import ConnectionSlot, ServerObserver
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead


class Preflight(ServerObserver):
    """Sends one request of a line's, on the connection that it has or on a new one. head: of the response, if any."""

    head: ResponseHead | None = None

    def send(self, line: ConnectionSlot, is_shared: bool) -> None:
        """is_shared: its connection carries several requests at a time, and only a new one sends a single one."""
        if is_shared:
            line.close_idle()
        if line.connection is None:
            line.knock(self)
        else:
            line.connection.listener = self
            line.send(0)

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self.head = connection.reader.head if outcome > 0 else None
        super().exchange_done(connection, outcome, end_ns)
