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
    exchange_positions: Integers
    """For each exchange, the position of its connection in `numbers`."""
    connection_positions: Integers
    """For each connection row, the position of that connection in `numbers`."""
    block_of: Integers
    """For each exchange, its block, by position in the list of blocks."""
    opened_in: Integers
    """For each connection in `numbers`, the block that opened it; -1 for an earlier block, which has counted it."""


def assign_rows(blocks: Sequence[BlockRecord], rows: NDArray[Any], connections: NDArray[Any]) -> RowAssignment:
    """Find each row's block and connection. blocks: in the order in which they ran; see `columns_of`.

    Raises ValueError where a row belongs to none of them.
    """
    numbers, exchange_positions, connection_positions = _positions(rows["connection"], connections["connection"])
    if any(block.get("continuous") for block in blocks):
        return _by_time(blocks, rows, connections, numbers, exchange_positions, connection_positions)
    firsts = np.array([block["first_connection"] for block in blocks], np.int64)
    opened_in = np.searchsorted(firsts, numbers, side="right") - 1
    if len(opened_in) and opened_in[0] < 0:
        raise ValueError("there are rows of connections that no block began")
    return RowAssignment(
        numbers, exchange_positions, connection_positions, smallest(opened_in)[exchange_positions], opened_in
    )


def _positions(exchanges: Integers, connections: Integers) -> tuple[Integers, Integers, Integers]:
    """All numbers in two columns of connections, and both columns as positions among them.

    Memory goes by the rows, not by the highest number.
    """
    if not len(exchanges) and not len(connections):
        return np.empty(0, np.int64), exchanges, connections
    low = int(min(column.min() for column in (exchanges, connections) if len(column)))
    high = int(max(column.max() for column in (exchanges, connections) if len(column)))
    if high - low < 4 * (len(exchanges) + len(connections)):
        return np.arange(low, high + 1), exchanges - low, connections - low
    numbers, found = np.unique(np.concatenate([exchanges, connections]), return_inverse=True)
    return numbers, found[: len(exchanges)], found[len(exchanges) :]


def _by_time(
    blocks: Sequence[BlockRecord],
    rows: NDArray[Any],
    connections: NDArray[Any],
    numbers: Integers,
    exchange_positions: Integers,
    connection_positions: Integers,
) -> RowAssignment:
    """Assign rows of connections that outlive a block. What began before the first block belongs to that.

    A connection belongs to the block in which it was opened. If that was before the first block, or the connection's
    row is not written yet, it belongs to the block of its first request; if that is not among the rows either, an
    earlier reading has counted the connection.
    """
    begun = np.array([block["begun_ns"] for block in blocks], np.int64)
    block_of = smallest(np.maximum(np.searchsorted(begun, rows["scheduled"], side="right") - 1, 0))
    opened_in = np.full(len(numbers), -1, np.int64)
    first = rows["request_index"] == 0
    opened_in[exchange_positions[first]] = block_of[first]
    opened = np.searchsorted(begun, connections["opened"], side="right") - 1
    opened_in[connection_positions[opened >= 0]] = opened[opened >= 0]
    return RowAssignment(numbers, exchange_positions, connection_positions, block_of, opened_in)
