"""How long the next round will take, by how long the last ones took. Pure; knows no policy and no clock."""

from __future__ import annotations

from collections import deque
from statistics import median

_LAST_ROUNDS = 3


class RoundTimes:
    """planned_s: what the blocks of a round take by the plan alone.

    A round takes longer than that: requests under way are completed, connections closed, figures computed, and on a
    busy machine each of these waits for a processor.
    """

    def __init__(self, planned_s: float) -> None:
        self._planned_s = planned_s
        self._blocks_s: list[float] = []
        """Of the present round."""
        self._rounds_s: deque[float] = deque(maxlen=_LAST_ROUNDS)

    def add_block(self, seconds: float) -> None:
        """A block took this long, from its order to the end of what follows it."""
        self._blocks_s.append(seconds)

    def end_round(self) -> None:
        """The round had these blocks."""
        blocks_s, self._blocks_s = self._blocks_s, []
        if not self._rounds_s and len(blocks_s) > 1:
            # A run's first block also looks the target up and loads modules, which no later one does.
            blocks_s[0] = median(blocks_s[1:])
        self._rounds_s.append(sum(blocks_s))

    def next_s(self) -> float:
        """How long the next round will take: as the fastest of the last ones, never less than planned.

        A round that is cut after all is in no figure; one that is not begun leaves the target without load.
        """
        return max(self._planned_s, min(self._rounds_s, default=0.0))
