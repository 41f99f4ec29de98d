"""One user class's load in one process: runs the blocks that it is told to and keeps what they measured."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from gevent.event import Event

from loadgen.drive.block import BlockRunner, Report
from loadgen.drive.engine import Engine
from loadgen.drive.requests.greenlet_client import GreenletClientPool
from loadgen.drive.schedule import Block
from loadgen.drive.system.server_process import rss_bytes
from loadgen.measure.data.recorder import Recorder
from loadgen.measure.live.block_report import RowReader, block_report, request_figures
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.wire.route import Route

Digest = tuple[dict[str, Any] | None, dict[str, Any] | None]


class ClassRunner(Protocol):
    """directory: where its rows are."""

    directory: Path

    def run(self, block: Block, users: int) -> dict[str, Any] | None:
        """Run a block; gives its facts, None where there was nobody to run it. Raises OSError on a full disk."""

    def digest(self, facts: dict[str, Any], reports: bool) -> Digest:
        """The block's report, if it is wanted, and its requests for Locust's statistics where these lack them."""

    def end_block(self) -> None:
        """End the block under way now, as it would have ended."""

    def close(self) -> None:
        """The run is over: all rows are written."""


class _LaneRecorder(Recorder):
    """Notes with each block by which machine's clock its times are: lanes of others may have another."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._boot_id = _boot_id()

    def block(self, facts: dict[str, Any]) -> None:
        super().block(facts | {"boot_id": self._boot_id})


class _Recorded:
    """What lanes have in common: rows in a directory, and the way from rows to reports."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._policies = tuple(cell.name for cell in plan.cells)
        self._sink = _LaneRecorder(directory)
        self._reader = RowReader(directory)

    def _new_rows(self) -> tuple[Any, Any]:
        return self._reader.read(self._sink.exchanges, self._sink.connections)


class SwarmClassRunner(_Recorded):
    """The blocks of a SwarmUser class. watches: whether it looks at what they cost kernel and server too."""

    def __init__(self, plan: Plan, route: Route, directory: Path, report: Report, watches: bool) -> None:
        super().__init__(plan, directory)
        self._worker = Engine(plan, route, self._sink)
        # Who watches a web page may be about to start the target; what fails until then is counted.
        self._blocks = BlockRunner(plan, route, self._worker, self._sink, report, watches, insists=False)

    def run(self, block: Block, users: int) -> dict[str, Any] | None:
        if not users:
            return None
        return self._blocks.run(replace(block, cell=replace(block.cell, users=users)))

    def digest(self, facts: dict[str, Any], reports: bool) -> Digest:
        rows, connections = self._new_rows()
        figures = request_figures(facts, rows, connections, time.time() - time.monotonic())
        return block_report(facts, rows, connections, self._policies) if reports else None, figures

    def fail(self, error: BaseException) -> None:
        """A callback of the loop raised: end the block with that."""
        self._worker.fail(error)

    def end_block(self) -> None:
        self._worker.end_block()

    def close(self) -> None:
        self._blocks.close()
        self._worker.close()
        self._sink.close()


class ScenarioClassRunner(_Recorded):
    """The requests of a ReuseUser class. They go on all the time: a block is a stretch of it."""

    def __init__(self, plan: Plan, route: Route, directory: Path, policy: str) -> None:
        super().__init__(plan, directory)
        self._plan = plan
        self.callers = GreenletClientPool(plan, route, self._sink, policy)
        self._ended = Event()
        self._is_first = True
        self._slots: set[int] = set()

    def run(self, block: Block, users: int) -> dict[str, Any] | None:
        load = self._plan.load
        begun_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": self.callers.connections,
            "continuous": True,
            "begun_ns": begun_ns,
            "window_begun_ns": begun_ns + (load.warmup_ns if self._is_first else 0),
        }
        self._is_first = False
        self._sink.block(facts)
        self._ended.wait(load.block_ns / NS_PER_S)
        ended_ns = time.monotonic_ns()
        facts |= {
            "window_begun_ns": min(facts["window_begun_ns"], ended_ns),
            "window_ended_ns": ended_ns,
            "cpu_ns": time.process_time_ns() - cpu_ns,
            "rss_bytes": rss_bytes([os.getpid()]),
            "trailers": self.callers.trailers.take(),
            "whole": not self._ended.is_set(),
        }
        self._sink.block(facts)
        return facts

    def digest(self, facts: dict[str, Any], reports: bool) -> Digest:
        if not reports:
            return None, None
        rows, connections = self._new_rows()
        report = block_report(facts, rows, connections, self._policies)
        # A look at one block can't know which places others had taken before.
        slots = set(connections["slot"].tolist())
        report["block"]["connections"]["slots"] -= len(slots & self._slots)
        self._slots |= slots
        return report, None

    def end_block(self) -> None:
        self._ended.set()

    def close(self) -> None:
        self.callers.close()
        self._sink.close()


def _boot_id() -> str | None:
    """Which machine's clock this is, since which start of it; None where the system doesn't say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
