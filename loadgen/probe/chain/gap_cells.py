"""How many requests a chain loses, from the share that it loses after each gap. Numbers alone; knows no connection.

The range of gaps is cut into cells in which the share is taken to be constant: before the origin's idle timeout, around
it, and after it. A mix of gaps then loses the sum of weight times share. Its interval is that of a sum of independent
proportions by the method of variance estimates recovery (Zou and Donner, Stat. Med. 27, 2008) from Wilson's intervals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, sqrt
from secrets import SystemRandom
from typing import NamedTuple

from loadgen.probe.proportion import wilson


class LossShare(NamedTuple):
    """A proportion with its interval of 95 %."""

    middle: float
    low: float
    high: float


@dataclass(slots=True)
class GapCell:
    """Gaps from `low_ns` to `high_ns`, and what became of requests that came after such gaps."""

    name: str
    """`before`, `race`, `after` or `beyond` the origin's idle timeout."""
    low_ns: float
    high_ns: float
    tries: int = 0
    lost: int = 0

    def weight(self, mean_ns: float) -> float:
        """The share of gaps that are in it, where gaps are exponential with this mean."""
        return exp(-self.low_ns / mean_ns) - exp(-self.high_ns / mean_ns)


def cells_around(min_ns: int, max_ns: int, blur_ns: int) -> list[GapCell]:
    """The cells of an origin that closes after an idle time of `min_ns` to `max_ns`, known to `blur_ns`."""
    early, late = max(0, min_ns - blur_ns), max_ns + blur_ns
    edges = [late, 1.4 * max_ns, 2.0 * max_ns, 3.0 * max_ns]
    after = [GapCell("after", low, high) for low, high in pairwise(edges)]
    return [GapCell("before", 0, early), GapCell("race", early, late), *after, GapCell("beyond", edges[-1], inf)]


def predicted(cells: Iterable[GapCell], mean_ns: float) -> LossShare:
    """The share that is lost where gaps are exponential. A cell without tries is taken to be like the one before it,
    and may be anything."""
    total = middle = below = above = unknown_below = unknown_above = 0.0
    for cell in cells:
        weight = cell.weight(mean_ns)
        if cell.tries:
            low, high = wilson(cell.lost, cell.tries)
            middle = cell.lost / cell.tries
            below += (weight * (middle - low)) ** 2
            above += (weight * (high - middle)) ** 2
        else:
            unknown_below += weight * middle
            unknown_above += weight * (1 - middle)
        total += weight * middle
    low, high = total - sqrt(below) - unknown_below, total + sqrt(above) + unknown_above
    return LossShare(total, max(0.0, low), min(1.0, high))


def counted(lost: int, tries: int) -> LossShare:
    """A share that was counted."""
    return LossShare(lost / tries if tries else 0.0, *wilson(lost, tries))


def agree(one: LossShare, other: LossShare) -> bool:
    """The difference of two independent shares may be zero: its interval by the same method has it."""
    difference = one.middle - other.middle
    below = sqrt((one.middle - one.low) ** 2 + (other.high - other.middle) ** 2)
    above = sqrt((one.high - one.middle) ** 2 + (other.middle - other.low) ** 2)
    return difference - below <= 0 <= difference + above


def exponential_gaps(count: int, mean_ns: float) -> list[int]:
    """That many random gaps (ns) of an exponential distribution, one from each of as many parts of equal probability.

    In random order.
    """
    chance = SystemRandom()
    gaps_ns = [int(-mean_ns * log(1 - (index + chance.random()) / count)) for index in range(count)]
    chance.shuffle(gaps_ns)
    return gaps_ns


def per_million(share: LossShare) -> str:
    """Of a million requests, with the interval: 2,100 (380 to 190,000). Two digits, as more are not known."""
    middle, low, high = (f"{int(float(f'{one * 1e6:.2g}')):,}" for one in (share.middle, share.low, share.high))
    return f"{middle} ({low} to {high})"
