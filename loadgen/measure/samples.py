"""Rows as a worker wrote them, to columns of samples: the bulk work that the hot path leaves undone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE
from loadgen.model.sample import (
    ABSENT,
    COLUMNS,
    CONNECTION_FIELDS,
    EXCHANGE_FIELDS,
    ClosedBy,
    ConnectionFlag,
    ErrorKind,
    Phase,
)

Integers = NDArray[Any]
"""A column: signed integers of any width."""

_HANDSHAKE_FIELDS = ("dns", "connect", "tls", "upgrade")


@dataclass(frozen=True, slots=True)
class Samples:
    """The counted requests of a run as columns of equal length (`COLUMNS`), and what is known of its blocks.

    columns: integers, absent is -1; durations and times in ns. `policy` is an index into `policies`.
    blocks: in the order in which they ran; see `read_rows`.
    """

    policies: tuple[str, ...]
    columns: dict[str, Integers]
    blocks: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.columns["scheduled"])

    def of(self, chosen: NDArray[Any]) -> Samples:
        """Those samples that `chosen` (a mask or indices) picks."""
        return Samples(self.policies, {name: column[chosen] for name, column in self.columns.items()}, self.blocks)

    def latency_ns(self) -> NDArray[np.int64]:
        """The sum of each sample's phases."""
        total = np.zeros(len(self), np.int64)
        for phase in Phase:
            total += present(self.columns[phase.value])
        return total


def present(column: Integers) -> Integers:
    """A column of durations with absent counted as 0."""
    return np.maximum(column, 0)


def read_rows(directory: Path, policies: tuple[str, ...]) -> Samples:
    """Read what a worker has written, whether it came to its end or not.

    Each block gains `window_ns`, `started`, `exchanges` (warm-up included), `connections`, two counts of the warm-up.
    Raises OSError where the files are missing.
    """
    blocks = _read_blocks(directory / BLOCKS_FILE)
    rows = _read(directory / EXCHANGES_FILE, EXCHANGE_FIELDS)
    rows = rows[: _written(rows["scheduled"])]
    connections = _read(directory / CONNECTIONS_FILE, CONNECTION_FIELDS)
    connections = connections[: _written(connections["opened"])]

    firsts = [block["first_connection"] for block in blocks]
    block_of = smallest(np.searchsorted(firsts, rows["connection"], side="right") - 1)
    begun, ended = _windows(blocks, rows["scheduled"])
    for block, first, last in zip(blocks, begun, ended, strict=True):
        block["window_ns"] = int(max(0, last - first))
    counted = (rows["scheduled"] >= begun[block_of]) & (rows["scheduled"] < ended[block_of])
    _account(blocks, rows["connection"], block_of, counted, connections)
    _account_warmup(blocks, rows[~counted], block_of[~counted], begun, ended)

    columns = _columns(rows, counted, block_of[counted], blocks, policies, connections)
    return Samples(policies, columns, blocks)


def smallest(column: Integers) -> Integers:
    """The same integers in the smallest signed type that holds them."""
    if not len(column):
        return column.astype(np.int8)
    low, high = int(column.min()), int(column.max())
    kinds = (np.int8, np.int16, np.int32, np.int64)
    kind = next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return column.astype(kind, copy=False)


def _read(path: Path, fields: tuple[str, ...]) -> NDArray[Any]:
    return np.fromfile(path, dtype=[(name, "=i8") for name in fields])


def _connection_count(numbers: Integers, connections: NDArray[Any]) -> int:
    """One more than the highest connection number."""
    return int(max(numbers.max(initial=-1), connections["connection"].max(initial=-1))) + 1


def _written(times: Integers) -> int:
    """How many rows were written before a worker died: the space after them is zero."""
    unwritten = np.flatnonzero(times == 0)
    return int(unwritten[0]) if len(unwritten) else len(times)


def _read_blocks(path: Path) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            block = json.loads(line)
        except ValueError:  # the last line of a worker that died
            break
        blocks[block["index"]] = block
    return [blocks[index] for index in sorted(blocks)]


