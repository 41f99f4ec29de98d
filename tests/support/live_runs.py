"""Runs that go on: their blocks as they end, and a clock that stands still between two events."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loadgen.cli.screen.picture import picture
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.measure.data.histogram import Histogram
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S

BLOCK_S = 2
REQUESTS = 500
"""Complete requests of a block."""

GRID = ("--recycle", "1,2,3,4,5,10,20,50,100,inf", "--users", "1,2,5,10,20,50,100,200,500,1000")
"""Options of a sweep of 100 cells."""


@dataclass
class LiveRun:
    """A run of blocks of 2 s. Each cell's requests take 100 µs longer than those of the one before it."""

    plan: Plan
    done: tuple[int, ...] = ()
    now_s: float = 100.0
    progress: RunProgress = field(init=False)
    _exchanges: int = 0

    def __post_init__(self) -> None:
        self.progress = RunProgress(self.plan, self.done, lambda: self.now_s)

    def begin(self, index: int, errors: int = 0) -> None:
        """A block begins, and runs for half of its time."""
        cells = self.plan.cells
        number, place = divmod(index, len(cells))
        self.progress.add({"block": {"index": index, "round": number, "policy": cells[place].name}}, 0)
        self._exchanges += REQUESTS
        self.now_s += BLOCK_S / 2
        self.progress.add({"exchanges": self._exchanges, "errors": errors}, 0)

    def end(self, index: int) -> None:
        """A block ends. Every second round is slower."""
        number, place = divmod(index, len(self.plan.cells))
        self.now_s += BLOCK_S / 2
        each_ns = (place + 1) * 100_000 + number % 2 * 7_000
        latencies = Histogram().add(np.full(REQUESTS, each_ns))
        block = BlockLatency(
            number, self.plan.cells[place].name, True, REQUESTS, REQUESTS * each_ns, BLOCK_S * NS_PER_S,
            latencies=latencies,
        )  # fmt: skip
        self.progress.figures.add(index, block)

    def run(self, blocks: int) -> LiveRun:
        """This many blocks, and half of the next one."""
        for index in range(blocks):
            self.begin(index)
            self.end(index)
        self.begin(blocks)
        return self


def lines_of(run: LiveRun, columns: int, rows: int) -> list[str]:
    """The live screen on a terminal of this size."""
    return ["".join(span.text for span in line).rstrip() for line in picture(run.progress, columns, rows)]
