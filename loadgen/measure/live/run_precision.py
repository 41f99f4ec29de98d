"""How precise a run is so far, and whether it needs another round. Reads rows between two rounds, writes nothing.

The figures are those of the summary: the same requests, the same interval of the same ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from loadgen.measure.data.latency_totals import BlockLatency, LatencyTotals, merged_blocks
from loadgen.measure.stats.comparison import pairs
from loadgen.measure.stats.precision import RoundSums, is_without_answer, mean_ratio_interval, widest
from loadgen.model.plan import Plan

_ROUNDS_PER_LOOK = 100
"""Of very many rounds, 1 % more makes no interval much narrower, and each look takes longer."""


class RunPrecision:
    """A run that goes on until each ratio is known within `plan.until_precision`.

    directories: where each worker writes.
    """

    def __init__(self, plan: Plan, directories: Sequence[Path]) -> None:
        assert plan.until_precision is not None
        self._plan = plan
        self._aim = plan.until_precision
        self._pairs = list(pairs(plan.cells, swept=False))
        self._workers = [LatencyTotals(directory) for directory in directories]
        self._next_look = 1
        """After how many rounds it is looked again."""
        self.half_width: float | None = None
        """Within what share each ratio is known, as of the last look; None where one of them is not known at all."""

    def read_parts(self, worker: int) -> None:
        """Read the parts of a worker's rows that are complete, before another reader removes them."""
        with suppress(OSError):  # it ended before it wrote anything
            self._workers[worker].read(only_whole_parts=True)

    def goes_on(self, block: int) -> bool:
        """Whether the run needs this block, which is its next; no worker makes load meanwhile."""
        rounds, position = divmod(block, len(self._plan.cells))
        if position or rounds < self._next_look:
            return True
        self._next_look = rounds + max(1, rounds // _ROUNDS_PER_LOOK)
        return self._needs_more(rounds)

    def _needs_more(self, rounds: int) -> bool:
        for worker in self._workers:
            with suppress(OSError):
                worker.read()
        sums = round_sums(merged_blocks([worker.blocks for worker in self._workers]), rounds)
        is_known = sums.keys() >= {cell.name for cell in self._plan.cells}
        self.half_width = self._widest(sums) if is_known else None
        if rounds < self._plan.min_rounds:
            return True
        if self.half_width is not None and self.half_width <= self._aim:
            return False
        return is_known and not any(is_without_answer(one.requests) for one in sums.values())

    def _widest(self, sums: Mapping[str, RoundSums]) -> float | None:
        return widest([mean_ratio_interval(sums[base], sums[other], self._plan) for base, other in self._pairs])


def round_sums(blocks: Mapping[int, BlockLatency], rounds: int) -> dict[str, RoundSums]:
    """By policy, of those that have complete requests at all."""
    found: dict[str, RoundSums] = {}
    for block in blocks.values():
        if block.requests:
            sums = found.setdefault(block.policy, RoundSums(np.zeros(rounds), np.zeros(rounds)))
            sums.requests[block.round] += block.requests
            sums.latency_ns[block.round] += block.latency_ns
    return found
