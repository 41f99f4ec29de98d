"""The blocks of a run as they end: read between two blocks, while no worker makes load, and told to listeners.

Nothing is read where nothing listens. A block is written once, when every worker that is left has completed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from loadgen.measure.data.latency_totals import BlockLatency, LatencyTotals, merged_blocks

BlockListener = Callable[[int, BlockLatency], None]
"""Gets a block's index and its complete requests."""


class LiveBlocks:
    """The blocks of all workers. directories: where each of them writes. has_histograms: listeners want percentiles."""

    def __init__(
        self, directories: Sequence[Path], listeners: Sequence[BlockListener], *, has_histograms: bool = False
    ) -> None:
        self._listeners = listeners
        self._workers = [
            LatencyTotals(directory, has_histograms=has_histograms) for directory in directories if listeners
        ]
        self._told: set[int] = set()

    def read_parts(self, worker: int) -> None:
        """Read the parts of a worker's rows that are complete, before another reader removes them."""
        if self._listeners:
            with suppress(OSError):  # it ended before it wrote anything
                self._workers[worker].read(only_whole_parts=True)

    def look(self) -> None:
        """Tell the listeners of blocks that have ended since the last look."""
        for worker in self._workers:
            with suppress(OSError):
                worker.read()
        for index, block in merged_blocks([self._new(worker.blocks) for worker in self._workers]).items():
            if block.is_whole:
                self._told.add(index)
                for listener in self._listeners:
                    listener(index, block)
                for worker in self._workers:
                    worker.forget_latencies(index)

    def _new(self, blocks: Mapping[int, BlockLatency]) -> dict[int, BlockLatency]:
        return {index: block for index, block in blocks.items() if index not in self._told}
