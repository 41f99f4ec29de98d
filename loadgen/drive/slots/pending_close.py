"""A connection whose server was asked to close it, until the server does or the grace is over. Knows no policy."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.records import ConnectionFlag, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.listener import NULL_LISTENER, Listener


class PendingClose(Listener):
    """Listens to a connection whose server did not announce the close that it was asked for."""

    def __init__(
        self, connection: Connection, slot: int, due_ns: int, on_closed: Callable[[PendingClose], None]
    ) -> None:
        self.due_ns = due_ns
        """When the grace ends, by the connection's clock."""
        self.is_over = False
        """The grace was found to have ended."""
        self.slot = slot
        self.connection = connection
        self._on_closed = on_closed
        connection.listener = self

    def give_up(self, waited: bool) -> None:
        """The client closes. waited: the grace is over, so the server ignored what it was asked for."""
        if waited:
            self.connection.flags |= ConnectionFlag.IGNORED_CLOSE
        self.connection.close(Ending.CLIENT_ANNOUNCED)
        self._end()

    def connection_lost(self, connection: Connection) -> None:
        """The server closed, as it had been asked to."""
        connection.ending = Ending.CLIENT_ANNOUNCED
        self._end()

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        raise AssertionError("nothing is sent on a connection that waits for its close")

    def _end(self) -> None:
        # No circle is left for the garbage collector, which would run within the load.
        self.connection.listener = NULL_LISTENER
        self._on_closed(self)
