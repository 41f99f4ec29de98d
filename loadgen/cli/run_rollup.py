"""Takes in the rows of a long run while it goes on, so that its folder and its report keep to `--max-samples`.

Nothing happens before there are more requests than that. Then complete parts of the workers' rows are taken in between
two blocks, while no worker makes load; in a block only if it is so long that several parts wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadgen.measure.data.rollup import Rollup

MIN_WAITING_PARTS = 2
"""Parts that are worth a pause between two blocks."""
MAX_WAITING_PARTS = 4
"""Parts that may wait for the end of a block: 250 MB on disk for each worker."""


class RunRollup:
    """The rows of all workers. directories: where each worker writes. policies: the names of the plan's cells.

    on_parts is called with a worker before parts of its rows are taken in and removed.
    """

    def __init__(
        self,
        directories: Sequence[Path],
        policies: tuple[str, ...],
        max_samples: int,
        on_parts: Callable[[int], None] = lambda _worker: None,
    ) -> None:
        self._directories = directories
        self._policies = policies
        self._max_samples = max_samples
        self._on_parts = on_parts
        self._exchanges = [0] * len(directories)
        """Rows that each worker has written."""
        self._rollups: dict[int, Rollup] = {}

    def add(self, worker: int, event: Mapping[str, Any]) -> None:
        """Take in what waits, if this event of a worker says that it is time."""
        if "exchanges" in event:
            self._exchanges[worker] = event["exchanges"]
            self._take_in(worker, MAX_WAITING_PARTS)
        elif "ready" in event:
            self._take_in(worker, MIN_WAITING_PARTS)

    def _take_in(self, worker: int, min_parts: int) -> None:
        if sum(self._exchanges) <= self._max_samples:
            return
        with suppress(OSError):  # a full disk: the rows stay, and the worker will meet it too
            rollup = self._rollups.get(worker)
            if rollup is None:
                share = max(1, self._max_samples // len(self._directories))
                rollup = self._rollups[worker] = Rollup(self._directories[worker], self._policies, share)
            if rollup.waiting_parts >= min_parts:
                self._on_parts(worker)
                rollup.take_in()
