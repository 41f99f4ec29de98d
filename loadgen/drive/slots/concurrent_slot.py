"""What slots with several requests in flight have in common: when to add one, and when the connection is over."""

from __future__ import annotations

from typing import cast

from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.model.records import Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http2.connection import Http2Connection

ConcurrentConnection = Pipeline | Http2Connection
"""A connection with several requests in flight."""


class ConcurrentSlot(ConnectionSlot):
    """Mixed into a slot whose connection is a ConcurrentConnection."""

    __slots__ = ()

    def _may_send(self, connection: ConcurrentConnection) -> bool:
        """One more request may begin on it."""
        if self._expires:
            return self._policy.may_reuse(connection, self._context.clock.monotonic_ns())
        return self._policy.keeps(connection)  # the same without a look at the clock

    def _usable(self) -> ConcurrentConnection | None:
        """The present connection, unless it is idle and may carry no more: then it is ended."""
        connection = cast(ConcurrentConnection | None, self.connection)
        if connection is not None and not connection.in_flight and not self._may_send(connection):
            self._end(connection, Ending.CLIENT_SILENT)  # it grew too old meanwhile
            return None
        return connection

    def _failed(self, connection: Connection, outcome: int) -> None:
        concurrent = cast(ConcurrentConnection, connection)
        if concurrent.in_flight:
            self._context.errors += 1  # the last exchange to end, well or not, decides about the connection
            return
        super()._failed(connection, outcome)
        if self.connection is connection and not self._may_send(concurrent):
            # The exchange failed and its connection did not, and it was the last that this one could carry.
            self._finish(connection, is_last=False)

    def _answered(self, connection: Connection) -> None:
        """End the connection after the last response that it may carry."""
        concurrent = cast(ConcurrentConnection, connection)
        self._note(connection)
        if concurrent.in_flight:
            return
        is_last = concurrent.submitted >= self._limit
        if is_last or not concurrent.is_reusable():
            self._finish(connection, is_last)
        elif not self._may_send(concurrent):
            self._end(connection, Ending.CLIENT_SILENT)
