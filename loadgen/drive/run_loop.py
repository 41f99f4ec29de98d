"""Runs a whole plan, block after block, each on the engine of its target. Prints nothing, writes no file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from loadgen.drive import schedule
from loadgen.drive.block import BlockRunner
from loadgen.drive.engine import Engine
from loadgen.drive.engines import engine_of, routes_of
from loadgen.drive.slots.context import NO_LIMIT
from loadgen.drive.target_check import Report
from loadgen.model.plan import Plan
from loadgen.model.sample_sink import RunSink
from loadgen.wire.route import Route

_PROGRESS_EVERY_S = 0.25


class RunLoop:
    """One run. `report` is called with small dictionaries: progress, blocks begun, what was observed.

    skip: indices of blocks that an earlier segment of the run has done; connections: how many it had begun.
    gate: called before each block, returns when it may begin; False where the run ends instead.
    route_of: makes the way to a target, of the plan as that target has it. monitors_system, has_answered: see
    BlockRunner. Raises PlanError as `route_of` does.
    """

    def __init__(
        self,
        plan: Plan,
        route_of: Callable[[Plan], Route],
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
        self._connections = connections
        self._engines: dict[str | None, Engine] = {}
        self._blocks: dict[str | None, BlockRunner] = {}
        for name, own in plan.by_target().items():
            routes = routes_of(own, route_of)
            engine = self._engines[name] = engine_of(own, routes, sink, connections)
            self._blocks[name] = BlockRunner(
                own, routes[0], engine, sink, report, monitors_system, True, has_answered, name
            )
        self._engine = next(iter(self._engines.values()))
        """The one that runs now."""
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
                self._run(block)
                self._progress()
                if self._engine.interrupted:
                    return False
        finally:
            self._progress_timer.stop()
            for blocks in self._blocks.values():
                blocks.close()
        return True

    def interrupt(self) -> None:
        """Cut the present block short and end the run."""
        for engine in self._engines.values():
            engine.interrupt()

    def _run(self, block: schedule.Block) -> None:
        """Run it on the engine of its target; a connection's number is its own in the whole run."""
        engine = self._engine = self._engines[block.cell.target]
        engine.continue_from(self._connections)
        self._blocks[block.cell.target].run(block)
        self._connections = engine.connections

    def _handle_error(self, _context: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        """Called by gevent's hub when a callback raised."""
        self._engine.fail(error)

    def _progress(self) -> None:
        errors = sum(engine.errors for engine in self._engines.values())
        known = {"exchanges": self._sink.exchanges, "errors": errors}
        asked, to_end = self._engine.asked, self._engine.to_end
        # Before the window begins none has ended.
        self._report(known if asked == NO_LIMIT else known | {"share": max(0.0, 1 - to_end / asked)})
