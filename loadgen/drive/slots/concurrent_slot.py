"""What the owners of connections with several requests in flight have in common: when to add one, when it is over."""

from __future__ import annotations

from time import monotonic_ns
from typing import cast

from loadgen.drive.slots.slot import ConnectionSlot
from loadgen.model.records import Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.http2.connection import Http2Connection

Shared = Pipeline | Http2Connection
"""A connection with several requests in flight."""


class ConcurrentSlot(ConnectionSlot):
    """Mixed into a Line whose connection is `Shared`."""

    __slots__ = ()

    def _may_send(self, link: Shared) -> bool:
        """One more request may begin on it."""
        return self._policy.may_reuse(link, monotonic_ns())

    def _link(self) -> Shared | None:
        """The connection at hand, unless it can carry no more and is idle: then it is ended."""
        link = cast(Shared | None, self.connection)
        if link is not None and not link.in_flight and not self._may_send(link):
            self._end(link, Ending.CLIENT_SILENT)  # it grew too old meanwhile
            return None
        return link

    def _failed(self, connection: Connection, outcome: int) -> None:
        if cast(Shared, connection).in_flight:
            self._context.errors += 1  # the last one to end, well or not, decides about the connection
        else:
            super()._failed(connection, outcome)
            if self.connection is connection and not self._may_send(cast(Shared, connection)):
                self._finish(connection, is_last=False)  # this one failed alone, and was the last that it could carry

    def _answered(self, connection: Connection) -> None:
        """End the connection once the last response is there that it may carry."""
        link = cast(Shared, connection)
        self._note(link)
        if link.in_flight:
            return
        is_last = link.submitted >= self._limit
        if is_last or not link.reusable:
            self._finish(link, is_last)
        elif not self._may_send(link):
            self._end(link, Ending.CLIENT_SILENT)
