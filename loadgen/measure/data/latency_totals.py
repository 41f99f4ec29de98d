"""Requests and latency of each block, read from a worker's rows while its run goes on. Keeps no sample.

What is counted here is what the summary counts in the end: the complete requests of a block's window. Only rows that
are new since the last reading are read, and only the columns that a latency needs, so that a pause between two rounds
is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, part_path
from loadgen.measure.data.rows import NOT_YET, read_new_blocks, row_kind, windows
from loadgen.model.block_facts import BlockRecord
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS, HANDSHAKE, Phase

_OF_EXCHANGE = [phase.value for phase in Phase if phase.value in EXCHANGE_FIELDS]
_OF_HANDSHAKE = [phase.value for phase in HANDSHAKE]


@dataclass(slots=True)
class BlockLatency:
    """The complete requests of one block."""

    round: int
    policy: str
    is_whole: bool = False
    """The block had its full time, as far as is known."""
    requests: int = 0
    latency_ns: int = 0
    """The sum of their latencies."""

    @property
    def mean_ns(self) -> int | None:
        """Their mean latency; None where there are none."""
        return round(self.latency_ns / self.requests) if self.requests else None


class LatencyTotals:
    """The blocks of one worker. directory: where it writes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._part = self._exchanges = self._connections = 0
        """The part that is read next, and how many of its rows have been read."""
        self._facts: dict[int, BlockRecord] = {}
        self._facts_end = 0
        """Up to this byte the blocks' file was read."""
        self._waiting = np.empty(0, row_kind(EXCHANGE_FIELDS))
        """First exchanges on connections that have no row yet, so that their handshake is not known."""
        self.blocks: dict[int, BlockLatency] = {}
        """By index."""

    def read(self, *, only_whole_parts: bool = False) -> None:
        """Read what is new. only_whole_parts: the worker is making load, so its last part is left alone.

        Raises OSError where a file can't be read, ValueError where another version wrote it.
        """
        while self._has_next_part():
            self._take_in()
            self._part, self._exchanges, self._connections = self._part + 1, 0, 0
        if not only_whole_parts:
            self._take_in()

    def _has_next_part(self) -> bool:
        return part_path(self._directory, EXCHANGES_FILE, self._part + 1).exists()

    def _take_in(self) -> None:
        rows = self._rows(EXCHANGES_FILE, EXCHANGE_FIELDS, "scheduled", self._exchanges)
        connections = self._rows(CONNECTIONS_FILE, CONNECTION_FIELDS, "opened", self._connections)
        # After the rows: what is known of their blocks is not older.
        self._facts_end = read_new_blocks(self._directory / BLOCKS_FILE, self._facts, self._facts_end)
        self._exchanges += len(rows)
        self._connections += len(connections)
        self._count(np.concatenate([self._waiting, rows]), connections)

    def _rows(self, name: str, fields: tuple[str, ...], time: str, begin: int) -> NDArray[Any]:
        return _rows_from(part_path(self._directory, name, self._part), fields, time, begin)

    def _count(self, rows: NDArray[Any], connections: NDArray[Any]) -> None:
        facts = list(self._facts.values())
        for one in facts:
            block = self.blocks.setdefault(one["index"], BlockLatency(one["round"], one["policy"]))
            block.is_whole = one.get("whole", False)
        rows, block_of = _counted(rows, facts)
        latency = np.zeros(len(rows), np.int64)
        for phase in _OF_EXCHANGE:
            latency += present(rows[phase])
        first = np.flatnonzero(rows["request_index"] == 0)
        handshake, is_known = _handshakes(rows["connection"][first], connections)
        latency[first] += handshake
        self._waiting = rows[first[~is_known]]
        stays = np.ones(len(rows), np.bool_)
        stays[first[~is_known]] = False
        requests = np.bincount(block_of[stays], minlength=len(facts))
        sums = np.bincount(block_of[stays], latency[stays], minlength=len(facts))
        for one, number, total in zip(facts, requests.tolist(), sums.tolist(), strict=True):
            self.blocks[one["index"]].requests += number
            self.blocks[one["index"]].latency_ns += round(total)


def merged_blocks(workers: Sequence[Mapping[int, BlockLatency]]) -> dict[int, BlockLatency]:
    """The sums of all workers; one that died in a block is left out of it if another one completed it."""
    merged: dict[int, BlockLatency] = {}
    for index in sorted(set().union(*workers)):
        found = [blocks[index] for blocks in workers if index in blocks]
        found = [one for one in found if one.is_whole] or found
        merged[index] = BlockLatency(
            found[0].round,
            found[0].policy,
            all(one.is_whole for one in found),
            sum(one.requests for one in found),
            sum(one.latency_ns for one in found),
        )
    return merged


def _counted(rows: NDArray[Any], blocks: Sequence[BlockRecord]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The complete requests of the blocks' windows, and the position of each one's block."""
    if not len(rows):
        return rows, np.empty(0, np.int64)
    firsts = np.array([block["first_connection"] for block in blocks], np.int64)
    block_of = np.searchsorted(firsts, rows["connection"], side="right") - 1
    begun, ended = windows(blocks, NOT_YET)
    scheduled = rows["scheduled"]
    counted = (rows["outcome"] >= 0) & (scheduled >= begun[block_of]) & (scheduled < ended[block_of])
    return rows[counted], block_of[counted]


def _handshakes(wanted: NDArray[Any], connections: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The handshake of each connection with a wanted number (ns), and which of them have a row."""
    order = np.argsort(connections["connection"], kind="stable")
    numbers = connections["connection"][order]
    places = np.minimum(np.searchsorted(numbers, wanted), max(0, len(numbers) - 1))
    handshake = np.zeros(len(wanted), np.int64)
    if not len(numbers):
        return handshake, np.zeros(len(wanted), np.bool_)
    is_known: NDArray[np.bool_] = numbers[places] == wanted
    for phase in _OF_HANDSHAKE:
        handshake += present(connections[phase])[order][places]
    return handshake * is_known, is_known


def _rows_from(path: Path, fields: tuple[str, ...], time: str, begin: int) -> NDArray[Any]:
    """The rows in one file from the row `begin` on."""
    kind = row_kind(fields)
    with path.open("rb") as file:
        file.seek(begin * kind.itemsize)
        data = file.read()
    rows = np.frombuffer(data, kind, len(data) // kind.itemsize)
    unwritten = np.flatnonzero(rows[time] == 0)
    return rows[: int(unwritten[0])] if len(unwritten) else rows
