"""A closed-loop client that keeps several requests in flight on one connection. Knows no block."""

from __future__ import annotations

from typing import cast

from loadgen.drive.slots.concurrent_slot import ConcurrentSlot, Shared
from loadgen.drive.slots.slot import ClosedLoopUser
from loadgen.wire.connection import Connection


class PipelinedUser(ConcurrentSlot, ClosedLoopUser):
    """Sends the next request as soon as fewer than the policy's depth are in flight, then thinks where it must."""

    __slots__ = ()

    def connection_ready(self, connection: Connection) -> None:
        """The connection is open: fill it."""
        self._fill(cast(Shared, connection))

    def send(self, scheduled_ns: int) -> None:
        pipeline = self._link()
        if pipeline is None:
            self._open(scheduled_ns)
        else:
            self._fill(pipeline)
            pipeline.flush()

    def done(self, outcome: int) -> None:
        pipeline = cast(Shared | None, self.connection)
        if pipeline is not None and pipeline.in_flight:
            if self._context.running and outcome > 0 and not self._context.think_s:
                self.send(0)
            return
        super().done(outcome)

    def _fill(self, pipeline: Shared) -> None:
        context = self._context
        requests = self.client.requests
        while context.running and pipeline.in_flight < context.policy.depth and self._may_send(pipeline):
            pipeline.submit(requests.last if pipeline.submitted + 1 >= self._limit else requests.more)
