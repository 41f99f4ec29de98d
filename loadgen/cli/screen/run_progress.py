"""How far a run is: the workers' events and the blocks that have ended, put together. Shows nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from loadgen.measure.live.live_figures import LiveFigures
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S, margin_text, percent_text


class RunProgress:
    """Where a run is. done: indices of blocks that earlier segments have measured. clock: seconds."""

    def __init__(self, plan: Plan, done: Collection[int] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.figures = LiveFigures(plan, done)
        self.aim = plan.until_precision
        self.max_rounds = plan.max_rounds
        self.blocks = plan.max_rounds * len(plan.cells)
        """How many blocks there will be; at most, where precision decides."""
        self.cell = ""
        """The cell of the block that runs; empty before the first one."""
        self.round = 0
        """Its round, from 0 on."""
        self.errors: Counter[str] = Counter()
        """Exchanges that failed, by cell, warm-up included."""
        self._clock = clock
        self._begun_s = clock()
        self._block_s = plan.load.block_ns / NS_PER_S
        self._is_by_number = plan.load.requests is not None
        self._processes = plan.processes
        self._shares: dict[int, float] = {}
        """How much of the present block's requests each worker has done, where a number was asked for."""
        self._done = len(done)
        self._index: int | None = None
        self._block_begun_s = self._reported_s = self._begun_s
        self._block_exchanges = 0
        self._seen: dict[int, tuple[int, int]] = {}
        """Exchanges and errors that each worker has reported."""

    def add(self, event: Mapping[str, Any], worker: int) -> bool:
        """Take one event of a worker; whether it changed anything. Workers run the same block at the same time."""
        if "block" in event:
            if event["block"]["index"] == self._index:
                return False
            self._index, self.round = event["block"]["index"], event["block"]["round"]
            self.cell = event["block"]["policy"]
            self._block_begun_s = self._reported_s = self._clock()
            self._block_exchanges = 0
            self._shares.clear()
            return True
        if "exchanges" not in event or not self.cell:
            return False
        exchanges, errors = self._seen.get(worker, (0, 0))
        self._seen[worker] = event["exchanges"], event["errors"]
        self._block_exchanges += event["exchanges"] - exchanges
        self.errors[self.cell] += event["errors"] - errors
        self._shares[worker] = event.get("share", 0.0)
        self._reported_s = self._clock()
        return True

    @property
    def rate_rps(self) -> float | None:
        """Exchanges per second in the block that runs, warm-up included; None at its very beginning."""
        seconds = self._reported_s - self._block_begun_s
        return self._block_exchanges / seconds if seconds > 0 else None

    @property
    def planned_s(self) -> float:
        """How long the load is; at most, where precision decides."""
        return self.blocks * self._block_s

    @property
    def elapsed_s(self) -> float:
        """Since the command began to run the load."""
        return self._clock() - self._begun_s

    @property
    def share(self) -> float | None:
        """How much of the run is done, 0 to 1; None where its length is not known."""
        return None if self.aim is not None or not self.blocks else self._completed / self.blocks

    @property
    def left_s(self) -> float | None:
        """How long the rest will take, if it goes on as so far; None where that is not known."""
        here = self._completed - self._done
        if self.share is None or here < 1:
            return None
        return (self.blocks - self._completed) * self.elapsed_s / here

    @property
    def state(self) -> tuple[object, ...]:
        """Changes when a block begins or ends, or a request fails."""
        return self.figures.blocks, self._index, self.errors.total()

    @property
    def is_over(self) -> bool:
        """All blocks have ended."""
        return self.figures.blocks >= self.blocks

    @property
    def is_after_round(self) -> bool:
        """The block that ended last was the last one of its round, and none has begun since."""
        return self._is_between and (self.figures.last_index or 0) % len(self.figures.policies) == (
            len(self.figures.policies) - 1
        )

    @property
    def place(self) -> str:
        """`round 2/5`, or `round 7  ±3.1% (aim ±2%)` where precision decides how many there are."""
        if self.aim is None:
            return f"round {self.round + 1}/{self.max_rounds}"
        width = self.figures.half_width
        known = "±?" if width is None else margin_text(width)
        return f"round {self.round + 1}  {known} (aim ±{percent_text(self.aim)})"

    @property
    def _completed(self) -> float:
        """Blocks that have ended, and the part of the present one that is over."""
        ended = self.figures.blocks
        if not self.cell or ended >= self.blocks or self._is_between:
            return ended
        if self._is_by_number:
            return ended + sum(self._shares.values()) / self._processes
        return ended + min(1.0, (self._clock() - self._block_begun_s) / self._block_s)

    @property
    def _is_between(self) -> bool:
        """The block that began last has ended."""
        return self._index is not None and self._index == self.figures.last_index
