"""A run's figures by round while it goes on: throughput and p50 of each policy, the interval of each ratio.

Made of blocks as they end. They are the summary's figures: p50 to 0.4 %, which is the width of a histogram's bin, the
others exactly. Of a run that is resumed they are those of the present segment. Draws nothing, reads no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from loadgen.measure.data.histogram import Histogram
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.measure.stats.comparison import pairs
from loadgen.measure.stats.precision import RoundSums, half_width, mean_ratio_interval, widest
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S

T = TypeVar("T")

_ROUNDS_PER_LOOK = 100
"""Of very many rounds, 1 % more makes no interval much narrower, and each look takes longer."""


@dataclass(slots=True)
class PolicyFigures:
    """One policy, or one cell of a sweep. Lists are by round; None stands for a round without a figure."""

    rates_rps: list[float | None] = field(default_factory=list)
    """Throughput."""
    p50s_ns: list[int | None] = field(default_factory=list)
    """Median latency."""
    requests: list[int] = field(default_factory=list)
    """Complete requests."""
    latency_sums_ns: list[int] = field(default_factory=list)
    """The sum of their latencies."""
    throughput_rps: float | None = None
    """Of all rounds so far."""
    p50_ns: int | None = None
    """Of all requests so far."""
    _answered: float = 0.0
    _window_ns: int = 0
    _latencies: Histogram = field(default_factory=Histogram)

    def add(self, block: BlockLatency) -> None:
        """Take a block that has ended."""
        rate = block.throughput_rps
        _put(self.rates_rps, block.round, rate, None)
        _put(self.p50s_ns, block.round, block.latencies.quantile_ns(0.5), None)
        _put(self.requests, block.round, block.requests, 0)
        _put(self.latency_sums_ns, block.round, block.latency_ns, 0)
        if rate is not None:
            self._answered += rate * block.window_ns / NS_PER_S
            self._window_ns += block.window_ns
            self.throughput_rps = self._answered * NS_PER_S / self._window_ns
        self._latencies.merge(block.latencies.encode())
        self.p50_ns = self._latencies.quantile_ns(0.5)

    def sums(self, rounds: int) -> RoundSums:
        """As arrays of this many rounds."""
        found = RoundSums(np.zeros(rounds), np.zeros(rounds))
        found.requests[: len(self.requests)] = self.requests
        found.latency_ns[: len(self.requests)] = self.latency_sums_ns
        return found


@dataclass(slots=True)
class RatioFigures:
    """The headline of two policies: candidate's mean latency by the baseline's."""

    baseline: str
    candidate: str
    ratio: float | None = None
    interval: list[float] | None = None
    """95 %; None where it is not known yet."""
    half_widths: list[float | None] = field(default_factory=list)
    """Within what share it was known after each round; None where that was not known, or not looked at."""


class LiveFigures:
    """The figures of a run. done: indices of blocks that earlier segments have measured."""

    def __init__(self, plan: Plan, done: Collection[int] = ()) -> None:
        self._plan = plan
        cells = plan.cells
        self.policies = {cell.name: PolicyFigures() for cell in cells}
        self.ratios = [RatioFigures(*pair) for pair in pairs(cells, bool(plan.axes))]
        self.blocks = len(done)
        """Blocks that have ended, those of earlier segments included."""
        self.last_index: int | None = None
        """The block that ended last."""
        self.last: list[str] = []
        """The cells of the blocks that have ended, the latest one last; each once."""
        self._ended = Counter(index // len(cells) for index in done)
        """Blocks that have ended, by round."""
        self.rounds = 0
        """After how many rounds the ratios were compared last."""
        self._next_look = 1

    @property
    def half_width(self) -> float | None:
        """Within what share each ratio is known; None where one of them is not known yet."""
        return widest([one.interval for one in self.ratios])

    def add(self, index: int, block: BlockLatency) -> None:
        """Take a block that has ended, with its index in the run."""
        self.policies[block.policy].add(block)
        self.blocks += 1
        self.last_index = index
        self.last = [name for name in self.last if name != block.policy] + [block.policy]
        number = index // len(self.policies)
        self._ended[number] += 1
        rounds = number + 1
        if self._ended[number] == len(self.policies) and rounds >= self._next_look:
            self.rounds, self._next_look = rounds, rounds + max(1, rounds // _ROUNDS_PER_LOOK)
            sums = {name: one.sums(rounds) for name, one in self.policies.items()}
            for ratio in self.ratios:
                self._compare(ratio, sums, number)

    def _compare(self, ratio: RatioFigures, sums: Mapping[str, RoundSums], number: int) -> None:
        baseline, candidate = sums[ratio.baseline], sums[ratio.candidate]
        both = (baseline.requests > 0) & (candidate.requests > 0)
        if both.any():
            means = [one.latency_ns[both].sum() / one.requests[both].sum() for one in (candidate, baseline)]
            ratio.ratio = float(means[0] / means[1]) if means[1] else None
        ratio.interval = mean_ratio_interval(baseline, candidate, self._plan)
        _put(ratio.half_widths, number, None if ratio.interval is None else half_width(ratio.interval), None)


def _put(values: list[T], place: int, value: T, absent: T) -> None:
    """Set values[place]; what the list has before it and was never set is absent."""
    values.extend([absent] * (place + 1 - len(values)))
    values[place] = value
