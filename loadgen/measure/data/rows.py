"""Rows as a worker wrote them, to columns of samples: the bulk work that the hot path leaves undone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import count_answered, count_connections, count_warmup, present, request_ends
from loadgen.measure.data.block_histograms import BlockHistograms
from loadgen.measure.data.downsampling import counts, draw
from loadgen.measure.data.ended_after import RequestsSoFar, count_ended_after
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES, part_path
from loadgen.measure.data.request_column import count_carried, requests_of
from loadgen.measure.data.row_assignment import Integers, RowAssignment, assign_rows, smallest
from loadgen.model.block_facts import BlockFacts, BlockRecord, SampleCounts
from loadgen.model.records import (
    ABSENT,
    ADDRESS_SHIFT,
    COLUMNS,
    CONNECTION_FIELDS,
    EXCHANGE_FIELDS,
    HANDSHAKE,
    ConnectionFlag,
    Ending,
    Phase,
)

_AS_WRITTEN = (
    "connection", "user", "scheduled", "queue", "late", "send", "wait", "receive", "own", "lag", "wait_delay",
    "bytes_sent", "bytes_received", "continue_wait",
)  # fmt: skip
NOT_YET = np.iinfo(np.int64).max
"""The time at which a window begins or ends that has not yet."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The counted requests of a run as columns of equal length (`COLUMNS`), and what is known of its blocks.

    Immutable: every method gives another value.
    """

    policies: tuple[str, ...]
    """The names of the plan's cells."""
    columns: dict[str, Integers]
    """Integers, absent is -1; durations and times in ns. The column `policy` holds indices into `policies`."""
    blocks: list[BlockFacts]
    """By index."""
    histograms: BlockHistograms = dataclasses.field(default_factory=BlockHistograms.empty)
    """Of the blocks of which not all samples may be here: all their complete samples; see `limit`."""
    incomplete: tuple[BlockFacts, ...] = ()
    """Blocks of rounds that were cut short, by index. Their samples are not here, and no figure counts them."""

    def __len__(self) -> int:
        return len(self.columns["scheduled"])

    def of(self, chosen: NDArray[Any]) -> Samples:
        """The samples that `chosen` picks: a mask, or indices."""
        return replace(self, columns={name: column[chosen] for name, column in self.columns.items()})

    def of_blocks(self, indices: Iterable[int]) -> Samples:
        """What these blocks counted, and nothing of the others."""
        indices = frozenset(indices)
        wanted = np.array([block["index"] in indices for block in self.blocks], np.bool_)
        kept = [block for block, stays in zip(self.blocks, wanted, strict=True) if stays]
        return replace(
            self.of(wanted[self.block_of()]),
            blocks=kept,
            histograms=self.histograms.of_blocks(np.array(list(indices), np.int64)),
        )

    def without_rounds(self, rounds: Collection[int]) -> Samples:
        """What the other rounds counted, with the blocks of these as `incomplete`; itself where nothing is left."""
        left_out = tuple(block for block in self.blocks if block["round"] in rounds)
        if not left_out or len(left_out) == len(self.blocks):
            return self
        kept = {block["index"] for block in self.blocks}.difference(block["index"] for block in left_out)
        return replace(self.of_blocks(kept), incomplete=left_out)

    def thinned(self, max_samples: int, seed: int) -> Samples:
        """About `max_samples` of the complete samples, drawn at random; itself where it has no more than that.

        Every block keeps the same share of its own, and all that failed or are unfinished. What it had is noted in its
        `counted`: complete `requests`, how many of them were `reused`, `statuses`, `phases` that happened, and `kept`,
        how many of the requests are still there. A block that was thinned before keeps what it has noted.
        """
        if np.count_nonzero(self.columns["error"] == ABSENT) <= max_samples:
            return self
        kept = self.of(draw(self.columns, self.block_of(), max_samples, seed)).with_counts()
        had = self.with_counts().blocks
        blocks = [
            _with_counted(block, {**before["counted"], "kept": block["counted"]["kept"]})
            for before, block in zip(had, kept.blocks, strict=True)
        ]
        return replace(kept, blocks=blocks)

    def with_counts(self) -> Samples:
        """The same samples, with `counted` in each block and its `kept` up to date."""
        found = counts(self.columns, self.block_of(), self.blocks)
        blocks = [
            _with_counted(block, {**now, **block.get("counted", now), "kept": now["kept"]})
            for now, block in zip(found, self.blocks, strict=True)
        ]
        return replace(self, blocks=blocks)

    def block_of(self) -> NDArray[np.int64]:
        """Each sample's block, by its position in `blocks`. One block of each policy makes a round."""
        policies = {name: number for number, name in enumerate(self.policies)}
        keys = [block["round"] * len(self.policies) + policies[block["policy"]] for block in self.blocks]
        positions = np.zeros(max(keys, default=0) + 1, np.int64)
        positions[keys] = np.arange(len(keys))
        found: NDArray[np.int64] = positions[
            self.columns["round"].astype(np.int64) * len(self.policies) + self.columns["policy"]
        ]
        return found

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


