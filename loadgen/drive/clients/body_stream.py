"""A response's body while it comes: the connection adds to it, a greenlet reads it. Knows no connection.

What has come is kept until it is read: the server is not slowed down by a slow reader here.
"""

from __future__ import annotations

from collections.abc import Callable

from gevent.event import Event

from loadgen.drive.requests.call_result import CallResult


class BodyStream:
    """One body. `result` is set when its head has come, and anew when the exchange has ended."""

    def __init__(self) -> None:
        self.result: CallResult | None = None
        self.ended = False
        """All that will come has come."""
        self.error: OSError | None = None
        """The sink's disk was full meanwhile."""
        self._parts = bytearray()
        self._came = Event()
        self._abandon: Callable[[], None] | None = None

    # For the connection

    def begun(self, result: CallResult, abandon: Callable[[], None]) -> None:
        """The head has come. result: what is known so far. abandon: ends the exchange."""
        self.result = result
        self._abandon = abandon
        self._came.set()

    def add(self, part: bytes) -> None:
        self._parts += part
        self._came.set()

    def end(self, result: CallResult, error: OSError | None = None) -> None:
        """The exchange has ended, well or not, with what of the body was not added before."""
        self.result = result
        self.error = error
        self.ended = True
        self._parts += result.body
        self._came.set()

    # For the greenlet

    def wait_for_head(self) -> CallResult:
        """The result so far. Raises OSError where the sink's disk was full."""
        while self.result is None:
            self._wait()
        if self.error is not None:
            raise self.error
        return self.result

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes as soon as there are some, none at the end; all that is to come where it is negative."""
        while not self.ended and (size < 0 or not self._parts):
            self._wait()
        if size < 0:
            size = len(self._parts)
        part = bytes(self._parts[:size])
        del self._parts[:size]
        return part

    def close(self) -> None:
        """Read no more: where the exchange is under way, its connection is closed."""
        if not self.ended and self._abandon is not None:
            self._abandon()
        self._parts.clear()

    def _wait(self) -> None:
        self._came.wait()
        self._came.clear()
