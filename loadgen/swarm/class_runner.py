"""The load of one user class in one process: runs the blocks it is given and keeps what they measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from gevent.event import Event

from loadgen.drive.block import BlockRunner
from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.drive.engines import engine_of, routes_of
from loadgen.drive.schedule import Block
from loadgen.drive.system.server_process import own_memory
from loadgen.drive.target_check import Report
from loadgen.drive.waiting import wait_until
from loadgen.measure.data.recorder import Recorder
from loadgen.measure.live.block_report import BlockReport, RowReader, block_report
from loadgen.measure.live.request_figures import RequestFigures, request_figures
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.swarm.block_start import ClockFacts
from loadgen.swarm.machine_clock import clock_id
from loadgen.swarm.origin_pools import OriginPools
from loadgen.wire.route import Route

Wait = Callable[[], ClockFacts]


def begin_at_once() -> ClockFacts:
    """There is no other worker to wait for."""
    return {}


BlockValues = Any  # a BlockRecord; the engine does not say so yet
BlockReports = tuple[BlockReport | None, dict[int, RequestFigures]]


class ClassRunner(Protocol):
    """Runs blocks of one user class."""

    directory: Path
    """Where its rows are."""

    def run(self, block: Block, users: int, start: Wait = begin_at_once) -> BlockValues | None:
        """Run a block; gives its facts, None where there are no users. Raises OSError on a full disk.

        start: called when it is ready; returns at the time at which its load begins, with facts of the clock.
        """

    def block_reports(self, facts: BlockValues, wants_report: bool) -> BlockReports:
        """The block's report where it is wanted; its requests' figures where Locust's statistics need them."""

    def cut_block(self) -> None:
        """End the present block now, as it would have ended."""

    def close(self) -> None:
        """The run is over: write all rows."""


class _ClockRecorder(Recorder):
    """Adds to each block the machine whose clock its times are from: workers may be on several machines."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.clock: ClockFacts = {}
        self._clock_id = clock_id()

    def block(self, facts: BlockValues) -> None:
        super().block(facts | {"boot_id": self._clock_id, **self.clock})


class _RecordedRunner:
    """What both kinds have in common: rows in a directory, and reports made from them."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._policies = tuple(cell.name for cell in plan.cells)
        self._sink = _ClockRecorder(directory)
        self._sink.on_full = self._stop
        self._reader = RowReader(directory)

    def _stop(self) -> None:
        """The disk is full: let the present block end at once, and record what is under way."""
        raise NotImplementedError

    def _check_disk(self) -> None:
        """Raises OSError where the disk became full."""
        if self._sink.error is not None:
            raise self._sink.error

    def _new_rows(self) -> tuple[Any, Any]:
        return self._reader.read(self._sink.exchanges, self._sink.connections)


class SwarmClassRunner(_RecordedRunner):
    """The blocks of a SwarmUser class. monitors: it also reads their cost to kernel and server."""

    def __init__(self, plan: Plan, route: Route, directory: Path, report: Report, monitors: bool) -> None:
        super().__init__(plan, directory)
        routes = routes_of(plan, Route.of) if len(plan.origins) > 1 else [route]
        self._engine = engine_of(plan, routes, self._sink)
        # People in front of a web page may be about to start the target; until then failures are counted.
        self._blocks = BlockRunner(plan, routes[0], self._engine, self._sink, report, monitors, must_answer=False)

    def run(self, block: Block, users: int, start: Wait = begin_at_once) -> BlockValues | None:
        if not users:
            return None

        def await_start() -> None:
            self._sink.clock = start()

        self._engine.await_start = await_start
        facts = self._blocks.run(replace(block, cell=replace(block.cell, users=users)))
        self._check_disk()
        return facts

    def _stop(self) -> None:
        self._engine.interrupt()

    def block_reports(self, facts: BlockValues, wants_report: bool) -> BlockReports:
        rows, connections = self._new_rows()
        figures = request_figures(facts, rows, connections, time.time() - time.monotonic())
        return block_report(facts, rows, connections, self._policies) if wants_report else None, figures

    def fail(self, error: BaseException) -> None:
        """A callback of the loop raised: end the block with that."""
        self._engine.fail(error)

    def cut_block(self) -> None:
        self._engine.end_block()

    def close(self) -> None:
        self._blocks.close()
        self._engine.close()
        self._sink.close()


class ScenarioClassRunner(_RecordedRunner):
    """The requests of a ReuseUser class. They never stop between blocks: a block is a stretch of time."""

    def __init__(self, plan: Plan, route: Route, directory: Path, policy: str) -> None:
        super().__init__(plan, directory)
        self._load = plan.load
        self.client_pool = GreenletClientPool(plan, route, self._sink, policy)
        self.origin_pools = OriginPools(self.client_pool)
        self._cut = Event()
        self._is_first_block = True
        self._slots: set[int] = set()
        """Slots that had a connection in an earlier block."""

    def run(self, block: Block, users: int, start: Wait = begin_at_once) -> BlockValues | None:
        self._sink.clock = start()
        begun_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        self.origin_pools.start_balances(begun_ns)
        facts: BlockValues = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": self.client_pool.connections,
            "continuous": True,
            "begun_ns": begun_ns,
            "load_begun_ns": begun_ns,
            "window_begun_ns": begun_ns + (self._load.warmup_ns if self._is_first_block else 0),
        }
        self._is_first_block = False
        self._sink.block(facts)
        wait_until(self._cut, (begun_ns + self._load.block_ns) / NS_PER_S)
        ended_ns = time.monotonic_ns()
        facts |= {
            "window_begun_ns": min(facts["window_begun_ns"], ended_ns),
            "window_ended_ns": ended_ns,
            "cpu_ns": time.process_time_ns() - cpu_ns,
            **own_memory(),
            "trailers": self.client_pool.trailers.take(),
            "lenient": self.client_pool.leniencies.take(),
            "unasked_bytes": self.client_pool.unasked.take(),
            "whole": not self._cut.is_set(),
            **self.origin_pools.take_addresses_used(),
        }
        self._cut.clear()
        self._sink.block(facts)
        self._check_disk()
        return facts

    def _stop(self) -> None:
        self._cut.set()

    def block_reports(self, facts: BlockValues, wants_report: bool) -> BlockReports:
        if not wants_report:
            return None, {}
        rows, connections = self._new_rows()
        report = block_report(facts, rows, connections, self._policies)
        # The report of one block can't know which slots earlier blocks had counted.
        slots = set(connections["slot"].tolist())
        report["block"]["connections"]["slots"] -= len(slots & self._slots)
        self._slots |= slots
        return report, {}

    def cut_block(self) -> None:
        self._cut.set()

    def close(self) -> None:
        self.origin_pools.close()
        self._sink.close()
