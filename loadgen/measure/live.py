"""The state of a run that goes on, merged from the block reports of all its workers. Reads no file."""

from __future__ import annotations

from typing import Any

from loadgen.measure.digest import LATENCY, shared_samples
from loadgen.measure.histogram import Histogram
from loadgen.measure.merging import merge_parts
from loadgen.measure.samples import Samples
from loadgen.measure.summary import summarise
from loadgen.model.sample import Phase

# Enough for any percentile that is shown while the run goes on; the summary of so many takes a blink.
_MOST_SAMPLES = 30_000
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}


class Live:
    """Reports by part (one lane of one worker). policies: the names of the plan's cells."""

    def __init__(self, policies: tuple[str, ...]) -> None:
        self._policies = policies
        self._reports: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}

    def take(self, worker: str, lane: str, report: dict[str, Any]) -> None:
        """Add a block's report; the same block's of the same part takes the place of the one before."""
        self._reports.setdefault((worker, lane), {})[report["block"]["index"]] = report

    def drop(self, worker: str) -> None:
        """Forget all that this worker reported."""
        self._reports = {part: reports for part, reports in self._reports.items() if part[0] != worker}

    @property
    def blocks(self) -> int:
        """How many blocks some worker has finished."""
        return len({index for reports in self._reports.values() for index in reports})

    def summary(
        self, name: str, plan: dict[str, Any], environment: dict[str, Any], notes: list[dict[str, str]]
    ) -> dict[str, Any] | None:
        """What `summary.json` would say now; None before the first block. See `summarise`.

        Counts are exact, and so are means. Percentiles are those of the merged histograms; intervals, curves and
        differences come from the share of the samples that the reports hold.
        """
        parts = [list(reports.values()) for reports in self._reports.values() if reports]
        if not parts:
            return None
        merged = merge_parts((number, self._samples(part)) for number, part in enumerate(parts))
        summary = summarise(name, merged.thinned(_MOST_SAMPLES, 0), plan, environment, notes)
        for policy, one in summary["policies"].items():
            self._refine(one, [report for part in parts for report in part if report["block"]["policy"] == policy])
        return summary

    def _samples(self, reports: list[dict[str, Any]]) -> Samples:
        return shared_samples(reports, self._policies)

    def _refine(self, one: dict[str, Any], reports: list[dict[str, Any]]) -> None:
        """Put what the histograms say in place of what the share says."""
        merged = {key: Histogram() for key in (LATENCY, *(phase.value for phase in Phase))}
        for report in reports:
            for key, encoded in report["histograms"].items():
                merged[key].merge(encoded)
        latency = merged[LATENCY]
        if not latency.count:
            return
        one["latency_ns"] |= {name: latency.quantile_ns(share) for name, share in _QUANTILES.items()}
        one["latency_ns"] |= {"mean": _rounded(latency.mean_ns), "max": latency.max_ns}
        for phase in Phase:
            found = merged[phase.value]
            if found.count:
                one["phases_ns"][phase.value] |= {
                    "count": found.count,
                    "mean": _rounded(found.mean_ns),
                    "p50": found.quantile_ns(0.5),
                    "p99": found.quantile_ns(0.99),
                    "mean_per_request": round(found.sum_ns / latency.count),
                }


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)
