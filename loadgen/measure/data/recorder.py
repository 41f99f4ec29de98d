"""Writes what a worker measures into files as it happens. Needs no numpy: the worker stays small.

Rows go by memory map into the page cache, so neither a write call nor a flush ever interrupts the load, and a worker
that is killed loses nothing. Space is reserved before it is written: a full disk is an OSError here, not a crash.
The rows of a long run lie in several files, its parts, so that another process can take in a part and remove it.
The names that are defined nowhere here are C's, from recorder.pxd.
"""
# mypy: disable-error-code="name-defined"
# ruff: noqa: F821

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any

from loadgen.model.files import open_own
from loadgen.model.records import CONNECTION_ROW, EXCHANGE_ROW
from loadgen.model.sample_sink import RunSink

EXCHANGES_FILE = "exchanges.rows"
CONNECTIONS_FILE = "connections.rows"
BLOCKS_FILE = "blocks.jsonl"
ROLLUP_FILE = "rollup.npz"
"""What was taken in of a long run's rows."""
RUN_FILE = "run.json"
WORKER_PREFIX = "worker-"
"""The name of a worker's folder begins with this; the worker's number follows."""
_EXCHANGE_BYTES = EXCHANGE_ROW.size
_pack_exchange_into = EXCHANGE_ROW.pack_into
PART_ROWS = 1 << 19
"""Exchanges after which a long run's rows go on in the next part, at the end of a segment: 60 MiB of them."""
COMPILED = not __file__.endswith(".py")
ROW_BYTES = [EXCHANGE_ROW.size, CONNECTION_ROW.size]
"""Written with each block, so that rows of another layout are never read as this one."""


def worker_folder(directory: Path, number: int) -> Path:
    """The folder of worker `number` inside a run's folder."""
    return directory / f"{WORKER_PREFIX}{number}"


def part_path(directory: Path, name: str, part: int) -> Path:
    """The file of that name with a part of the rows; the parts count from 0."""
    return directory / (f"{name}.{part}" if part else name)


def row_files(directory: Path) -> list[Path]:
    """All files that there may be of a recorder's rows, beginning with the one whose presence says that there are."""
    parts = [path for name in (EXCHANGES_FILE, CONNECTIONS_FILE) for path in directory.glob(f"{name}.*")]
    names = (CONNECTIONS_FILE, BLOCKS_FILE, ROLLUP_FILE, f".{ROLLUP_FILE}.new")
    return [directory / EXCHANGES_FILE, *parts, *(directory / name for name in names)]


