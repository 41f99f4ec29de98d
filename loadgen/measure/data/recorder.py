"""Writes what a worker measures into files as it happens. Needs no numpy: the worker stays small.

Rows go by memory map into the page cache, so neither a write call nor a flush ever interrupts the load, and a worker
that is killed loses nothing. Space is reserved a segment ahead: where the disk gets full, the segment at hand takes the
rows of a run that ends now, and what does not fit even there is counted.
The rows of a long run lie in several files, its parts, so that another process can take in a part and remove it.
The names that are defined nowhere here are C's, from recorder.pxd.
"""
# mypy: disable-error-code="name-defined"
# ruff: noqa: F821

from __future__ import annotations

import errno
import json
import mmap
import os
import sys
from collections.abc import Callable, Mapping
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
"""Exchanges after which a long run's rows go on in the next part, at the end of a segment: 64 MiB of them."""
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
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
    """A file of fixed-size rows, appended through a memory map of about 1 MiB that moves along, and as much in reserve.

    `map`, `offset` and `segment_bytes` are for a caller that packs its rows itself: a call less for each exchange.
    """

    __slots__ = (
        "_begun", "_file", "_pack_into", "_reserved_bytes", "_row_bytes", "address", "error", "map", "offset",
        "segment_bytes",
    )  # fmt: skip

    def __init__(self, path: Path, row: Struct) -> None:
        self._file = open(path, "w+b", opener=open_own)  # noqa: SIM115 # open as long as this is
        self._row_bytes = row.size
        self._pack_into = row.pack_into
        # A whole number of pages and of rows.
        unit = mmap.ALLOCATIONGRANULARITY * row.size
        while unit % 2 == 0 and unit // 2 % mmap.ALLOCATIONGRANULARITY == 0 and unit // 2 % row.size == 0:
            unit //= 2
        self.segment_bytes = max(1, (1 << 20) // unit) * unit
        self._begun = self._reserved_bytes = 0
        self.offset = 0
        """Where in the segment the next row goes."""
        try:
            self._reserve(2 * self.segment_bytes)
            self.map = _mapped(self._file.fileno(), self.segment_bytes, 0)
            """The present segment."""
        except OSError:
            self._file.close()
            path.unlink()
            raise
        self.address = c_address(self.map) if COMPILED else 0
        """Where the segment begins in memory, where compiled; 0 once it is closed."""
        self.error: OSError | None = None
        """Why there is no space in reserve; None where there is."""

    def append(self, *row: int) -> None:
        """Add one row. Raises OSError where the disk is full, and the reserve too; the rows before stay."""
        if self.offset == self.segment_bytes:
            self.advance()
        self._pack_into(self.map, self.offset, *row)
        self.offset += self._row_bytes

    def advance(self) -> None:
        """Go on to the next segment, now that this one is full, and reserve another, or set `error`.

        Raises OSError where not even the next one has space; each call tries that anew.
        """
        begun = self._begun + self.segment_bytes
        self._reserve(begun + self.segment_bytes)
        following = _mapped(self._file.fileno(), self.segment_bytes, begun)
        full, self.map = self.map, following
        self._begun, self.offset = begun, 0
        if COMPILED:
            self.address = c_address(self.map)
        full.close()
        try:
            self._reserve(begun + 2 * self.segment_bytes)
            self.error = None
        except OSError as error:
            self.error = error

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

    def _reserve(self, end: int) -> None:
        """Reserve the file's space up to there (bytes), unless it is. Raises OSError."""
        if end > self._reserved_bytes:
            os.posix_fallocate(self._file.fileno(), self._reserved_bytes, end - self._reserved_bytes)
            self._reserved_bytes = end


def _mapped(descriptor: int, size_bytes: int, offset: int) -> mmap.mmap:
    """A part of the file in memory. Since CPython 3.13 without a descriptor of its own: none may be left."""
    if sys.version_info >= (3, 13):
        return mmap.mmap(descriptor, size_bytes, offset=offset, trackfd=False)
    return mmap.mmap(descriptor, size_bytes, offset=offset)


class Recorder(RunSink):
    """The sink of one worker: a row for each exchange and each connection, a line for each block.

    part_rows: exchanges after which a new part begins; 0 for one part of any length.

    `on_full`, once it is set, is called when the disk has become full. The run has to end then: rows still go into the
    space in reserve, and those that do not fit are counted with the last block. While it is not set, OSError is raised
    where the reserve is full too.
    """

    def __init__(self, directory: Path, part_rows: int = 0) -> None:
        self._directory = directory
        self._part_rows = part_rows
        self._part = 0
        self.on_full: Callable[[], None] | None = None
        self.error: OSError | None = None
        """The disk is full, and this was the first sign of it."""
        self._lost_exchanges = self._lost_connections = 0
        self._last_block: Mapping[str, Any] = {}
        self._unwritten = b""
        """Lines of blocks that the disk has no room for yet."""
        self._earlier_exchanges = self._earlier_connections = 0
        """Rows in the parts before the present one."""
        for path in row_files(directory):  # of an earlier recorder; what it measured is in `samples.npz`
            path.unlink(missing_ok=True)
        # The exchanges are made last and removed first (`remove_rows`): where they are, the other files are too.
        self._blocks = open(directory / BLOCKS_FILE, "wb", buffering=0, opener=open_own)  # noqa: SIM115 # so is it
        self._connections = RowFile(directory / CONNECTIONS_FILE, CONNECTION_ROW)
        self._exchanges = RowFile(directory / EXCHANGES_FILE, EXCHANGE_ROW)

    def exchange(
        self, connection: int, user: int, request_index: int, scheduled: int, queue: int, late: int, send: int,
        wait: int, receive: int, own: int, lag: int, wait_delay: int, outcome: int, bytes_sent: int,
        bytes_received: int, continue_wait: int,
    ) -> None:  # fmt: skip
        rows = self._exchanges
        if rows.offset == rows.segment_bytes:
            self._advance()
            rows = self._exchanges
            if rows.offset == rows.segment_bytes:
                self._lost_exchanges += 1
                return
        if COMPILED and rows.address:
            c_write_exchange(
                rows.address + rows.offset, connection, user, request_index, scheduled, queue, late, send, wait,
                receive, own, lag, wait_delay, outcome, bytes_sent, bytes_received, continue_wait,
            )  # fmt: skip
        else:
            _pack_exchange_into(
                rows.map, rows.offset, connection, user, request_index, scheduled, queue, late, send, wait, receive,
                own, lag, wait_delay, outcome, bytes_sent, bytes_received, continue_wait,
            )  # fmt: skip
        rows.offset += _EXCHANGE_BYTES

    def connection(
        self, connection: int, slot: int, opened: int, dns: int, connect: int, tunnel: int, tls: int, upgrade: int,
        connect_delay: int, flags: int, ending: int,
    ) -> None:  # fmt: skip
        rows = self._connections
        if rows.offset == rows.segment_bytes:
            self._advance_connections()
            if rows.offset == rows.segment_bytes:
                self._lost_connections += 1
                return
        rows.append(connection, slot, opened, dns, connect, tunnel, tls, upgrade, connect_delay, flags, ending)

    @property
    def exchanges(self) -> int:
        return self._earlier_exchanges + self._exchanges.rows

    @property
    def connections(self) -> int:
        return self._earlier_connections + self._connections.rows

    def block(self, facts: Mapping[str, Any]) -> None:
        """Write what is known of a block, a BlockRecord; a later line of the same index replaces an earlier one."""
        self._last_block = facts
        self._unwritten += json.dumps({**facts, "row_bytes": ROW_BYTES}).encode() + b"\n"
        try:
            self._write_lines()
        except OSError as error:
            self._note_full(error, has_room=False)

    def close(self) -> None:
        self._exchanges.close()
        self._connections.close()
        lost = {"exchanges": self._lost_exchanges, "connections": self._lost_connections}
        # Now that the reserve is given back, there is room for what is known of the blocks.
        with suppress(OSError):
            if any(lost.values()):
                self.block({**self._last_block, "lost": lost})
            self._write_lines()
        self._blocks.close()

    def _write_lines(self) -> None:
        """Raises OSError where the disk is full; what is left is tried again with the next line."""
        while self._unwritten:
            self._unwritten = self._unwritten[self._blocks.write(self._unwritten) :]

    def _note_full(self, error: OSError, has_room: bool) -> None:
        """The disk is full. has_room: the reserve is not."""
        if self.on_full is None:
            if not has_room:
                raise error
            return
        if self.error is None:
            self.error = error
            self.on_full()

    def _advance(self) -> None:
        """A segment of exchanges is full: go on with the next one, or with a new part, where there is room for it."""
        try:
            self._begin_segment()
        except OSError as error:
            self._note_full(error, has_room=False)
            with suppress(OSError):
                self._exchanges.advance()  # no room for a new part, but perhaps in the present one's reserve
            return
        if self._exchanges.error is not None:
            self._note_full(self._exchanges.error, has_room=True)

    def _advance_connections(self) -> None:
        rows = self._connections
        try:
            rows.advance()
        except OSError as error:
            self._note_full(error, has_room=False)
            return
        if rows.error is not None:
            self._note_full(rows.error, has_room=True)

    def _begin_segment(self) -> None:
        """Go on with the next segment of exchanges, or with a new part. Raises OSError."""
        exchanges, connections = self._exchanges, self._connections
        # On a full disk a new part is not even tried: the reserve is in the present one.
        if not self._part_rows or exchanges.rows < self._part_rows or self.error is not None:
            exchanges.advance()
            return
        part = self._part + 1
        try:
            next_connections, next_exchanges = self._new_part(part)
        except OSError as error:
            if error.errno not in _NO_DESCRIPTOR:
                raise
            exchanges.advance()  # this part gets longer; the next segment tries it again
            return
        self._part, self._connections, self._exchanges = part, next_connections, next_exchanges
        self._earlier_exchanges += exchanges.rows
        self._earlier_connections += connections.rows
        exchanges.close()
        connections.close()

    def _new_part(self, part: int) -> tuple[RowFile, RowFile]:
        """Its connections and its exchanges, which are made last: where they are, the part before is complete."""
        connections = RowFile(part_path(self._directory, CONNECTIONS_FILE, part), CONNECTION_ROW)
        try:
            return connections, RowFile(part_path(self._directory, EXCHANGES_FILE, part), EXCHANGE_ROW)
        except OSError:
            connections.close()
            raise
