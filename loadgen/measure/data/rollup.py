"""Takes in the rows of a long run part by part, while it goes on or afterwards, and keeps a bounded number of samples.

What was taken in lies in one file beside the rows, which appears whole or not at all; only then its parts go. So
nothing is lost and nothing is counted twice, whichever process is killed, and whenever.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from loadgen.measure.data.ended_after import RequestsSoFar
from loadgen.measure.data.limiting import halve, halvings_of, limit, with_histograms
from loadgen.measure.data.npz import read_arrays, samples_of, write_samples
from loadgen.measure.data.recorder import (
    BLOCKS_FILE,
    CONNECTIONS_FILE,
    EXCHANGES_FILE,
    ROLLUP_FILE,
    part_path,
)
from loadgen.measure.data.row_slices import Carry, join, next_slice
from loadgen.measure.data.rows import Samples, read_connections, read_exchanges, read_new_blocks
from loadgen.model.block_facts import BlockRecord
from loadgen.model.files import write_whole
from loadgen.model.records import COLUMNS

_PARTS_AT_ONCE = 2
_CARRIED = ("carried_rows", "open_connections", "requests_of_open", "slots")


class Rollup:
    """The rows in one folder. max_samples: of more, a random share is kept; see `limit`.

    Raises OSError where the folder can't be read, and what reading a damaged file raises.
    """

    def __init__(self, directory: Path, policies: tuple[str, ...], max_samples: int) -> None:
        self._directory = directory
        self._max_samples = max_samples
        self._samples = Samples(policies, {name: np.empty(0, np.int8) for name in COLUMNS}, [])
        self._carry = Carry.nothing()
        self._taken = 0
        """Parts that were taken in."""
        self._removed = 0
        self._blocks: dict[int, BlockRecord] = {}
        self._blocks_end = 0
        """Up to this byte the blocks' file was read."""
        if (directory / ROLLUP_FILE).exists():
            self._read()

    @property
    def waiting_parts(self) -> int:
        """Parts that are complete and not taken in."""
        parts = 0
        while part_path(self._directory, EXCHANGES_FILE, self._taken + parts + 1).exists():
            parts += 1
        return parts

    def take_in(self) -> None:
        """Take in the parts that are complete. Raises OSError where the disk is full; then they stay."""
        if self._take_in_waiting():
            self._save()
            self._remove_taken()

    def samples(self) -> Samples:
        """The samples of all rows, of the last part too, once no more rows are written."""
        self._take_in_waiting()
        self._take_in(1, is_last=True)
        return self._samples

    def _take_in_waiting(self) -> bool:
        """A few at a time: their samples are all in memory at once. False where none waits."""
        parts = self.waiting_parts
        for begin in range(0, parts, _PARTS_AT_ONCE):
            self._take_in(min(_PARTS_AT_ONCE, parts - begin))
        return parts > 0

    def _take_in(self, parts: int, *, is_last: bool = False) -> None:
        found = []
        for _ in range(parts):
            samples, self._carry = self._slice(is_last)
            self._taken += 1
            # A block in two slices needs counts and sums of both.
            found.append(halve(with_histograms(samples), halvings_of(self._samples)))
        samples = limit(join(self._samples, found), self._max_samples)
        self._samples = replace(samples, histograms=samples.histograms.with_phases_under(self._homes(samples)))

    def _homes(self, samples: Samples) -> dict[int, int]:
        """For each block that is over, the first one of its policy: with that its phases are counted from now on."""
        first: dict[str, int] = {}
        for block in samples.blocks:
            first.setdefault(block["policy"], block["index"])
        last = self._carry.block
        is_over = {block["index"]: last is not None and block["index"] < last for block in samples.blocks}
        return {
            block["index"]: first[block["policy"]]
            for block in samples.blocks
            if is_over[block["index"]] and is_over[first[block["policy"]]]
        }

    def _slice(self, is_last: bool) -> tuple[Samples, Carry]:
        directory, part = self._directory, self._taken
        rows, connections = read_exchanges(directory, part), read_connections(directory, part)
        # After the rows: what is known of their blocks is not older.
        self._blocks_end = read_new_blocks(directory / BLOCKS_FILE, self._blocks, self._blocks_end)
        return next_slice(
            list(self._blocks.values()), rows, connections, self._samples.policies, self._carry, is_last=is_last
        )

    def _remove_taken(self) -> None:
        for part in range(self._removed, self._taken):
            for name in (EXCHANGES_FILE, CONNECTIONS_FILE):
                path = part_path(self._directory, name, part)
                if part:
                    path.unlink(missing_ok=True)
                elif path.exists():  # the presence of the first part says that there are rows
                    os.truncate(path, 0)
        self._removed = self._taken

    def _save(self) -> None:
        carry = self._carry
        values = {"taken": self._taken, "last_ns": carry.last_ns, "block": carry.block}
        arrays: dict[str, Any] = dict(zip(_CARRIED, (carry.rows, *carry.open, carry.slots), strict=True))
        write_whole(
            self._directory / ROLLUP_FILE, lambda file: write_samples(file, self._samples, rollup=values, **arrays)
        )

    def _read(self) -> None:
        arrays = read_arrays(self._directory / ROLLUP_FILE)
        values = json.loads(arrays["rollup"].tobytes())
        self._samples = samples_of(arrays, self._samples.policies)
        self._taken = values["taken"]
        rows, open_connections, counts, slots = (arrays[name] for name in _CARRIED)
        carried = RequestsSoFar(open_connections, counts)
        self._carry = Carry(rows, carried, slots, values["last_ns"], values["block"])
