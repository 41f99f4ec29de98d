"""A closed-loop client that keeps several requests in flight on one connection. Knows no block."""

from __future__ import annotations

from time import monotonic_ns
from typing import cast

from loadgen.drive.line import User
from loadgen.model.sample import Ending
from loadgen.wire.connection import Connection
from loadgen.wire.pipeline import Pipeline


class Pipeliner(User):
    """Sends the next request as soon as fewer than the policy's depth are in flight, then thinks where it must."""

    __slots__ = ()

    def connection_ready(self, connection: Pipeline) -> None:
        """The connection is open: fill it."""
        self._fill(connection)

    def send(self, scheduled_ns: int) -> None:
        pipeline = cast(Pipeline | None, self.connection)
        if pipeline is not None and not pipeline.flying and not self._may_send(pipeline):
            self._end(pipeline, Ending.CLIENT_SILENT)  # it grew too old while its user thought
            pipeline = None
        if pipeline is None:
            self._open(scheduled_ns)
        else:
            self._fill(pipeline)
            pipeline.flush()

    def done(self, outcome: int) -> None:
        pipeline = cast(Pipeline | None, self.connection)
        if pipeline is not None and pipeline.flying:
            if self._crew.running and outcome > 0 and not self._crew.think_s:
                self.send(0)
            return
        super().done(outcome)

    def _fill(self, pipeline: Pipeline) -> None:
        crew = self._crew
        requests = self.client.requests
        while crew.running and pipeline.flying < crew.policy.depth and self._may_send(pipeline):
            pipeline.submit(requests.last if pipeline.submitted + 1 >= self._limit else requests.more)

    def _may_send(self, pipeline: Pipeline) -> bool:
        lifetime_ns = self._lifetime_ns
        head = pipeline.reader.head
        if pipeline.submitted >= self._limit or (head is not None and not head.persists):
            return False
        return not lifetime_ns or monotonic_ns() - pipeline.opened_ns < lifetime_ns

    def _failed(self, connection: Connection, outcome: int) -> None:
        if cast(Pipeline, connection).flying:
            self._crew.errors += 1  # the others in flight fail next; the last one of them ends the connection
        else:
            super()._failed(connection, outcome)

    def _answered(self, connection: Connection) -> None:
        """End the connection once the last response is there that it may carry."""
        pipeline = cast(Pipeline, connection)
        self._note(pipeline)
        if pipeline.flying:
            return
        is_last = pipeline.nth + 1 >= self._limit
        if is_last or not pipeline.reusable:
            self._finish(pipeline, is_last)
        elif not self._may_send(pipeline):
            self._end(pipeline, Ending.CLIENT_SILENT)
