"""Which block and which connection each row belongs to. Counts nothing and reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.model.block_facts import BlockRecord

Integers = NDArray[Any]
"""A column: signed integers of any width."""


def smallest(column: Integers) -> Integers:
    """The same integers in the smallest signed type that holds them."""
    if not len(column):
        return column.astype(np.int8)
    low, high = int(column.min()), int(column.max())
    kinds = (np.int8, np.int16, np.int32, np.int64)
    kind = next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return column.astype(kind, copy=False)


@dataclass(frozen=True, slots=True)
class RowAssignment:
    """Where each row belongs, as positions: connection numbers may begin anywhere and have gaps."""

    numbers: Integers
    """The number of each connection that occurs in the rows."""
    of_rows: Integers
    """For each exchange, the position of its connection in `numbers`."""
    own: Integers
    """For each connection row, the position of that connection in `numbers`."""
    block_of: Integers
    """For each exchange, its block, by position in the list of blocks."""
    home: Integers
    """For each connection in `numbers`, the block that opened it; -1 for an earlier block, which has counted it."""


def assign_rows(blocks: Sequence[BlockRecord], rows: NDArray[Any], connections: NDArray[Any]) -> RowAssignment:
    """Find each row's block and connection. blocks: in the order in which they ran; see `columns_of`.

    Raises ValueError where a row belongs to none of them.
    """
    numbers, of_rows, own = _positions(rows["connection"], connections["connection"])
    if any(block.get("continuous") for block in blocks):
        return _by_time(blocks, rows, connections, numbers, of_rows, own)
    firsts = np.array([block["first_connection"] for block in blocks], np.int64)
    home = np.searchsorted(firsts, numbers, side="right") - 1
    if len(home) and home[0] < 0:
        raise ValueError("there are rows of connections that no block began")
    return RowAssignment(numbers, of_rows, own, smallest(home)[of_rows], home)


def _positions(of_rows: Integers, own: Integers) -> tuple[Integers, Integers, Integers]:
    """Numbers, and both columns as positions among them. Memory goes by the rows, not by the highest number."""
    if not len(of_rows) and not len(own):
        return np.empty(0, np.int64), of_rows, own
    low = int(min(column.min() for column in (of_rows, own) if len(column)))
    high = int(max(column.max() for column in (of_rows, own) if len(column)))
    if high - low < 4 * (len(of_rows) + len(own)):
        return np.arange(low, high + 1), of_rows - low, own - low
    numbers, found = np.unique(np.concatenate([of_rows, own]), return_inverse=True)
    return numbers, found[: len(of_rows)], found[len(of_rows) :]


def _by_time(
    blocks: Sequence[BlockRecord],
    rows: NDArray[Any],
    connections: NDArray[Any],
    numbers: Integers,
    of_rows: Integers,
    own: Integers,
) -> RowAssignment:
    """Assign rows of connections that outlive a block. What began before the first block belongs to that.

    A connection's home is the block in which it was opened. If that was before the first block, or the connection's row
    is not written yet, it is the block of its first request; if that is not among the rows either, an earlier reading
    has counted the connection.
    """
    begun = np.array([block["begun_ns"] for block in blocks], np.int64)
    block_of = smallest(np.maximum(np.searchsorted(begun, rows["scheduled"], side="right") - 1, 0))
    home = np.full(len(numbers), -1, np.int64)
    first = rows["request_index"] == 0
    home[of_rows[first]] = block_of[first]
    opened = np.searchsorted(begun, connections["opened"], side="right") - 1
    home[own[opened >= 0]] = opened[opened >= 0]
    return RowAssignment(numbers, of_rows, own, block_of, home)