class RowFile:
    """A file of fixed-size rows, appended through a memory map of about 1 MiB that moves along.

    `map`, `offset` and `segment_bytes` are for a caller that packs its rows itself: a call less for each exchange.
    """

    __slots__ = ("_begun", "_file", "_pack_into", "_row_bytes", "address", "map", "offset", "segment_bytes")

    def __init__(self, path: Path, row: Struct) -> None:
        self._file = open(path, "w+b", opener=open_own)  # noqa: SIM115 # open as long as this is
        self._row_bytes = row.size
        self._pack_into = row.pack_into
        # A whole number of pages and of rows.
        unit = mmap.ALLOCATIONGRANULARITY * row.size
        while unit % 2 == 0 and unit // 2 % mmap.ALLOCATIONGRANULARITY == 0 and unit // 2 % row.size == 0:
            unit //= 2
        self.segment_bytes = max(1, (1 << 20) // unit) * unit
        self._begun = 0
        self.offset = 0
        """Where in the segment the next row goes."""
        self.map = self._map_segment()
        """The present segment."""
        self.address = c_address(self.map) if COMPILED else 0
        """Where the segment begins in memory, where compiled; 0 once it is closed."""

    def append(self, *row: int) -> None:
        """Add one row. Raises OSError when the disk is full; the rows before stay."""
        if self.offset == self.segment_bytes:
            self.advance()
        self._pack_into(self.map, self.offset, *row)
        self.offset += self._row_bytes

    def advance(self) -> None:
        """Go on to the next segment, now that this one is full. Raises OSError when the disk is full."""
        self._begun += self.segment_bytes
        self.offset = 0
        try:
            full, self.map = self.map, self._map_segment()
        except OSError:
            self._begun -= self.segment_bytes
            self.offset = self.segment_bytes
            raise
        if COMPILED:
            self.address = c_address(self.map)
        full.close()

    @property
    def rows(self) -> int:
        """Number of rows written."""
        return (self._begun + self.offset) // self._row_bytes

    def close(self) -> None:
        """Give back the space that was reserved and not used."""
        self.address = 0
        self.map.close()
        self._file.truncate(self.rows * self._row_bytes)
        self._file.close()

    def _map_segment(self) -> mmap.mmap:
        os.posix_fallocate(self._file.fileno(), self._begun, self.segment_bytes)
        return mmap.mmap(self._file.fileno(), self.segment_bytes, offset=self._begun)


class Recorder(RunSink):
    """The sink of one worker: a row for each exchange and each connection, a line for each block.

    part_rows: exchanges after which a new part begins; 0 for one part of any length.
    """

    def __init__(self, directory: Path, part_rows: int = 0) -> None:
        self._directory = directory
        self._part_rows = part_rows
        self._part = 0
        self._earlier_exchanges = self._earlier_connections = 0
        """Rows in the parts before the present one."""
        for path in row_files(directory):  # of an earlier recorder; what it measured is in `samples.npz`
            path.unlink(missing_ok=True)
        # The exchanges are made last and removed first (`remove_rows`): where they are, the other files are too.
        self._blocks = open(directory / BLOCKS_FILE, "w", encoding="utf-8", opener=open_own)  # noqa: SIM115 # so is it
        self._connections = RowFile(directory / CONNECTIONS_FILE, CONNECTION_ROW)
        self._exchanges = RowFile(directory / EXCHANGES_FILE, EXCHANGE_ROW)

    def exchange(
        self, connection: int, user: int, request_index: int, scheduled: int, queue: int, late: int, send: int,
        wait: int, receive: int, own: int, lag: int, wait_delay: int, outcome: int, bytes_sent: int,
        bytes_received: int,
    ) -> None:  # fmt: skip
        rows = self._exchanges
        if rows.offset == rows.segment_bytes:
            self._advance()
            rows = self._exchanges
        if COMPILED and rows.address:
            c_write_exchange(
                rows.address + rows.offset, connection, user, request_index, scheduled, queue, late, send, wait,
                receive, own, lag, wait_delay, outcome, bytes_sent, bytes_received,
            )  # fmt: skip
        else:
            _pack_exchange_into(
                rows.map, rows.offset, connection, user, request_index, scheduled, queue, late, send, wait, receive,
                own, lag, wait_delay, outcome, bytes_sent, bytes_received,
            )  # fmt: skip
        rows.offset += _EXCHANGE_BYTES

    def connection(
        self, connection: int, slot: int, opened: int, dns: int, connect: int, tunnel: int, tls: int, upgrade: int,
        connect_delay: int, flags: int, ending: int,
    ) -> None:  # fmt: skip
        self._connections.append(
            connection, slot, opened, dns, connect, tunnel, tls, upgrade, connect_delay, flags, ending
        )

    @property
    def exchanges(self) -> int:
        return self._earlier_exchanges + self._exchanges.rows

    @property
    def connections(self) -> int:
        return self._earlier_connections + self._connections.rows

    def block(self, facts: Mapping[str, Any]) -> None:
        """Write what is known of a block, a BlockRecord; a later line of the same index replaces an earlier one."""
        self._blocks.write(json.dumps({**facts, "row_bytes": ROW_BYTES}) + "\n")
        self._blocks.flush()

    def close(self) -> None:
        self._exchanges.close()
        self._connections.close()
        with suppress(OSError):  # a full disk: the line that does not fit was about a block that is not whole
            self._blocks.close()

    def _advance(self) -> None:
        """A segment of exchanges is full: go on with the next one, or with a new part. Raises OSError."""
        exchanges, connections = self._exchanges, self._connections
        if not self._part_rows or exchanges.rows < self._part_rows:
            exchanges.advance()
            return
        # A part's exchanges are made last: where they are, the part before is complete.
        part = self._part + 1
        next_connections = RowFile(part_path(self._directory, CONNECTIONS_FILE, part), CONNECTION_ROW)
        next_exchanges = RowFile(part_path(self._directory, EXCHANGES_FILE, part), EXCHANGE_ROW)
        self._part, self._connections, self._exchanges = part, next_connections, next_exchanges
        self._earlier_exchanges += exchanges.rows
        self._earlier_connections += connections.rows
        exchanges.close()
        connections.close()