def _with_counted(block: BlockFacts, counted: SampleCounts) -> BlockFacts:
    return {**block, "counted": counted}


def merge(old: Samples, new: Samples) -> Samples:
    """All samples of both; of a block that both hold, those of `new`. Merging twice is the same as once."""
    replaced = {block["index"] for block in new.blocks}
    kept = old.of_blocks({block["index"] for block in old.blocks} - replaced)
    columns = {name: np.concatenate([kept.columns[name], new.columns[name]]) for name in COLUMNS}
    blocks = sorted(kept.blocks + new.blocks, key=lambda block: block["index"])
    return Samples(new.policies, columns, blocks, kept.histograms.add([new.histograms]))


def read_rows(directory: Path, policies: tuple[str, ...]) -> Samples:
    """Read what a worker has written, whether it came to its end or not; see `columns_of`.

    Raises OSError where the files are missing, ValueError where another version wrote them.
    """
    blocks = read_blocks(directory / BLOCKS_FILE)
    parts = [0]
    while part_path(directory, EXCHANGES_FILE, parts[-1] + 1).exists():
        parts.append(parts[-1] + 1)
    return columns_of(blocks, read_exchanges(directory, *parts), read_connections(directory, *parts), policies)


def columns_of(
    recorded: Sequence[BlockRecord],
    rows: NDArray[Any],
    connections: NDArray[Any],
    policies: tuple[str, ...],
    *,
    is_last: bool = True,
    last_ns: int = 0,
    carried: RequestsSoFar | None = None,
) -> Samples:
    """Turn rows (arrays with the fields of EXCHANGE_FIELDS and CONNECTION_FIELDS) of these blocks into samples.

    recorded: the blocks' facts as the recorder was given them, in the order in which they ran. The samples have copies
    that gained what is counted of the rows.

    A block has the connections from its `first_connection` on, with all their exchanges. If blocks are `continuous`,
    connections outlive them: then a block has the exchanges that were due, and the connections that were opened, from
    its `begun_ns` on, and its `slots` are those that no earlier one of these blocks had. What began before the first of
    these blocks belongs to that one, except connections whose first exchange is not among the rows: an earlier reading
    has counted them. So slices of a run, each with the rows written since the last, add up to the whole.

    is_last: no more rows of these blocks will follow. last_ns: when the last request of earlier rows was due.
    carried: what connections had carried before.

    Numbers need not begin at 0. Raises ValueError where rows and blocks do not belong together.
    """
    # What a BlockFacts has beyond a BlockRecord is filled in here, step by step.
    blocks = [cast(BlockFacts, {**block}) for block in recorded]
    if len(rows) and not blocks:
        raise ValueError("there are rows, but no block that they belong to")
    assignment = assign_rows(blocks, rows, connections)
    begun, ended = windows(blocks, int(rows["scheduled"].max(initial=last_ns)) + 1 if is_last else NOT_YET)
    for block, first, last in zip(blocks, begun, ended, strict=True):
        block["window_ns"] = int(max(0, last - first)) if last != NOT_YET else 0
    block_of = assignment.block_of
    requests = requests_of(blocks, rows, block_of)
    count_carried(blocks, rows, block_of, requests)
    counted = (rows["scheduled"] >= begun[block_of]) & (rows["scheduled"] < ended[block_of])
    count_connections(blocks, rows, assignment, counted, connections, is_last=is_last)
    count_ended_after(blocks, rows, assignment, connections, carried or RequestsSoFar.nothing())
    end = request_ends(rows, assignment, connections)
    count_answered(blocks, rows, block_of, end, begun, ended)
    count_warmup(blocks, rows[~counted], block_of[~counted], end[~counted], ended)

    columns = _columns(rows, requests, counted, assignment, blocks, policies, connections)
    return Samples(policies, columns, sorted(blocks, key=lambda block: block["index"]))


def read_exchanges(directory: Path, *parts: int) -> NDArray[Any]:
    """The exchanges in these parts that were written before their worker died."""
    return _read([part_path(directory, EXCHANGES_FILE, part) for part in parts], EXCHANGE_FIELDS, "scheduled")


