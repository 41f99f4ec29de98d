"""Runs a pilot: the trials of a load search, a block for each policy. Decides no load, prints and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent

from loadgen.drive.engine import Engine
from loadgen.drive.engines import engine_of, routes_of
from loadgen.drive.origin_checks import check_of
from loadgen.drive.pilot.load_search import LoadSearch, TrialLoad, trial
from loadgen.drive.pilot.trial_sink import TrialSink
from loadgen.drive.schedule import Block
from loadgen.drive.target_check import Report
from loadgen.model.cell import Cell
from loadgen.model.pilot_record import PilotFigures, PilotRecord, PilotTrial
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.wire.route import Route

_ALL_NS = 2_200 * NS_PER_MS
"""How long a pilot takes at most, once the target has answered: with the start of its process less than 3 s."""
_UNLOADED_SHARE = 0.4
"""Of that, for the first trial."""
_UNLOADED_NS = 80 * NS_PER_MS
"""How long the first trial takes for each policy, at most."""
_ALONE = TrialLoad(users=1, think_ns=0, rate_rps=0.0)


class TrialRunner:
    """One pilot. `report` is called as by a RunLoop, of blocks alone it says nothing. Raises TargetError.

    route_of: as of a RunLoop. now_ns: the monotonic clock (ns).
    """

    def __init__(
        self, plan: Plan, route_of: Callable[[Plan], Route], report: Report,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._plans = plan.by_target()
        self._routes = {name: routes_of(own, route_of) for name, own in self._plans.items()}
        self._report = report
        self._now_ns = now_ns
        self._sink = TrialSink()
        self._engines: dict[str | None, Engine] = {}
        """Those of the present trial, by target."""
        self._trials: list[PilotTrial] = []
        self._blocks = 0
        self._connections = 0
        self._deadline_ns = 0
        self._is_interrupted = False
        hub = gevent.get_hub()
        # Nothing else runs in this process: an error in any callback ends the pilot instead of being printed.
        hub.handle_error = self._handle_error
        self._loop = hub.loop

    def run(self) -> PilotRecord | None:
        """Run it; None where it was interrupted."""
        begun_ns, unloaded = self._unloaded()
        plan = self._plan
        rests_ns = {cell.name: cell.policy.gap_ns for cell in plan.cells}
        search = LoadSearch(unloaded, rests_ns, plan.load.block_ns - plan.load.warmup_ns)
        while not self._is_interrupted:
            left_ns = self._deadline_ns - self._now_ns()
            cells = self._cells_to_try(search, left_ns)
            load = search.next(left_ns, [cell.name for cell in cells])
            if load is None:
                break
            figures = self._try(load, cells)
            if figures is None:
                search.give_up(load)
                break
            self._trials.append(trial(load, figures, search.add(load, figures)))
        if self._is_interrupted:
            return None
        chosen, reason = search.choose()
        return {
            "users": chosen.users,
            "think_ns": chosen.think_ns,
            "rate_rps": chosen.rate_rps,
            "reason": reason,
            "seconds": (self._now_ns() - begun_ns) / NS_PER_S,
            "requests": self._sink.requests,
            "connections": self._sink.connections,
            "trials": self._trials,
        }

    def interrupt(self) -> None:
        """End it now."""
        self._is_interrupted = True
        for engine in self._engines.values():
            engine.interrupt()

    # Inside

    def _unloaded(self) -> tuple[int, dict[str, PilotFigures]]:
        """The first trial: one user without pauses. Gives when it began, once the target had answered, too."""
        cells = self._cells(_ALONE)
        block_ns = min(_UNLOADED_NS, int(_UNLOADED_SHARE * _ALL_NS / len(cells)))
        self._begin(replace(_ALONE, window_ns=max(block_ns, 10 * NS_PER_MS)))
        checks = {
            name: check_of(own, self._routes[name][0], self._engines[name], self._report, must_answer=True, name=name)
            for name, own in self._plans.items()
        }
        answered: set[str | None] = set()
        found: dict[str, PilotFigures] = {}
        begun_ns = 0
        try:
            for cell in cells:
                if self._is_interrupted or (begun_ns and self._now_ns() > begun_ns + _UNLOADED_SHARE * _ALL_NS):
                    break
                block = self._prepare(cell)
                checks[cell.target].before_block(cell.policy.protocol)
                if cell.target not in answered:  # the first cells are those of one policy on each target
                    answered.add(cell.target)
                    begun_ns = self._now_ns()
                    self._deadline_ns = begun_ns + _ALL_NS
                found[cell.name] = self._run(block)
        finally:
            self._end()
        self._trials.append(trial(None, found, ""))
        return begun_ns, found

    def _cells_to_try(self, search: LoadSearch, left_ns: int) -> list[Cell]:
        """The policies that were answered; if two trials of all would take too long, those that decide."""
        chosen = search.tested
        if chosen and 2 * len(chosen) * _UNLOADED_NS * 2 > left_ns:
            chosen = search.extremes
        return [cell for cell in self._plan.cells if cell.name in chosen]

    def _try(self, load: TrialLoad, cells: list[Cell]) -> dict[str, PilotFigures] | None:
        """What the policies do under a load; None where the time was over before all had their turn."""
        self._begin(load)
        found = {}
        try:
            for cell in cells:
                found[cell.name] = self._run(self._prepare(replace(cell, users=load.users)))
                if self._engines[cell.target].interrupted:
                    return None
        finally:
            self._end()
        return found

    def _cells(self, load: TrialLoad) -> list[Cell]:
        return [replace(cell, users=load.users) for cell in self._plan.cells]

    def _begin(self, load: TrialLoad) -> None:
        """Make an engine for each target."""
        own = replace(
            self._plan.load, users=load.users, think_ns=load.think_ns, rounds=1, warmup_ns=load.ramp_ns,
            block_ns=load.ramp_ns + load.window_ns, requests=None,
        )  # fmt: skip
        for name, plan in self._plans.items():
            one_round = replace(plan, load=own, processes=1, until_precision=None)
            engine = self._engines[name] = engine_of(one_round, self._routes[name], self._sink)
            if self._is_interrupted:
                engine.interrupt()

    def _end(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines = {}

    def _prepare(self, cell: Cell) -> Block:
        block = Block(self._blocks, 0, cell)
        self._blocks += 1
        self._sink.begin()
        engine = self._engines[cell.target]
        engine.continue_from(self._connections)
        engine.prepare(block)
        return block

    def _run(self, block: Block) -> PilotFigures:
        """Run a block; requests that are still under way when the pilot's time is over are abandoned."""
        engine = self._engines[block.cell.target]
        self._loop.update_now()  # timers count from the loop's own time, which stood still since its last turn
        overdue = self._loop.timer(max(0.0, (self._deadline_ns - self._now_ns()) / NS_PER_S))
        overdue.start(engine.interrupt)
        try:
            window = engine.run(block, self._sink.open_window, self._sink.close_window)
        finally:
            overdue.close()
        self._connections = engine.connections
        return self._sink.figures(window.ended_ns - window.begun_ns, window.cpu_ns)

    def _handle_error(self, _context: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        """Called by gevent's hub when a callback raised."""
        for engine in self._engines.values():
            engine.fail(error)
