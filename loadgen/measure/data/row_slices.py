"""Takes in a worker's rows slice by slice, so that the samples of all slices are those of all rows. Reads no file.

A slice may end in the middle of a block. Then some exchanges wait for the next one: those whose connection has no row
yet and which can't be understood without, as the first on each connection, which paid its handshake. They are as few
as connections are open at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.downsampling import add_each, add_up
from loadgen.measure.data.ended_after import RequestsSoFar, widest
from loadgen.measure.data.origin_counts import ORIGIN_COUNTS, origins_in
from loadgen.measure.data.row_assignment import smallest
from loadgen.measure.data.rows import Samples, columns_of
from loadgen.model.block_facts import BlockFacts, BlockRecord
from loadgen.model.records import COLUMNS, EXCHANGE_FIELDS, ConnectionFlag, Ending
from loadgen.model.request_choice import origin_of

_SUMS = ("started", "exchanges", "carried", "answered", "warmup_outlasted", "unserved", "warmup_errors")
_SUMS_OF_EACH = ("connections", "endings", "upgrades")
_SUMS_WHERE_KNOWN = ("carried_by_request", *ORIGIN_COUNTS)


@dataclass(frozen=True, slots=True)
class Carry:
    """What one slice leaves to the next."""

    rows: NDArray[Any]
    """Exchanges that wait for their connection's row."""
    open: RequestsSoFar
    """Of connections that had exchanges and have no row yet."""
    slots: NDArray[np.int64]
    """Slots that connections of the last block took."""
    last_ns: int = 0
    """When the last request was due."""
    block: int | None = None
    """Index of the block in which the slice ended."""

    @classmethod
    def nothing(cls) -> Carry:
        """Before the first slice."""
        none = np.empty(0, np.int64)
        return cls(np.empty(0, [(name, np.int64) for name in EXCHANGE_FIELDS]), RequestsSoFar.nothing(), none)


def next_slice(
    recorded: Sequence[BlockRecord],
    rows: NDArray[Any],
    connections: NDArray[Any],
    policies: tuple[str, ...],
    carry: Carry,
    *,
    is_last: bool,
) -> tuple[Samples, Carry]:
    """The samples of the rows that were written since the last slice, and what they leave to the next.

    recorded: all blocks so far, in the order in which they ran; what is known of them was read after the rows, so there
    may be later ones too. The first block of the slice is the last of the one before; see `join`.

    Raises ValueError as `columns_of` does.
    """
    recorded = _blocks_of(recorded, rows, connections, carry, is_last=is_last)
    rows = np.concatenate([carry.rows, rows])
    waiting = np.zeros(len(rows), np.bool_) if is_last else _waiting(rows, connections, carry)
    samples = columns_of(
        recorded, rows[~waiting], connections, policies, is_last=is_last, last_ns=carry.last_ns, carried=carry.open
    )  # fmt: skip
    blocks = {block["index"]: block for block in samples.blocks}
    opened = (connections["flags"] & ConnectionFlag.ESTABLISHED != 0) & (connections["ending"] != Ending.NOT_OPENED)
    if carry.block is not None:
        _count_each_slot_once(blocks, recorded, connections[opened], carry)
    seen = _distinct(carry.open.numbers, rows["connection"])
    still_open = seen[~np.isin(seen, connections["connection"])]
    if is_last:
        # Those of the slice's own exchanges are counted there.
        _count_lost(blocks, recorded, still_open[~np.isin(still_open, rows["connection"])])
    carried = carry.open.after(rows, still_open)
    last_ns = int(rows["scheduled"].max(initial=carry.last_ns))
    if not recorded:
        return samples, replace(carry, rows=rows[waiting], open=carried, last_ns=last_ns)
    last = recorded[-1]
    of_last = connections[opened & (connections["connection"] >= last.get("first_connection", 0))]["slot"]
    slots = _distinct(of_last, carry.slots) if carry.block == last["index"] else _distinct(of_last)
    return samples, Carry(rows[waiting], carried, slots, last_ns, last["index"])


