"""Who hears how the exchanges of a connection ended: an interface alone."""

from __future__ import annotations

from typing import Any


class Listener:
    """The owner of a connection. It knows which class of connection it owns."""

    __slots__ = ()

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        """The present exchange ended: `outcome` is the status code, or -ErrorKind (then the connection is closed)."""

    def connection_lost(self, connection: Any) -> None:
        """The connection was closed while idle, by the server or because it sent bytes without a request."""

    def connection_ready(self, connection: Any) -> None:
        """A connection that carries several requests is open, its first one about to be sent: more may be submitted."""


NULL_LISTENER = Listener()
"""Hears nothing: for a moment in which a connection reports its exchanges by other means."""
