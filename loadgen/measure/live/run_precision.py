"""Whether a run is precise enough, or needs another round. Reads nothing: its figures are those that are shown.

They are those of the summary too: the same requests, the same interval of the same ratio.
"""

from __future__ import annotations

from loadgen.measure.live.live_figures import LiveFigures
from loadgen.measure.stats.precision import is_without_answer
from loadgen.model.plan import Plan


class RunPrecision:
    """A run that goes on until each ratio is known within `plan.until_precision`. figures: the run's, as blocks end."""

    def __init__(self, plan: Plan, figures: LiveFigures) -> None:
        assert plan.until_precision is not None
        self._plan = plan
        self._aim = plan.until_precision
        self._figures = figures

    def goes_on(self, block: int) -> bool:
        """Whether the run needs this block, which is its next; the figures have all before it."""
        rounds, position = divmod(block, len(self._plan.cells))
        # Of very many rounds the ratios are not compared after each one.
        if position or rounds < self._plan.min_rounds or rounds != self._figures.rounds:
            return True
        if self._figures.half_width is not None and self._figures.half_width <= self._aim:
            return False
        return not any(is_without_answer(one.sums(rounds).requests) for one in self._figures.policies.values())