def join(samples: Samples, others: Sequence[Samples]) -> Samples:
    """The samples of several slices, in the order in which they were taken in."""
    every = [samples, *others]
    columns = {name: smallest(np.concatenate([one.columns[name] for one in every])) for name in COLUMNS}
    blocks: dict[int, BlockFacts] = {}
    for one in every:
        for block in one.blocks:
            earlier = blocks.get(block["index"])
            blocks[block["index"]] = block if earlier is None else _joined(earlier, block)
    histograms = samples.histograms.add([one.histograms for one in others])
    return Samples(samples.policies, columns, [blocks[index] for index in sorted(blocks)], histograms)


def _joined(earlier: BlockFacts, later: BlockFacts) -> BlockFacts:
    """One block's facts from two slices: of what was recorded the later one knows most, what was counted is added."""
    one, other = cast(dict[str, Any], earlier), cast(dict[str, Any], later)
    joined = {**one, **other}
    joined |= {key: one[key] + other[key] for key in _SUMS}
    joined |= {key: add_each([one[key], other[key]]) for key in _SUMS_OF_EACH}
    joined |= {key: add_each([one.get(key, {}), other.get(key, {})]) for key in _SUMS_WHERE_KNOWN if key in joined}
    joined["ended_after"] = widest([one["ended_after"], other["ended_after"]])
    joined["next_connection"] = max(one["next_connection"], other["next_connection"])
    if "counted" in joined:
        joined["counted"] = add_up([one["counted"], other["counted"]])
    return cast(BlockFacts, joined)


def _blocks_of(
    recorded: Sequence[BlockRecord], rows: NDArray[Any], connections: NDArray[Any], carry: Carry, *, is_last: bool
) -> Sequence[BlockRecord]:
    """The blocks of a slice: from the last one of the slice before on, to that of its last connection."""
    positions = {block["index"]: position for position, block in enumerate(recorded)}
    first = 0 if carry.block is None else positions[carry.block]
    if is_last:
        return recorded[first:]
    firsts = np.array([block.get("first_connection", 0) for block in recorded], np.int64)
    highest = max(int(column["connection"].max(initial=-1)) for column in (rows, connections))
    return recorded[first : max(first, int(np.searchsorted(firsts, highest, side="right")) - 1) + 1]


def _distinct(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers in the columns, each once, in order."""
    numbers = np.concatenate(columns)
    if not len(numbers):
        return numbers
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > 8 * len(numbers):
        return np.unique(numbers)
    found = np.zeros(high - low + 1, np.bool_)  # a tenth of the time where they are close to each other
    found[numbers - low] = True
    return np.flatnonzero(found) + low


def _waiting(rows: NDArray[Any], connections: NDArray[Any], carry: Carry) -> NDArray[np.bool_]:
    """Which exchanges have to wait for their connection's row.

    Besides the first on a connection these are all of one of which it is not known yet whether it was opened.
    """
    numbers = rows["connection"]
    unknown = ~np.isin(numbers, connections["connection"])
    sent = (rows["send"] >= 0) | (rows["outcome"] > 0) | (rows["bytes_received"] > 0)
    was_opened = np.isin(numbers, _distinct(carry.open.numbers, numbers[sent]))
    found: NDArray[np.bool_] = unknown & ((rows["request_index"] == 0) | ~was_opened)
    return found


def _count_each_slot_once(
    blocks: dict[int, BlockFacts], recorded: Sequence[BlockRecord], opened: NDArray[Any], carry: Carry
) -> None:
    """Leave out slots that were counted in an earlier slice of the first block."""
    first = recorded[0]
    end = recorded[1].get("first_connection", 0) if len(recorded) > 1 else np.iinfo(np.int64).max
    again = np.intersect1d(opened["slot"][opened["connection"] < end], carry.slots)
    blocks[first["index"]]["connections"]["slots"] -= len(again)


def _count_lost(blocks: dict[int, BlockFacts], recorded: Sequence[BlockRecord], lost: NDArray[np.int64]) -> None:
    """Connections of a worker that died, whose exchanges were all in earlier slices."""
    firsts = np.array([block.get("first_connection", 0) for block in recorded], np.int64)
    positions = (np.searchsorted(firsts, lost, side="right") - 1).tolist()
    for number, position in zip(lost.tolist(), positions, strict=True):
        block = blocks[recorded[position]["index"]]
        block["connections"]["opened"] += 1
        block["connections"]["slots"] += 1
        if "opened_by_origin" in block:
            block["opened_by_origin"][str(origin_of(number, origins_in(block)))] += 1
