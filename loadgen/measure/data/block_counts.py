"""What is counted of a block beside its samples: connections, how they ended, the warm-up. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.origin_counts import count_by_origin
from loadgen.measure.data.row_assignment import Integers, RowAssignment
from loadgen.model.block_facts import BlockFacts
from loadgen.model.errors import ErrorKind
from loadgen.model.records import HANDSHAKE, ConnectionFlag, Ending
from loadgen.model.summary import BlockConnections

_HANDSHAKE_FIELDS = tuple(phase.value for phase in HANDSHAKE)


def present(column: Integers) -> Integers:
    """A column of durations with absent counted as 0."""
    return np.maximum(column, 0)


def carried_by(blocks: Iterable[BlockFacts]) -> int:
    """Exchanges that were answered at least in part, warm-up included: what a server's own log has of these blocks."""
    return sum(block.get("carried", block["exchanges"]) for block in blocks)


def count_connections(
    blocks: list[BlockFacts],
    rows: NDArray[Any],
    assignment: RowAssignment,
    counted: Any,
    connections: NDArray[Any],
    *,
    is_last: bool,
) -> None:
    """Add to each block its exchanges, how many of them a server answered, and what became of its connections.

    is_last: no more rows will follow, so a connection without one is lost; otherwise it is still open.
    """
    size, block_of = len(blocks), assignment.block_of
    # Connections of a worker that died have no row; their exchanges show that they were open.
    unknown = np.zeros(len(assignment.numbers), np.bool_)
    unknown[assignment.exchange_positions] = True
    unknown[assignment.connection_positions] = False
    were_lost = unknown & (assignment.opened_in >= 0) & is_last
    lost = _count(assignment.opened_in[were_lost], size)
    opened = ((connections["flags"] & ConnectionFlag.ESTABLISHED) != 0) & (connections["ending"] != Ending.NOT_OPENED)
    # An attempt that was refused carried no request.
    reached = unknown.copy()
    reached[assignment.connection_positions[opened]] = True
    exchanges = _count(block_of[reached[assignment.exchange_positions]], size)
    # A request without any byte of a response may have been lost on its way, so no server counts it.
    carried = _count(block_of[(rows["outcome"] > 0) | (rows["bytes_received"] > 0)], size)
    here = assignment.opened_in[assignment.connection_positions] >= 0
    opened_in = assignment.opened_in[assignment.connection_positions][here]
    opened, known = opened[here], connections[here]
    masks = _traits(known["flags"], known["ending"], opened)
    counts = {name: _count(opened_in[chosen], size) for name, chosen in masks.items()}
    count_by_origin(
        blocks, opened_in, known["connection"], masks, assignment.numbers[were_lost], assignment.opened_in[were_lost]
    )
    counts["opened"] = counts["opened"] + lost
    once = any(block.get("continuous") for block in blocks)
    counts["slots"] = _distinct(opened_in[opened], known["slot"][opened], size, once) + lost
    how = _count(opened_in * len(Ending) + known["ending"], size * len(Ending)).reshape(size, len(Ending))
    upgraded = (known["flags"] & ConnectionFlag.UPGRADED != 0) & (known["upgrade"] >= 0)
    upgrades = _count(opened_in[upgraded], size)
    upgrade_ns = np.bincount(opened_in[upgraded], weights=known["upgrade"][upgraded], minlength=size)
    started = _count(block_of[counted], size)
    next_connections = _next_connections(blocks, assignment)
    for index, block in enumerate(blocks):
        block["exchanges"] = int(exchanges[index])
        block["carried"] = int(carried[index])
        block["started"] = int(started[index])
        block["connections"] = cast(BlockConnections, {name: int(count[index]) for name, count in counts.items()})
        block["upgrades"] = {"count": int(upgrades[index]), "ns": round(float(upgrade_ns[index]))}
        block["endings"] = {ending.label: int(how[index, ending]) for ending in Ending if how[index, ending]}
        block["next_connection"] = int(next_connections[index])


def _count(numbers: Integers, size: int) -> NDArray[np.int64]:
    """How often each number from 0 to size occurs."""
    return np.bincount(numbers, minlength=size)


