"""When all workers begin a block: one point in time, given to each by its own clock. Knows no policy and no round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import loadgen.swarm.messages as messages
from loadgen.swarm.worker_clocks import SendToWorker, WorkerClocks

_MIN_LEAD_NS, _FIRST_LEAD_NS, _MAX_LEAD_NS = 10_000_000, 50_000_000, 1_000_000_000
# The lead grows by this much more than what was missing, and shrinks slowly.
_MORE, _LESS = 1.5, 0.9


class StartTimes:
    """send: sends a worker a message. clock_ns: this process's monotonic clock.

    An order takes a while to arrive, and longer the more workers share a processor. So blocks begin a little later
    than they are ordered, the lead, which follows what workers say of how late they were.
    """

    def __init__(
        self,
        send: SendToWorker,
        clocks: WorkerClocks | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.clocks = clocks or WorkerClocks(send, clock_ns)
        self._send = send
        self._clock_ns = clock_ns
        self._lead_ns = _FIRST_LEAD_NS
        self._latest_ns = 0
        """By how much the last of the workers was late in the present block."""

    def ask(self, worker: str) -> None:
        """Compare clocks with this worker, which has nothing else to do now."""
        self.clocks.ask(worker)

    def began(self, late_ns: int) -> None:
        """A worker began its block this much later than it was to."""
        self._latest_ns = max(self._latest_ns, late_ns)

    def start(self, workers: Sequence[str], block: dict[str, Any]) -> None:
        """Tell the workers, which are ready, when to begin this block."""
        self._lead_ns = self._next_lead_ns()
        start_ns = self._clock_ns() + self._lead_ns
        for worker in workers:
            clock = self.clocks.alignment(worker)
            of_clock = None if clock is None else {"offset_ns": clock.offset_ns, "error_ns": clock.error_ns}
            own_ns = 0 if clock is None else start_ns - clock.offset_ns
            self._send(messages.START_BLOCK, {**block, "start_ns": own_ns, "clock": of_clock}, worker)

    def _next_lead_ns(self) -> int:
        latest_ns, self._latest_ns = self._latest_ns, 0
        if latest_ns > _MIN_LEAD_NS:
            return min(_MAX_LEAD_NS, self._lead_ns + round(_MORE * latest_ns))
        return max(_MIN_LEAD_NS, round(_LESS * self._lead_ns))