def _windows(blocks: list[dict[str, Any]], scheduled: Integers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each block's window began and ended (ns); a worker that died ended its last one with its last row."""
    last = int(scheduled.max()) + 1 if len(scheduled) else 0
    begun = np.array([block.get("window_begun_ns", last) for block in blocks], np.int64)
    ended = np.array([block.get("window_ended_ns", last) for block in blocks], np.int64)
    return begun, ended


def _account(
    blocks: list[dict[str, Any]],
    numbers: Integers,
    block_of: Integers,
    counted: Any,
    connections: NDArray[Any],
) -> None:
    """Count, for each block, its exchanges and what became of its connections."""
    size = len(blocks)
    started = np.bincount(block_of[counted], minlength=size)
    flags = connections["flags"]
    firsts = [block["first_connection"] for block in blocks]
    home = np.searchsorted(firsts, connections["connection"], side="right") - 1
    # A worker that died left connections without a row; that they were open is known from their exchanges.
    unknown = np.zeros(_connection_count(numbers, connections), np.bool_)
    unknown[numbers] = True
    unknown[connections["connection"]] = False
    lost = np.bincount(np.searchsorted(firsts, np.flatnonzero(unknown), side="right") - 1, minlength=size)
    opened = (flags & ConnectionFlag.ESTABLISHED) != 0
    # An attempt that was refused carried no request.
    reached = unknown
    reached[connections["connection"][opened]] = True
    exchanges = np.bincount(block_of[reached[numbers]], minlength=size)
    tls = (flags & ConnectionFlag.TLS) != 0
    resumed = (flags & ConnectionFlag.TLS_RESUMED) != 0
    tallies = {
        "opened": opened,
        "closed_by_client": opened & (connections["closed_by"] == ClosedBy.CLIENT),
        "closed_by_server": opened & (connections["closed_by"] == ClosedBy.SERVER),
        "tls_full": tls & ~resumed,
        "tls_resumed": resumed,
        "server_ignored_close": (flags & ConnectionFlag.IGNORED_CLOSE) != 0,
    }
    counts = {name: np.bincount(home[chosen], minlength=size) for name, chosen in tallies.items()}
    counts["opened"] = counts["opened"] + lost
    pairs = np.unique(np.stack([home[opened], connections["user"][opened]]), axis=1)
    counts["users"] = np.bincount(pairs[0], minlength=size) + lost
    for index, block in enumerate(blocks):
        block["exchanges"] = int(exchanges[index])
        block["started"] = int(started[index])
        block["connections"] = {name: int(count[index]) for name, count in counts.items()}


def _account_warmup(
    blocks: list[dict[str, Any]], rows: NDArray[Any], block_of: Integers, begun: Integers, ended: Integers
) -> None:
    """Count what the window does not show: requests of the warm-up that failed, or lasted beyond the window's end."""
    lasted = rows["scheduled"] + present(rows["send"]) + present(rows["wait"]) + present(rows["receive"])
    outlasted = (
        (rows["scheduled"] < begun[block_of]) & (lasted >= ended[block_of]) & (rows["outcome"] != -ErrorKind.UNFINISHED)
    )
    failed = (rows["outcome"] < 0) & (rows["outcome"] != -ErrorKind.UNFINISHED)
    for index, block in enumerate(blocks):
        mine = block_of == index
        block["warmup_outlasted"] = int(np.count_nonzero(outlasted & mine))
        block["warmup_errors"] = int(np.count_nonzero(failed & mine))


def _columns(
    rows: NDArray[Any],
    counted: NDArray[np.bool_],
    block_of: Integers,
    blocks: list[dict[str, Any]],
    policies: tuple[str, ...],
    connections: NDArray[Any],
) -> dict[str, Integers]:
    number = rows["connection"][counted]
    size = _connection_count(rows["connection"], connections)
    absent = np.full(len(number), ABSENT, np.int8)

    def of_connection(field: str) -> Integers:
        """A connection's field, for each sample."""
        by_number = np.full(size, ABSENT, np.int64)
        by_number[connections["connection"]] = connections[field]
        chosen: Integers = smallest(by_number)[number]
        return chosen

    nth = smallest(rows["nth"][counted])
    first = nth == 0
    outcome = smallest(rows["outcome"][counted])
    last_nth = np.zeros(size, np.int64)
    np.maximum.at(last_nth, rows["connection"], rows["nth"])
    flags = of_connection("flags")
    columns: dict[str, Integers] = {
        "policy": np.array([policies.index(block["policy"]) for block in blocks], np.int16)[block_of],
        "round": np.array([block["round"] for block in blocks], np.int32)[block_of],
        "worker": np.zeros(len(number), np.int8),
        "user": of_connection("user"),
        "nth_on_connection": nth,
        "queue": absent,
        "status": np.where(outcome > 0, outcome, ABSENT),
        "error": np.where(outcome < 0, -outcome, ABSENT),
        "tls_resumed": np.where(
            (flags >= 0) & (flags & ConnectionFlag.TLS != 0), (flags & ConnectionFlag.TLS_RESUMED) != 0, ABSENT
        ),
        "closed_by": np.where(nth == last_nth[number], of_connection("closed_by"), ABSENT),
    }
    for field in _HANDSHAKE_FIELDS:
        columns[field] = np.where(first, of_connection(field), ABSENT)
    for field in (
        "connection",
        "scheduled",
        "send",
        "wait",
        "receive",
        "lag",
        "bytes_sent",
        "bytes_received",
    ):
        columns[field] = smallest(rows[field][counted])
    return {name: smallest(columns[name]) for name in COLUMNS}
