"""What few calls of a client have: a time limit of their own, a body that is read as it comes. Knows no policy."""

from __future__ import annotations

from typing import Any, Protocol

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.clients.call_timer import SlotTimer, TimedSlot
from loadgen.drive.requests.call_result import CallResult
from loadgen.wire.http1.head import ResponseHead


class StreamingSlot(TimedSlot, Protocol):
    """The client whose call it is."""

    def so_far(self, head: ResponseHead) -> CallResult:
        """What is known of the present exchange, whose response has this head."""

    def give_up(self) -> None:
        """End the present exchange."""


class CallExtras:
    """Those of one call. timed: the slots for which the run's --timeout does not count."""

    def __init__(self, client: StreamingSlot, timeout_s: float, stream: BodyStream | None, timed: set[Any]) -> None:
        self._client = client
        self.stream = stream
        self._timer = SlotTimer(client, timeout_s, timed) if timeout_s else None

    def prepare(self, reader: Any) -> None:
        """The response will come by this reader."""
        if self.stream is not None:
            reader.stream = self._add

    def end(self) -> None:
        """The call has ended."""
        if self._timer is not None:
            self._timer.stop()

    def _add(self, head: ResponseHead, part: bytes) -> None:
        stream = self.stream
        assert stream is not None, "it is set where there is one"
        if stream.result is None:
            stream.begun(self._client.so_far(head), self._client.give_up)
        if part:
            stream.add(part)
