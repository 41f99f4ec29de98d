"""Requests and latency of each block, read from a worker's rows while its run goes on. Keeps no sample.

What is counted here is what the summary counts in the end: the complete requests of a block's window, and of arrivals
the responses that came within it. Only rows that are new since the last reading are read, and only the columns that a
latency needs, so that a pause between two rounds is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.data.histogram import Histogram
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, part_path
from loadgen.measure.data.rows import NOT_YET, read_new_blocks, row_kind, windows
from loadgen.model.block_facts import BlockRecord
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS, HANDSHAKE, Phase
from loadgen.model.units import NS_PER_S

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
    window_ns: int = 0
    """How long the window was; 0 where that is not known yet."""
    answered: int = 0
    """Responses that came within the window, whenever their requests were due."""
    has_arrivals: bool = False
    """Its requests were due at times fixed beforehand: its throughput counts what was answered."""
    latencies: Histogram = field(default_factory=Histogram, compare=False)
    """The latencies of the complete requests (ns); empty where `has_histograms` is not set."""

    @property
    def throughput_rps(self) -> float | None:
        """Responses by the window's length, as the summary has it; None where that is not known."""
        answered = self.answered if self.has_arrivals else self.requests
        return answered * NS_PER_S / self.window_ns if self.window_ns else None

    @property
    def mean_ns(self) -> int | None:
        """Their mean latency; None where there are none."""
        return round(self.latency_ns / self.requests) if self.requests else None


class LatencyTotals:
    """The blocks of one worker. directory: where it writes. has_histograms: percentiles of a block are wanted."""

    def __init__(self, directory: Path, *, has_histograms: bool = False) -> None:
        self._directory = directory
        self._has_histograms = has_histograms
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

    def forget_latencies(self, index: int) -> None:
        """Free the percentiles of this block, which have been read."""
        if index in self.blocks:
            self.blocks[index].latencies = Histogram()

    def _has_next_part(self) -> bool:
        return part_path(self._directory, EXCHANGES_FILE, self._part + 1).exists()

    def _take_in(self) -> None:
        rows = self._rows(EXCHANGES_FILE, EXCHANGE_FIELDS, "scheduled", self._exchanges)
        connections = self._rows(CONNECTIONS_FILE, CONNECTION_FIELDS, "opened", self._connections)
        # After the rows: what is known of their blocks is not older.
        self._facts_end = read_new_blocks(self._directory / BLOCKS_FILE, self._facts, self._facts_end)
        self._exchanges += len(rows)
        self._connections += len(connections)
        # A copy of all rows takes as long as counting them.
        self._count(np.concatenate([self._waiting, rows]) if len(self._waiting) else rows, connections)

    def _rows(self, name: str, fields: tuple[str, ...], time: str, begin: int) -> NDArray[Any]:
        return _rows_from(part_path(self._directory, name, self._part), fields, time, begin)

    def _count(self, rows: NDArray[Any], connections: NDArray[Any]) -> None:
        facts = list(self._facts.values())
        begun, ended = windows(facts, NOT_YET)
        for one, first, last in zip(facts, begun.tolist(), ended.tolist(), strict=True):
            block = self.blocks.setdefault(one["index"], BlockLatency(one["round"], one["policy"]))
            block.is_whole = one.get("whole", False)
            block.window_ns = max(0, last - first) if last != NOT_YET else 0
            block.has_arrivals = "due" in one
        rows, latency = self._complete(rows, connections)
        block_of = _blocks_of(rows, facts)
        scheduled = rows["scheduled"]
        begun_ns, ended_ns = begun[block_of], ended[block_of]
        counted = (scheduled >= begun_ns) & (scheduled < ended_ns)
        self._add_requests(facts, block_of[counted], latency[counted])
        # Whether a block has arrivals is known at its end. One that has none is spared the rest.
        if any("due" in one or "whole" not in one for one in facts):
            end = scheduled + latency + present(rows["own"])
            within = (rows["outcome"] > 0) & (end >= begun_ns) & (end < ended_ns)
            for one, number in zip(facts, _numbers(block_of[within], facts), strict=True):
                self.blocks[one["index"]].answered += number

    def _complete(self, rows: NDArray[Any], connections: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The complete requests and their latencies (ns); those whose handshake is not known yet wait."""
        is_complete = rows["outcome"] >= 0
        rows = rows if is_complete.all() else rows[is_complete]
        latency = np.zeros(len(rows), np.int64)
        for phase in _OF_EXCHANGE:
            latency += present(rows[phase])
        first = np.flatnonzero(rows["request_index"] == 0)
        handshake, is_known = _handshakes(rows["connection"][first], connections)
        latency[first] += handshake
        self._waiting = rows[first[~is_known]]
        if not len(self._waiting):
            return rows, latency
        stays = np.ones(len(rows), np.bool_)
        stays[first[~is_known]] = False
        return rows[stays], latency[stays]

    def _add_requests(self, facts: Sequence[BlockRecord], block_of: NDArray[Any], latency: NDArray[Any]) -> None:
        """Requests of windows: the position of each one's block among the facts, and its latency."""
        numbers = _numbers(block_of, facts)
        sums = np.bincount(block_of, latency, minlength=len(facts)).tolist()
        for place in np.flatnonzero(numbers).tolist():
            block = self.blocks[facts[place]["index"]]
            block.requests += numbers[place]
            block.latency_ns += round(sums[place])
            if self._has_histograms:
                block.latencies.add(latency[block_of == place])


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
            max(one.window_ns for one in found),
            sum(one.answered for one in found),
            any(one.has_arrivals for one in found),
            _merged([one.latencies for one in found]),
        )
    return merged


def _merged(histograms: Sequence[Histogram]) -> Histogram:
    if len(histograms) == 1:
        return histograms[0]
    merged = Histogram()
    for one in histograms:
        merged.merge(one.encode())
    return merged


def _blocks_of(rows: NDArray[Any], blocks: Sequence[BlockRecord]) -> NDArray[np.int64]:
    """The position of each row's block."""
    if not len(rows):
        return np.empty(0, np.int64)
    firsts = np.array([block["first_connection"] for block in blocks], np.int64)
    return np.searchsorted(firsts, rows["connection"], side="right") - 1


def _numbers(block_of: NDArray[Any], blocks: Sequence[BlockRecord]) -> list[int]:
    """How many rows each block has."""
    found: list[int] = np.bincount(block_of, minlength=len(blocks)).tolist()
    return found


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
