"""What a block measured, in brief: counters, histograms and a share of its samples, to be merged elsewhere.

Read from a recorder's files between blocks, while the run goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.histogram import EncodedHistogram, Histogram, check_histogram
from loadgen.measure.data.received import check_columns
from loadgen.measure.data.recorder import CONNECTIONS_FILE, EXCHANGES_FILE
from loadgen.measure.data.rows import columns_of
from loadgen.model.block_facts import BlockFacts, BlockRecord
from loadgen.model.errors import ErrorKind
from loadgen.model.records import (
    ABSENT,
    COLUMNS,
    CONNECTION_FIELDS,
    CONNECTION_ROW,
    EXCHANGE_FIELDS,
    EXCHANGE_ROW,
    Phase,
)

_SHARE = 500
MAX_SHARE_ROWS = 1_000_000
"""All that failed are in a report, however many."""
_INTEGERS = frozenset(np.dtype(kind).str for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
LATENCY = "latency"
_HISTOGRAMS = frozenset({LATENCY, *(phase.value for phase in Phase)})


class EncodedColumn(TypedDict):
    """A column of samples in a message."""

    type: str
    """numpy's name of the integers' type."""
    data: bytes
    """The integers."""


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
    histograms: dict[str, EncodedHistogram]
    """Latency and each phase of the complete requests."""
    share: dict[str, EncodedColumn]
    """Columns of about 500 of the samples."""


class RowReader:
    """Reads the rows that a recorder has written since the last reading. directory: where its files are."""

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
        "share": _encode(share.columns),
    }


def check_report(report: BlockReport, policies: tuple[str, ...]) -> None:
    """Raise ValueError where a report of the right form says what can't be. policies: the names of the plan's cells."""
    if report["block"]["policy"] not in policies:
        raise ValueError("its block is of an unknown policy")
    if min(report["block"]["index"], report["block"]["round"]) < 0:
        raise ValueError("its block has a number below 0")
    if not report["histograms"].keys() <= _HISTOGRAMS:
        raise ValueError("it has an unknown histogram")
    for histogram in report["histograms"].values():
        check_histogram(histogram)
    _check_share(report["share"], len(policies))


def _check_share(share: dict[str, EncodedColumn], policies: int) -> None:
    if share.keys() != set(COLUMNS):
        raise ValueError("it has other columns than samples have")
    if any(column["type"] not in _INTEGERS for column in share.values()):
        raise ValueError("it has a column that is not one of integers")
    columns = {name: _decode(column) for name, column in share.items()}  # ValueError where bytes are left over
    rows = len(columns["policy"])
    if rows > MAX_SHARE_ROWS or any(len(column) != rows for column in columns.values()):
        raise ValueError("its columns have different lengths, or are too long")
    check_columns(columns, policies)


def decode_share(report: BlockReport) -> dict[str, NDArray[Any]]:
    """The columns of the samples in a report."""
    return {name: _decode(column) for name, column in report["share"].items()}


def _encode(columns: dict[str, NDArray[Any]]) -> dict[str, EncodedColumn]:
    return {name: {"type": column.dtype.str, "data": column.tobytes()} for name, column in columns.items()}


def _decode(column: EncodedColumn) -> NDArray[Any]:
    return np.frombuffer(column["data"], column["type"])