def read_connections(directory: Path, *parts: int) -> NDArray[Any]:
    """The connections in these parts that were written before their worker died."""
    return _read([part_path(directory, CONNECTIONS_FILE, part) for part in parts], CONNECTION_FIELDS, "opened")


def _read(paths: list[Path], fields: tuple[str, ...], time: str) -> NDArray[Any]:
    """The rows in the files, without space after them that was never written: that is zero, also in `time`."""
    kind = row_kind(fields)
    sizes = [path.stat().st_size // kind.itemsize for path in paths]
    rows, size = np.empty(sum(sizes), kind), 0
    for path, room in zip(paths, sizes, strict=True):
        part = rows[size : size + room]
        with path.open("rb") as file:
            file.readinto(part.view(np.uint8))
        unwritten = np.flatnonzero(part[time] == 0)
        size += int(unwritten[0]) if len(unwritten) else room
    return rows[:size]


def row_kind(fields: tuple[str, ...]) -> np.dtype[Any]:
    """The type of a row with these fields."""
    return np.dtype([(name, "=i8") for name in fields])


def read_blocks(path: Path) -> list[BlockRecord]:
    """In the order in which they ran."""
    blocks: dict[int, BlockRecord] = {}
    read_new_blocks(path, blocks)
    return list(blocks.values())


def read_new_blocks(path: Path, blocks: dict[int, BlockRecord], begin: int = 0) -> int:
    """Add to `blocks`, by index, what the file says from the byte `begin` on; returns where its whole lines end."""
    with path.open("rb") as file:
        file.seek(begin)
        *lines, _of_a_worker_that_died = file.read().split(b"\n")
    for line in lines:
        block: dict[str, Any] = {**json.loads(line)}
        if block.pop("row_bytes", None) != ROW_BYTES:
            raise ValueError("another version of loadgen wrote its rows; run it again")
        blocks[block["index"]] = cast(BlockRecord, block)
    return begin + sum(len(line) + 1 for line in lines)


def windows(blocks: Sequence[BlockRecord], unknown_ns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each block's window began and ended (ns); unknown_ns stands for what its worker has not recorded."""
    begun = np.array([block.get("window_begun_ns", unknown_ns) for block in blocks], np.int64)
    ended = np.array([block.get("window_ended_ns", unknown_ns) for block in blocks], np.int64)
    return begun, ended


def _columns(
    rows: NDArray[Any],
    requests: NDArray[np.int64],
    counted: NDArray[np.bool_],
    assignment: RowAssignment,
    blocks: Sequence[BlockRecord],
    policies: tuple[str, ...],
    connections: NDArray[Any],
) -> dict[str, Integers]:
    positions, block_of = assignment.exchange_positions[counted], assignment.block_of[counted]
    size = len(assignment.numbers)

    def of_connection(field: str) -> Integers:
        """A connection's field, for each sample."""
        by_position = np.full(size, ABSENT, np.int64)
        by_position[assignment.connection_positions] = connections[field]
        chosen: Integers = smallest(by_position)[positions]
        return chosen

    columns: dict[str, Integers] = {field: smallest(rows[field][counted]) for field in _AS_WRITTEN}
    request_index = smallest(rows["request_index"][counted])
    outcome = smallest(rows["outcome"][counted])
    last_request_index = np.zeros(size, np.int64)
    np.maximum.at(last_request_index, assignment.exchange_positions, rows["request_index"])
    flags = of_connection("flags")
    marks = flags.astype(np.int64) >> ADDRESS_SHIFT  # -1 where the connection has no row
    # One more entry: an ending that is absent (-1) picks the last.
    closed_by = np.array([*(ending.closed_by for ending in Ending), ABSENT], np.int8)[of_connection("ending")]
    columns |= {
        "policy": np.array([policies.index(block["policy"]) for block in blocks], np.int16)[block_of],
        "round": np.array([block["round"] for block in blocks], np.int32)[block_of],
        "worker": np.zeros(len(positions), np.int8),
        "nth_on_connection": request_index,
        "status": np.where(outcome > 0, outcome, ABSENT),
        "error": np.where(outcome < 0, -outcome, ABSENT),
        "request": requests[counted],
        "address": np.where(marks > 0, marks, ABSENT),
        "tls_resumed": np.where(
            (flags >= 0) & (flags & ConnectionFlag.TLS != 0), (flags & ConnectionFlag.TLS_RESUMED) != 0, ABSENT
        ),
        "closed_by": np.where(request_index == last_request_index[positions], closed_by, ABSENT),
    }
    for field in (*(phase.value for phase in HANDSHAKE), "connect_delay"):
        columns[field] = np.where(request_index == 0, of_connection(field), ABSENT)
    return {name: smallest(columns[name]) for name in COLUMNS}
