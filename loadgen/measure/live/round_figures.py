"""Figures of each policy in each group of rounds, of all workers: what the charts over rounds show of a live run.

Of all requests, from the histograms of block reports; a report's samples are a share.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loadgen.measure.data.histogram import Histogram
from loadgen.measure.live.block_report import LATENCY, BlockReport
from loadgen.model.records import HANDSHAKE
from loadgen.model.summary import BlockSummary


@dataclass(slots=True)
class _GroupFigures:
    latency: Histogram = field(default_factory=Histogram)
    handshake_ns: int = 0
    quantiles_ns: tuple[int | None, int | None] | None = None
    """p50 and p99; None where they are not computed since the last report."""

    def add(self, other: _GroupFigures) -> None:
        self.latency.merge(other.latency.encode())
        self.handshake_ns += other.handshake_ns
        self.quantiles_ns = None


class RoundFigures:
    """All that was reported, by policy and group."""

    def __init__(self) -> None:
        self.size = 1
        """How many rounds make a group."""
        self._figures: dict[tuple[str, int], _GroupFigures] = {}

    def add(self, report: BlockReport) -> None:
        """A block's report."""
        block, histograms = report["block"], report["histograms"]
        figures = self._figures.setdefault((block["policy"], block["round"] // self.size), _GroupFigures())
        figures.latency.merge(histograms[LATENCY])
        happened = (histograms[phase.value] for phase in HANDSHAKE if phase.value in histograms)
        figures.handshake_ns += sum(one["sum_ns"] for one in happened)
        figures.quantiles_ns = None

    def resize(self, size: int) -> None:
        """From now on a group has this number of rounds at least. size: a power of two."""
        while self.size < size:
            self.size *= 2
            halves, self._figures = self._figures, {}
            for (policy, number), figures in halves.items():
                known = self._figures.setdefault((policy, number // 2), figures)
                if known is not figures:
                    known.add(figures)

    def refine(self, block: BlockSummary) -> None:
        """Put these figures in place of those of a share, and the group's first round in place of its number."""
        figures = self._figures.get((block["policy"], block["round"]))
        block["round"] *= self.size
        if figures is None or not figures.latency.count:
            return
        if figures.quantiles_ns is None:
            figures.quantiles_ns = figures.latency.quantile_ns(0.5), figures.latency.quantile_ns(0.99)
        block["latency_p50_ns"], block["latency_p99_ns"] = figures.quantiles_ns
        block["latency_mean_ns"] = round(figures.latency.sum_ns / figures.latency.count)
        block["handshake_mean_ns"] = round(figures.handshake_ns / figures.latency.count)
