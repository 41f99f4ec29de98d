"""Counts of how often something was so, with the uncertainty of the share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadgen.measure.stats.distributions import student_t_quantile


@dataclass(slots=True)
class Tally:
    """Experiments, and in how many of them something held."""

    hits: int = 0
    total: int = 0

    def add(self, hit: bool) -> None:
        """Count one experiment."""
        self.hits += hit
        self.total += 1

    @property
    def share(self) -> float:
        """Of the experiments."""
        return self.hits / self.total

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Of that share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
        z = student_t_quantile((1 + confidence) / 2, 1e6)
        middle = (self.share + z * z / (2 * self.total)) / (1 + z * z / self.total)
        spread = math.sqrt(self.share * (1 - self.share) / self.total + (z / (2 * self.total)) ** 2)
        return middle - z * spread / (1 + z * z / self.total), middle + z * spread / (1 + z * z / self.total)

    def may_lie_in(self, low: float, high: float, confidence: float = 0.95) -> bool:
        """This number of experiments can't tell that the share lies elsewhere."""
        lowest, highest = self.interval(confidence)
        return lowest <= high and low <= highest
