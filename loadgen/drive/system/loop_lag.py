"""The event loop's lag: since when the events that are being handled now may have been ready."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any

# A poll that came back faster than this found its events waiting.
_NO_WAIT_NS = 5_000


class LoopLag:
    """Stamps each poll of a gevent loop."""

    __slots__ = ("_after", "_before", "_poll_begun_ns", "_polled_ns", "ready_ns")

    def __init__(self, loop: Any) -> None:
        self.ready_ns = self._polled_ns = self._poll_begun_ns = monotonic_ns()
        """When the present events became ready: as the poll returned, if it had to wait. If it did not, they may have
        become ready at any time since the poll before, so the lag computed from this is an upper bound."""
        self._before = loop.prepare(ref=False)
        self._after = loop.check(ref=False)
        # Highest priority: the stamp comes before any other callback of the same poll.
        self._after.priority = 2
        self._before.start(self._stamp_before)
        self._after.start(self._stamp_after)

    def stop(self) -> None:
        for watcher in (self._before, self._after):
            watcher.stop()
            watcher.close()

    def _stamp_before(self) -> None:
        self._poll_begun_ns = monotonic_ns()

    def _stamp_after(self) -> None:
        now = monotonic_ns()
        self.ready_ns = now if now - self._poll_begun_ns > _NO_WAIT_NS else self._polled_ns
        self._polled_ns = now
