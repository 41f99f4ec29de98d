"""What is counted of a block beside its samples: connections, how they ended, what the warm-up hid. Reads no file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.model.sample import ConnectionFlag, Ending, ErrorKind

Integers = NDArray[Any]
"""A column: signed integers of any width."""

_HANDSHAKE_FIELDS = ("dns", "connect", "tls", "upgrade")


def present(column: Integers) -> Integers:
    """A column of durations with absent counted as 0."""
    return np.maximum(column, 0)


def connection_count(numbers: Integers, connections: NDArray[Any]) -> int:
    """One more than the highest connection number."""
    return int(max(numbers.max(initial=-1), connections["connection"].max(initial=-1))) + 1


def count_connections(
    blocks: list[dict[str, Any]], rows: NDArray[Any], block_of: Integers, counted: Any, connections: NDArray[Any]
) -> None:
    """Note in each block its exchanges, how many of them a server answered, and what became of its connections."""
    size = len(blocks)
    numbers = rows["connection"]
    firsts = [block["first_connection"] for block in blocks]
    home = np.searchsorted(firsts, connections["connection"], side="right") - 1
    # A worker that died left connections without a row; that they were open is known from their exchanges.
    unknown = np.zeros(connection_count(numbers, connections), np.bool_)
    unknown[numbers] = True
    unknown[connections["connection"]] = False
    lost = np.bincount(np.searchsorted(firsts, np.flatnonzero(unknown), side="right") - 1, minlength=size)
    flags, endings = connections["flags"], connections["ending"]
    opened = ((flags & ConnectionFlag.ESTABLISHED) != 0) & (endings != Ending.NOT_OPENED)
    # An attempt that was refused carried no request.
    reached = unknown
    reached[connections["connection"][opened]] = True
    exchanges = np.bincount(block_of[reached[numbers]], minlength=size)
    # What no byte of a response came to was lost on its way, and no server counts it.
    carried = np.bincount(block_of[(rows["outcome"] > 0) | (rows["bytes_received"] > 0)], minlength=size)
    counts = _tallies(flags, endings, opened, home, size)
    counts["opened"] = counts["opened"] + lost
    counts["slots"] = _distinct(home[opened], connections["slot"][opened], size) + lost
    how = np.bincount(home * len(Ending) + endings, minlength=size * len(Ending)).reshape(size, len(Ending))
    started = np.bincount(block_of[counted], minlength=size)
    following = _following(blocks, numbers, block_of, connections["connection"], home)
    for index, block in enumerate(blocks):
        block["exchanges"] = int(exchanges[index])
        block["carried"] = int(carried[index])
        block["started"] = int(started[index])
        block["connections"] = {name: int(count[index]) for name, count in counts.items()}
        block["endings"] = {ending.label: int(how[index, ending]) for ending in Ending if how[index, ending]}
        block["next_connection"] = int(following[index])


def _tallies(flags: Integers, endings: Integers, opened: Any, home: Integers, size: int) -> dict[str, Integers]:
    """How many connections of each block have a trait."""
    by_server = np.array([ending.closed_by for ending in Ending], np.bool_)[endings]
    tls = (flags & ConnectionFlag.TLS) != 0
    resumed = (flags & ConnectionFlag.TLS_RESUMED) != 0
    traits = {
        "opened": opened,
        "closed_by_client": opened & ~by_server,
        "closed_by_server": opened & by_server,
        "tls_full": tls & ~resumed,
        "tls_resumed": resumed,
        "server_ignored_close": (flags & ConnectionFlag.IGNORED_CLOSE) != 0,
    }
    return {name: np.bincount(home[chosen], minlength=size) for name, chosen in traits.items()}


def _distinct(home: Integers, slots: Integers, size: int) -> Integers:
    """How many different slots occur in each block."""
    width = int(slots.max(initial=0)) + 1
    return np.bincount(np.unique(home * width + slots) // width, minlength=size)


def _following(
    blocks: list[dict[str, Any]], numbers: Integers, block_of: Integers, own: Integers, home: Integers
) -> NDArray[np.int64]:
    """The first number beyond each block's connections."""
    following = np.array([block["first_connection"] for block in blocks], np.int64)
    np.maximum.at(following, block_of, numbers + 1)
    np.maximum.at(following, home, own + 1)
    return following


def request_ends(rows: NDArray[Any], connections: NDArray[Any]) -> NDArray[np.int64]:
    """When each request came to its end (ns)."""
    handshakes = np.zeros(connection_count(rows["connection"], connections), np.int64)
    handshakes[connections["connection"]] = sum(present(connections[field]) for field in _HANDSHAKE_FIELDS)
    end: NDArray[np.int64] = rows["scheduled"] + np.where(rows["nth"] == 0, handshakes[rows["connection"]], 0)
    for phase in ("queue", "send", "wait", "receive"):
        end += present(rows[phase])
    return end


def count_answered(
    blocks: list[dict[str, Any]],
    rows: NDArray[Any],
    block_of: Integers,
    end: Integers,
    begun: Integers,
    ended: Integers,
) -> None:
    """Note the answers that came within each window, whenever their requests began.

    Under too high a rate those that have waited longest are served first: all that a window answers may have been due
    before it.
    """
    within = (rows["outcome"] > 0) & (end >= begun[block_of]) & (end < ended[block_of])
    for block, count in zip(blocks, np.bincount(block_of[within], minlength=len(blocks)), strict=True):
        block["answered"] = int(count)


def count_warmup(
    blocks: list[dict[str, Any]], rows: NDArray[Any], block_of: Integers, end: Integers, ended: Integers
) -> None:
    """Count what the window does not show (`rows`): requests that failed, or lasted beyond the window's end."""
    size = len(blocks)
    finished = rows["outcome"] != -ErrorKind.UNFINISHED
    late_end = finished & (rows["scheduled"] < ended[block_of]) & (end >= ended[block_of])
    failed = finished & (rows["outcome"] < 0)
    outlasted, errors = (np.bincount(block_of[chosen], minlength=size) for chosen in (late_end, failed))
    for index, block in enumerate(blocks):
        block["warmup_outlasted"] = int(outlasted[index])
        block["warmup_errors"] = int(errors[index])
