"""What a block measured, in brief: counters, histograms and a share of its samples, for somebody else to merge.

Read from a recorder's files between blocks, while the run goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import request_ends
from loadgen.measure.data.recorder import CONNECTIONS_FILE, EXCHANGES_FILE
from loadgen.measure.data.row_assignment import place
from loadgen.measure.data.rows import Samples, columns_of
from loadgen.measure.stats.histogram import Histogram
from loadgen.model.block_facts import BlockFacts, BlockRecord
from loadgen.model.errors import ErrorKind
from loadgen.model.records import (
    ABSENT,
    CONNECTION_FIELDS,
    CONNECTION_ROW,
    EXCHANGE_FIELDS,
    EXCHANGE_ROW,
    Phase,
)
from loadgen.model.units import NS_PER_MS, NS_PER_S

_SHARE = 500
LATENCY = "latency"


class BlockReport(TypedDict):
    """A block in brief, of values that JSON and MessagePack can hold."""

    user_class: NotRequired[str]
    """Whose block it is; the sender adds it."""
    block: BlockFacts
    """The block's facts with all that is counted."""
    started: int
    """Requests that began in the window."""
    requests: int
    """Of these, complete."""
    unfinished: int
    """Of these, unfinished."""
    errors: dict[str, int]
    """Of these, failed, by error kind."""
    histograms: dict[str, list[Any]]
    """Latency and each phase of the complete requests; see `Histogram.encode`."""
    share: dict[str, list[Any]]
    """Columns of about 500 of the samples, each [type, bytes]."""


class RowReader:
    """The rows that a recorder has written since the last look. directory: where its files are."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._exchanges = self._connections = 0

    def read(self, exchanges: int, connections: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """New rows, up to the totals given. Raises OSError."""
        rows = self._read(EXCHANGES_FILE, EXCHANGE_FIELDS, EXCHANGE_ROW.size, self._exchanges, exchanges)
        ends = self._read(CONNECTIONS_FILE, CONNECTION_FIELDS, CONNECTION_ROW.size, self._connections, connections)
        self._exchanges, self._connections = exchanges, connections
        return rows, ends

    def _read(self, name: str, fields: tuple[str, ...], row_bytes: int, first: int, end: int) -> NDArray[Any]:
        kind = np.dtype([(field, "=i8") for field in fields])
        return np.fromfile(self._directory / name, kind, end - first, offset=first * row_bytes)


def block_report(
    facts: BlockRecord, rows: NDArray[Any], connections: NDArray[Any], policies: tuple[str, ...]
) -> BlockReport:
    """A block's report. facts: the block's, as its recorder has them."""
    samples = columns_of([facts], rows, connections, policies)
    complete = samples.of(samples.columns["error"] == ABSENT)
    kinds, counts = np.unique(samples.columns["error"], return_counts=True)
    errors = {int(kind): int(count) for kind, count in zip(kinds, counts, strict=True) if kind != ABSENT}
    unfinished = errors.pop(ErrorKind.UNFINISHED, 0)
    histograms = {LATENCY: Histogram().add(complete.latency_ns()).encode()}
    for phase in Phase:
        column = complete.columns[phase.value]
        histograms[phase.value] = Histogram().add(column[column >= 0]).encode()
    share = samples.with_counts().thinned(_SHARE, facts["index"])
    return {
        "block": share.blocks[0],
        "started": len(samples),
        "requests": len(complete),
        "unfinished": unfinished,
        "errors": {ErrorKind(kind).label: count for kind, count in errors.items()},
        "histograms": histograms,
        "share": {name: [column.dtype.str, column.tobytes()] for name, column in share.columns.items()},
    }


def shrink(report: BlockReport, most: int) -> None:
    """Keep in a report about `most` of the complete samples that it shares, and all that failed."""
    columns = {name: np.frombuffer(octets, kind) for name, (kind, octets) in report["share"].items()}
    chosen = columns["error"] != ABSENT
    complete = np.flatnonzero(~chosen)
    chosen[complete[:: max(1, len(complete) // most)]] = True
    report["share"] = {name: [column.dtype.str, column[chosen].tobytes()] for name, column in columns.items()}


def shared_samples(reports: list[BlockReport], policies: tuple[str, ...]) -> Samples:
    """The samples that the reports of one part share. reports: at least one."""
    columns = {
        name: np.concatenate([np.frombuffer(one["share"][name][1], one["share"][name][0]) for one in reports])
        for name in reports[0]["share"]
    }
    return Samples(policies, columns, [one["block"] for one in reports])


def request_figures(facts: BlockRecord, rows: NDArray[Any], connections: NDArray[Any], wall_s: float) -> dict[str, Any]:
    """Requests of a block, its warm-up included, as Locust's statistics count them; unfinished ones are left out.

    wall_s: what to add to the monotonic clock (s) to have seconds since the epoch. Gives count, total_ms, min_ms,
    max_ms, times_ms (milliseconds, three digits of them, to count), bytes, failures (kind or status to count), last_s,
    per_second and failures_per_second (second to count).
    """
    placed = place([facts], rows, connections)
    end = request_ends(rows, placed, connections)
    done = rows["outcome"] != -ErrorKind.UNFINISHED
    rows, end = rows[done], end[done]
    if not len(rows):
        return {"count": 0}
    times_ms = (end - rows["scheduled"]) / NS_PER_MS
    seconds = np.floor(end / NS_PER_S + wall_s).astype(np.int64)
    # As Locust's clients have it: an answer of 400 or more is a failure too.
    failed = (rows["outcome"] < 0) | (rows["outcome"] >= 400)
    return {
        "count": len(rows),
        "total_ms": float(times_ms.sum()),
        "min_ms": float(times_ms.min()),
        "max_ms": float(times_ms.max()),
        "times_ms": _counted(three_digits(times_ms)),
        "bytes": int(rows["bytes_received"].sum()),
        "failures": {_why(outcome): count for outcome, count in _counted(rows["outcome"][failed]).items()},
        "last_s": float(end.max() / NS_PER_S + wall_s),
        "per_second": _counted(seconds),
        "failures_per_second": _counted(seconds[failed]),
    }


def three_digits(values_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to three significant digits, and to 0.1 µs below 0.1 ms, as single figures in Locust's statistics are."""
    size = np.floor(np.log10(np.maximum(values_ms, 0.01)))
    # By powers of ten that are whole numbers, so that 0.101 is the same key however it came about.
    scale = 10.0 ** np.abs(size - 2)
    return np.where(size > 2, np.floor(values_ms / scale + 0.5) * scale, np.floor(values_ms * scale + 0.5) / scale)


def _why(outcome: int) -> str:
    return ErrorKind(-outcome).label if outcome < 0 else str(outcome)


def _counted(values: NDArray[Any]) -> dict[Any, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
