"""What slots call during a block: where rows go, how connections are made. An interface alone."""

from __future__ import annotations

from typing import Any, Protocol

from loadgen.model.errors import ErrorKind
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.sample_sink import SampleSink
from loadgen.model.trailers import TrailerCounts
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import Listener
from loadgen.wire.http1.head import ResponseHead


class SlotContext(Protocol):
    """What the slots of a block share, and the calls that they make."""

    sink: SampleSink
    policy: ConnectionPolicy
    think_s: float
    """How long a user waits between a response and the next request."""
    gap_s: float
    """How long a connection rests before it is used again."""
    running: bool
    """Users go on after a response; False while a block ends, and outside of blocks."""
    retries_stale: bool
    """An idempotent request that met a stale connection is sent once more."""
    takes_cookies: bool
    url: str
    """The target's, for cookies."""
    errors: int
    retried: int
    after_close_tried: int
    """Requests sent on connections whose server had announced or done its close."""
    after_close_answered: int
    last_failure: tuple[ErrorKind, str] | None
    observed: dict[str, Any]
    """What kind of server answered first."""
    trailers: TrailerCounts

    def new_connection(self, listener: Listener) -> Connection:
        """A connection of the policy's kind, not open yet."""

    def record_connection(self, slot: int, connection: Connection) -> None:
        """A connection has ended: its row can be written."""

    def exchange_drained(self) -> None:
        """An exchange ended while the block is not running."""

    def note_first_response(self, head: ResponseHead) -> None:
        """The head of a connection's first response."""

    def about_to_close(self, connection: Connection) -> None:
        """A connection that served its purpose is about to be closed."""

    def await_close(self, slot: int, connection: Connection) -> None:
        """The server was asked to close: give it a moment to do so, then record the connection."""