def _traits(flags: Integers, endings: Integers, opened: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Which connections have each trait."""
    by_server = np.array([ending.closed_by for ending in Ending], np.bool_)[endings]
    tls = (flags & ConnectionFlag.TLS) != 0
    resumed = (flags & ConnectionFlag.TLS_RESUMED) != 0
    return {
        "opened": opened,
        "closed_by_client": opened & ~by_server,
        "closed_by_server": opened & by_server,
        "tls_full": tls & ~resumed,
        "tls_resumed": resumed,
        "proxy_full_handshakes": ((flags & ConnectionFlag.PROXY_TLS) != 0)
        & ((flags & ConnectionFlag.PROXY_TLS_RESUMED) == 0),
        "proxy_resumed_handshakes": (flags & ConnectionFlag.PROXY_TLS_RESUMED) != 0,
        "server_ignored_close": (flags & ConnectionFlag.IGNORED_CLOSE) != 0,
        "early_accepted": (flags & ConnectionFlag.EARLY_ACCEPTED) != 0,
        "early_rejected": (flags & ConnectionFlag.EARLY_REJECTED) != 0,
        "early_replayed": (flags & ConnectionFlag.EARLY_REPLAYED) != 0,
        "upgraded": (flags & ConnectionFlag.UPGRADED) != 0,
        "upgrade_declined": (flags & ConnectionFlag.DECLINED) != 0,
    }


def _distinct(opened_in: Integers, slots: Integers, size: int, once: bool) -> Integers:
    """How many different slots occur in each block; with `once`, only those that no earlier block had."""
    if once:
        order = np.argsort(opened_in, kind="stable")
        _, first = np.unique(slots[order], return_index=True)
        return _count(opened_in[order][first], size)
    width = int(slots.max(initial=0)) + 1
    return _count(np.unique(opened_in * width + slots) // width, size)


def _next_connections(blocks: list[BlockFacts], assignment: RowAssignment) -> NDArray[np.int64]:
    """One above the highest number of each block's connections."""
    next_connections = np.array([block.get("first_connection", 0) for block in blocks], np.int64)
    np.maximum.at(next_connections, assignment.block_of, assignment.numbers[assignment.exchange_positions] + 1)
    positions = assignment.connection_positions
    counted = positions[assignment.opened_in[positions] >= 0]
    np.maximum.at(next_connections, assignment.opened_in[counted], assignment.numbers[counted] + 1)
    return next_connections


def request_ends(rows: NDArray[Any], assignment: RowAssignment, connections: NDArray[Any]) -> NDArray[np.int64]:
    """When each request ended (ns)."""
    handshakes = np.zeros(len(assignment.numbers), np.int64)
    handshakes[assignment.connection_positions] = sum(present(connections[field]) for field in _HANDSHAKE_FIELDS)
    paid = np.where(rows["request_index"] == 0, handshakes[assignment.exchange_positions], 0)
    end: NDArray[np.int64] = rows["scheduled"] + paid
    for field in ("queue", "send", "wait", "receive", "own"):
        end += present(rows[field])
    return end


def count_answered(
    blocks: list[BlockFacts],
    rows: NDArray[Any],
    block_of: Integers,
    end: Integers,
    begun: Integers,
    ended: Integers,
) -> None:
    """Add to each block the responses that came within its window, whenever their requests began.

    If the rate is too high, the requests that have waited longest are served first, so all responses in a window may
    belong to requests that were due before it.
    """
    within = (rows["outcome"] > 0) & (end >= begun[block_of]) & (end < ended[block_of])
    for block, count in zip(blocks, _count(block_of[within], len(blocks)), strict=True):
        block["answered"] = int(count)


def count_warmup(
    blocks: list[BlockFacts], rows: NDArray[Any], block_of: Integers, end: Integers, ended: Integers
) -> None:
    """Add to each block how many of the requests outside its window (`rows`) failed or lasted beyond its end.

    Of these, it also counts those that were the first on their connection, which carried nothing all the while.
    """
    size = len(blocks)
    finished = rows["outcome"] != -ErrorKind.UNFINISHED
    late_end = finished & (rows["scheduled"] < ended[block_of]) & (end >= ended[block_of])
    failed = finished & (rows["outcome"] < 0)
    is_first = late_end & (rows["request_index"] == 0)
    outlasted, unserved, errors = (_count(block_of[chosen], size) for chosen in (late_end, is_first, failed))
    for index, block in enumerate(blocks):
        block["warmup_outlasted"] = int(outlasted[index])
        block["unserved"] = int(unserved[index])
        block["warmup_errors"] = int(errors[index])
