"""Durations of each block counted in bins, for requests whose samples are not all kept. Reads no file.

Each power of two is cut into 128 equal bins, as in HdrHistogram (G. Tene), so a bin's bounds differ by at most 0.8 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers, smallest
from loadgen.model.records import Phase

BINS_PER_OCTAVE = 128
ERROR = 1 / BINS_PER_OCTAVE
"""A quantile differs by at most this share from the one of the durations themselves."""
LATENCY = "latency"
SERIES = (LATENCY, *(phase.value for phase in Phase))
"""What is counted: the latency of each request, and each phase of those in which it happened."""
FIELDS = ("block", "series", "bin", "count")
_EXPONENTS = 64


@dataclass(frozen=True, slots=True)
class BlockHistograms:
    """Counts that are not 0, as columns of equal length (`FIELDS`): `block` holds blocks' indices."""

    columns: dict[str, Integers]

    @classmethod
    def empty(cls) -> BlockHistograms:
        """Of no block."""
        return cls({name: np.empty(0, np.int8) for name in FIELDS})

    @classmethod
    def of(cls, durations: Mapping[str, tuple[Integers, Integers]]) -> BlockHistograms:
        """Count durations: for each series, request by request, the block's index and the duration (ns)."""
        counted = [
            _counted(blocks, SERIES.index(name), bin_of(values_ns))
            for name, (blocks, values_ns) in durations.items()
            if len(values_ns)
        ]
        return _joined(counted)

    def of_blocks(self, indices: Integers) -> BlockHistograms:
        """Those of these blocks."""
        return self.chosen(np.isin(self.columns["block"], indices))

    def of_series(self, name: str) -> BlockHistograms:
        """Those of one series."""
        return self.chosen(self.columns["series"] == SERIES.index(name))

    def by_block(self) -> dict[int, BlockHistograms]:
        """Those of each block, by its index."""
        ordered = self.chosen(np.argsort(self.columns["block"], kind="stable"))
        blocks, begins = np.unique(ordered.columns["block"], return_index=True)
        ends = np.append(begins, len(ordered.columns["block"]))[1:].tolist()
        return {
            int(block): ordered.chosen(np.s_[begin:end])
            for block, begin, end in zip(blocks.tolist(), begins.tolist(), ends, strict=True)
        }

    def add(self, others: Iterable[BlockHistograms]) -> BlockHistograms:
        """The sum of these and others."""
        more = _joined([*others])
        touched = np.isin(self.columns["block"], more.columns["block"])
        return _joined([self.chosen(~touched), _joined([self.chosen(touched), more])._summed()])

    def with_phases_under(self, homes: Mapping[int, int]) -> BlockHistograms:
        """The phases of these blocks counted under other ones, {block: the other}, so that many take no more room."""
        if not homes:
            return self
        blocks = self.columns["block"]
        home_of = np.arange(max(int(blocks.max(initial=0)), *homes) + 1)
        home_of[list(homes)] = list(homes.values())
        moves = (self.columns["series"] != SERIES.index(LATENCY)) & np.isin(blocks, list({*homes, *homes.values()}))
        moved = self.chosen(moves)
        moved = BlockHistograms(moved.columns | {"block": smallest(home_of[moved.columns["block"]])})
        return _joined([self.chosen(~moves), moved._summed()])

    def _summed(self) -> BlockHistograms:
        """The same, with each bin of a block and series once."""
        columns = self.columns
        blocks, series = columns["block"].astype(np.int64), columns["series"].astype(np.int64)
        keys = (blocks * len(SERIES) + series) * _EXPONENTS * BINS_PER_OCTAVE + columns["bin"]
        order = np.argsort(keys, kind="stable")
        first = np.flatnonzero(np.diff(keys[order], prepend=-1))
        if len(first) == len(keys):
            return self
        found = {name: column[order][first] for name, column in columns.items()}
        counts = np.add.reduceat(columns["count"][order].astype(np.int64), first)
        return BlockHistograms(found | {"count": smallest(counts)})

    def quantiles_ns(self, shares: Sequence[float], max_ns: int) -> list[int]:
        """The nearest-rank quantiles (ns) of all durations in them, as points between the bounds of their bins.

        max_ns: the longest of the durations. At least one must have been counted.
        """
        counts = np.bincount(self.columns["bin"], weights=self.columns["count"]).astype(np.int64)
        reached = np.cumsum(counts)
        found = []
        for share in shares:
            rank = max(1, int(np.ceil(share * int(reached[-1]))))
            at = int(np.searchsorted(reached, rank))
            low, high = bounds_ns(at)
            inside = (rank - int(reached[at] - counts[at]) - 0.5) / int(counts[at])
            found.append(min(round(low + (high - low) * inside), max_ns))
        return found

    def chosen(self, chosen: NDArray[Any] | slice) -> BlockHistograms:
        """The counts that a mask, indices or a slice picks."""
        return BlockHistograms({name: column[chosen] for name, column in self.columns.items()})


def bin_of(durations_ns: Integers) -> NDArray[np.int64]:
    """The number of each duration's bin; 0 for a duration of 0."""
    mantissa, exponent = np.frexp(durations_ns.astype(np.float64))
    steps = ((mantissa - 0.5) * (2 * BINS_PER_OCTAVE)).astype(np.int64)
    return np.where(durations_ns > 0, exponent * BINS_PER_OCTAVE + steps, 0)


def bounds_ns(number: int) -> tuple[float, float]:
    """The lowest and the highest whole duration in a bin; where it is narrower than 1 ns, the one that it can hold."""
    if not number:
        return 0.0, 0.0
    exponent, step = divmod(number, BINS_PER_OCTAVE)
    low, high = (float(np.ldexp(0.5 + (step + more) / (2 * BINS_PER_OCTAVE), exponent)) for more in (0, 1))
    return float(np.ceil(low)), max(float(np.ceil(low)), float(np.ceil(high)) - 1)


def _counted(blocks: Integers, series: int, bins: NDArray[np.int64]) -> BlockHistograms:
    width = _EXPONENTS * BINS_PER_OCTAVE
    first = int(blocks.min())
    keys: NDArray[np.int64] = (blocks.astype(np.int64) - first) * width + bins
    if int(np.max(keys)) < max(1 << 20, 4 * len(keys)):
        counts = np.bincount(keys)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(keys, return_counts=True)
    return BlockHistograms({
        "block": smallest(found // width + first),
        "series": np.full(len(found), series, np.int8),
        "bin": smallest(found % width),
        "count": smallest(counts),
    })  # fmt: skip


def _joined(tables: Sequence[BlockHistograms]) -> BlockHistograms:
    if not tables:
        return BlockHistograms.empty()
    return BlockHistograms({name: np.concatenate([one.columns[name] for one in tables]) for name in FIELDS})
