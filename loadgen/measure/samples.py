"""Rows as a worker wrote them, to columns of samples: the bulk work that the hot path leaves undone."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES
from loadgen.measure.tally import (
    Integers,
    connection_count,
    count_answered,
    count_connections,
    count_warmup,
    present,
    request_ends,
)
from loadgen.model.sample import (
    ABSENT,
    COLUMNS,
    CONNECTION_FIELDS,
    EXCHANGE_FIELDS,
    HANDSHAKE,
    ConnectionFlag,
    Ending,
    Phase,
)

_AS_WRITTEN = (
    "connection", "user", "scheduled", "queue", "late", "send", "wait", "receive", "lag", "bytes_sent",
    "bytes_received",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Samples:
    """The counted requests of a run as columns of equal length (`COLUMNS`), and what is known of its blocks.

    columns: integers, absent is -1; durations and times in ns. `policy` is an index into `policies`, the names of the
    plan's cells. blocks: by index; see `read_rows`.
    """

    policies: tuple[str, ...]
    columns: dict[str, Integers]
    blocks: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.columns["scheduled"])

    def of(self, chosen: NDArray[Any]) -> Samples:
        """Those samples that `chosen` (a mask or indices) picks."""
        return Samples(self.policies, {name: column[chosen] for name, column in self.columns.items()}, self.blocks)

    def of_blocks(self, indices: Container[int]) -> Samples:
        """What these blocks counted, and nothing of the others."""
        # One block of each policy makes a round.
        kept = [block for block in self.blocks if block["index"] in indices]
        wanted = [block["round"] * len(self.policies) + self.policies.index(block["policy"]) for block in kept]
        own = self.columns["round"].astype(np.int64) * len(self.policies) + self.columns["policy"]
        return replace(self.of(np.isin(own, wanted)), blocks=kept)

    def by_policy(self) -> list[NDArray[np.int64]]:
        """The indices of each policy's samples, in one pass however many policies there are."""
        policy = self.columns["policy"]
        order = np.argsort(policy, kind="stable")
        return np.split(order, np.searchsorted(policy[order], np.arange(1, len(self.policies))))

    def latency_ns(self) -> NDArray[np.int64]:
        """The sum of each sample's phases."""
        return self.sum_ns(*Phase)

    def sum_ns(self, *phases: Phase) -> NDArray[np.int64]:
        """The sum of these phases of each sample."""
        total = np.zeros(len(self), np.int64)
        for phase in phases:
            total += present(self.columns[phase.value])
        return total


def merge(old: Samples, new: Samples) -> Samples:
    """Both together; blocks that both hold are the new ones'. Merging twice is the same as once."""
    replaced = {block["index"] for block in new.blocks}
    kept = old.of_blocks({block["index"] for block in old.blocks} - replaced)
    columns = {name: np.concatenate([kept.columns[name], new.columns[name]]) for name in COLUMNS}
    return Samples(new.policies, columns, sorted(kept.blocks + new.blocks, key=lambda block: int(block["index"])))


def read_rows(directory: Path, policies: tuple[str, ...]) -> Samples:
    """Read what a worker has written, whether it came to its end or not.

    Each block gains `window_ns`, `started`, `answered` (within the window), with the warm-up `exchanges` and those of
    them that a server answered (`carried`), `connections`, `endings`, `next_connection` (one above its highest number)
    and two counts of the warm-up. Raises OSError where the files are missing, ValueError where another version wrote
    them.
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
    count_connections(blocks, rows, block_of, counted, connections)
    end = request_ends(rows, connections)
    count_answered(blocks, rows, block_of, end, begun, ended)
    count_warmup(blocks, rows[~counted], block_of[~counted], end[~counted], ended)

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


def _written(times: Integers) -> int:
    """How many rows were written before a worker died: the space after them is zero."""
    unwritten = np.flatnonzero(times == 0)
    return int(unwritten[0]) if len(unwritten) else len(times)


def _read_blocks(path: Path) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            block = {**json.loads(line)}
        except ValueError:  # the last line of a worker that died
            break
        if block.pop("row_bytes", None) != ROW_BYTES:
            raise ValueError("another version of loadgen wrote its rows; run it again")
        blocks[block["index"]] = block
    return [blocks[index] for index in sorted(blocks)]


def _windows(blocks: list[dict[str, Any]], scheduled: Integers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each block's window began and ended (ns); a worker that died ended its last one with its last row."""
    last = int(scheduled.max()) + 1 if len(scheduled) else 0
    begun = np.array([block.get("window_begun_ns", last) for block in blocks], np.int64)
    ended = np.array([block.get("window_ended_ns", last) for block in blocks], np.int64)
    return begun, ended


def _columns(
    rows: NDArray[Any],
    counted: NDArray[np.bool_],
    block_of: Integers,
    blocks: list[dict[str, Any]],
    policies: tuple[str, ...],
    connections: NDArray[Any],
) -> dict[str, Integers]:
    number = rows["connection"][counted]
    size = connection_count(rows["connection"], connections)

    def of_connection(field: str) -> Integers:
        """A connection's field, for each sample."""
        by_number = np.full(size, ABSENT, np.int64)
        by_number[connections["connection"]] = connections[field]
        chosen: Integers = smallest(by_number)[number]
        return chosen

    columns: dict[str, Integers] = {field: smallest(rows[field][counted]) for field in _AS_WRITTEN}
    nth = smallest(rows["nth"][counted])
    outcome = smallest(rows["outcome"][counted])
    last_nth = np.zeros(size, np.int64)
    np.maximum.at(last_nth, rows["connection"], rows["nth"])
    flags = of_connection("flags")
    # One more entry: an ending that is absent (-1) picks the last.
    closed_by = np.array([*(ending.closed_by for ending in Ending), ABSENT], np.int8)[of_connection("ending")]
    columns |= {
        "policy": np.array([policies.index(block["policy"]) for block in blocks], np.int16)[block_of],
        "round": np.array([block["round"] for block in blocks], np.int32)[block_of],
        "worker": np.zeros(len(number), np.int8),
        "nth_on_connection": nth,
        "status": np.where(outcome > 0, outcome, ABSENT),
        "error": np.where(outcome < 0, -outcome, ABSENT),
        "tls_resumed": np.where(
            (flags >= 0) & (flags & ConnectionFlag.TLS != 0), (flags & ConnectionFlag.TLS_RESUMED) != 0, ABSENT
        ),
        "closed_by": np.where(nth == last_nth[number], closed_by, ABSENT),
    }
    for phase in HANDSHAKE:
        columns[phase.value] = np.where(nth == 0, of_connection(phase.value), ABSENT)
    return {name: smallest(columns[name]) for name in COLUMNS}
