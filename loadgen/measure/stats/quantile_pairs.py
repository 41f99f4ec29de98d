"""The same quantile of two policies: how uncertain its difference and its ratio are. Knows no samples.

Each policy's own interval says how far its quantile may lie below and above what was measured, which is not as far in
both directions: next to a gap between fast and slow requests one of them reaches across it. The two are combined by
G. Y. Zou and A. Donner ("Construction of confidence limits about effect measures", Stat. Med. 27, 2008), with the
correlation that rounds show, because what slows a round slows both policies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loadgen.measure.stats.jackknife import LARGEST_BOUND, factors
from loadgen.measure.stats.quantiles import PooledQuantiles


@dataclass(frozen=True, slots=True)
class QuantilePair:
    """A quantile of the baseline and of the candidate (ns); rounds are the same of both."""

    baseline: float
    candidate: float
    bounds: tuple[tuple[float, float], tuple[float, float]] | None
    """The ends of both intervals, the baseline's first; None where one of them has none."""
    correlation: float

    @classmethod
    def of(cls, baseline: PooledQuantiles, candidate: PooledQuantiles, share: float) -> QuantilePair:
        """share: 0.5 for the median."""
        own = baseline.bounds(share), candidate.bounds(share)
        bounds = None if own[0] is None or own[1] is None else (own[0], own[1])
        return cls(baseline.value(share), candidate.value(share), bounds, _correlation(baseline, candidate, share))

    @property
    def delta_ns(self) -> int:
        """Candidate less baseline (ns)."""
        return int(self.candidate - self.baseline)

    @property
    def ratio(self) -> float:
        """Candidate / baseline."""
        return self.candidate / self.baseline

    def delta_interval(self) -> list[int] | None:
        """The 95 % interval of the difference (ns); None where a policy has none, or a bound means nothing."""
        if self.bounds is None:
            return None
        low, high = self._combined((self.baseline, *self.bounds[0]), (self.candidate, *self.bounds[1]))
        return None if max(abs(low), abs(high)) > LARGEST_BOUND else [round(low), round(high)]

    def ratio_interval(self) -> list[float] | None:
        """The same of the ratio: that of the difference of logarithms."""
        if self.bounds is None or min(self.bounds[0][0], self.bounds[1][0]) <= 0:
            return None
        base, cand = (
            tuple(math.log(one) for one in (value, *bounds))
            for value, bounds in zip((self.baseline, self.candidate), self.bounds, strict=True)
        )
        return factors(self._combined(base, cand))

    def _combined(self, base: tuple[float, ...], cand: tuple[float, ...]) -> tuple[float, float]:
        """base, cand: a value and the ends of its interval."""
        (base_value, base_low, base_high), (cand_value, cand_low, cand_high) = base, cand
        below = self._distance(cand_value - cand_low, base_high - base_value)
        above = self._distance(cand_high - cand_value, base_value - base_low)
        return cand_value - base_value - below, cand_value - base_value + above

    def _distance(self, of_candidate: float, of_baseline: float) -> float:
        shared = 2 * self.correlation * of_candidate * of_baseline
        return math.sqrt(max(0.0, of_candidate**2 + of_baseline**2 - shared))


def _correlation(baseline: PooledQuantiles, candidate: PooledQuantiles, share: float) -> float:
    """How alike both move from round to round, -1 to 1; 0 where one of them does not move."""
    base, cand = (one.reached(share)[1:] for one in (baseline, candidate))
    base, cand = base - base.mean(), cand - cand.mean()
    size = math.sqrt(float(base @ base) * float(cand @ cand))
    found = float(np.dot(base, cand)) / size if size else 0.0
    return min(1.0, max(-1.0, found)) if math.isfinite(found) else 0.0
