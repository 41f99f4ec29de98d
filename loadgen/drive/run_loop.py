"""Runs a whole plan on one engine, block after block. Prints nothing, writes no file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from loadgen.drive import schedule
from loadgen.drive.block import BlockRunner
from loadgen.drive.engine import Engine
from loadgen.drive.target_check import Report
from loadgen.model.plan import Plan
from loadgen.model.sample_sink import RunSink
from loadgen.wire.route import Route

_PROGRESS_EVERY_S = 0.25


class RunLoop:
    """One run. `report` is called with small dictionaries: progress, blocks begun, what was observed.

    skip: indices of blocks that an earlier segment of the run has done; connections: how many it had begun.
    gate: called before each block, returns when it may begin; False where the run ends instead.
    monitors_system, has_answered: see BlockRunner.
    """

    def __init__(
        self,
        plan: Plan,
        route: Route,
        sink: RunSink,
        report: Report,
        skip: frozenset[int] = frozenset(),
        connections: int = 0,
        gate: Callable[[schedule.Block], bool] | None = None,
        monitors_system: bool = True,
        has_answered: bool = False,
    ) -> None:
        self._plan = plan
        self._sink = sink
        self._report = report
        self._skip = skip
        self._gate = gate
        self._engine = Engine(plan, route, sink, connections)
        self._blocks = BlockRunner(plan, route, self._engine, sink, report, monitors_system, True, has_answered)
        hub = gevent.get_hub()
        # Nothing else runs in this process: an error in any callback ends the run instead of being printed.
        hub.handle_error = self._handle_error
        self._progress_timer = hub.loop.timer(_PROGRESS_EVERY_S, _PROGRESS_EVERY_S, ref=False)

    def run(self) -> bool:
        """Run every block; False if it was interrupted. Raises TargetError, or OSError as the sink does."""
        self._progress_timer.start(self._progress)
        try:
            for block in schedule.blocks(self._plan):
                if block.index in self._skip:
                    continue
                if self._gate is not None and not self._gate(block):
                    return False
                self._blocks.run(block)
                self._progress()
                if self._engine.interrupted:
                    return False
        finally:
            self._progress_timer.stop()
            self._blocks.close()
        return True

    def interrupt(self) -> None:
        """Cut the present block short and end the run."""
        self._engine.interrupt()

    def _handle_error(self, _context: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        """Called by gevent's hub when a callback raised."""
        self._engine.fail(error)

    def _progress(self) -> None:
        self._report({"exchanges": self._sink.exchanges, "errors": self._engine.errors})
