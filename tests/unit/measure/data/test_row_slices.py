"""Rows taken in slice by slice, wherever they are cut, give the samples and the counts of all rows at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.row_slices import Carry, join, next_slice
from loadgen.measure.data.rows import Samples, columns_of, read_blocks, read_connections, read_exchanges
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, COLUMNS, Ending
from tests.support.synthetic import MS, OPEN, US, WARMUP_NS, Exchange, Link, RunWriter, plan_json

POLICIES = ("persistent", "close")


class Rows:
    """What a worker wrote of two rounds, in the order in which it happened; connections overlap."""

    def __init__(self, directory: Path, seed: int, *, died: bool) -> None:
        self._random = random.Random(seed)
        writer = RunWriter(directory, plan_json(rounds=2))
        for number in range(2):
            for policy in POLICIES:
                is_last = (number, policy) == (1, "close")
                links = [self._link(slot, turn, died and is_last) for slot in range(3) for turn in range(4)]
                writer.block(policy, number, links, ended=not (died and is_last))
        writer.recorder.close()
        rows, connections = read_exchanges(directory, 0), read_connections(directory, 0)
        self.rows = rows[np.argsort(rows["scheduled"], kind="stable")]
        ends = {int(number): at for at, number in enumerate(self.rows["connection"])}
        self.last_row = np.sort([ends[number] for number in connections["connection"].tolist()])
        self.connections = connections[np.argsort([ends[number] for number in connections["connection"].tolist()])]
        self.directory = directory

    def recorded(self, rows: int) -> list[Any]:
        """What was known of the blocks when this number of rows had been written."""
        found = []
        for block in read_blocks(self.directory / "blocks.jsonl"):
            if (self.rows["connection"][rows:] < block["first_connection"]).any():
                break
            found.append({**block})
        if rows < len(self.rows):
            for key in ("window_ended_ns", "whole", "cpu_ns"):
                found[-1].pop(key, None)
            if self.rows["scheduled"][rows] < found[-1]["window_begun_ns"]:
                del found[-1]["window_begun_ns"]
        return found

    def whole(self) -> Samples:
        return columns_of(read_blocks(self.directory / "blocks.jsonl"), self.rows, self.connections, POLICIES)

    def sliced(self, cuts: list[int]) -> tuple[Samples, int]:
        """Joined from slices that end after these numbers of rows; with the most that any slice left to the next."""
        carry, found, most = Carry.nothing(), [], 0
        for begin, end in zip([0, *cuts], [*cuts, len(self.rows)], strict=True):
            closed, closes = (int(np.searchsorted(self.last_row, at, side="left")) for at in (begin, end))
            is_last = end == len(self.rows)
            samples, carry = next_slice(
                self.recorded(end), self.rows[begin:end], self.connections[closed:closes], POLICIES, carry,
                is_last=is_last,
            )  # fmt: skip
            found.append(samples)
            most = max(most, len(carry.rows))
        return join(found[0], found[1:]), most

    def _link(self, slot: int, turn: int, died: bool) -> Link:
        draw = self._random
        outcomes = (200, 200, 200, 404, -ErrorKind.STALE_CONNECTION, -ErrorKind.UNFINISHED)
        begin = -WARMUP_NS // 2 + turn * 40 * MS
        if draw.random() < 0.1:
            failed = Exchange(begin, send=ABSENT, wait=ABSENT, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)
            return Link([failed], slot=slot, flags=0, ending=Ending.NOT_OPENED)
        exchanges = [
            Exchange(
                begin + at * 8 * MS + draw.randrange(MS), wait=draw.randrange(90) * US, outcome=draw.choice(outcomes)
            )
            for at in range(draw.randrange(1, 7))
        ]  # fmt: skip
        row = not died or draw.random() < 0.5
        return Link(
            exchanges, slot, connect=draw.randrange(60) * US, flags=OPEN, ending=draw.choice((0, 1, 4)), row=row
        )


def table(samples: Samples) -> list[tuple[int, ...]]:
    """The samples as rows in one order, without what a slice can't know of a connection that is still open."""
    names = [name for name in COLUMNS if name not in ("tls_resumed", "closed_by")]
    return sorted(zip(*(samples.columns[name].tolist() for name in names), strict=True))


@pytest.mark.parametrize("died", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_slices_add_up_wherever_they_are_cut(tmp_path: Path, seed: int, died: bool) -> None:
    rows = Rows(tmp_path / "run", seed, died=died)
    whole = rows.whole()
    size = len(rows.rows)
    draw = random.Random(seed)
    for cuts in ([size // 2], list(range(1, size)), sorted(draw.sample(range(1, size), 5))):
        samples, most = rows.sliced(cuts)
        assert table(samples) == table(whole)
        assert samples.blocks == whole.blocks
        assert most <= 3 * 4  # of connections that were open at the same time


def test_a_slice_without_rows_changes_nothing(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "run", 1, died=False)
    samples, _ = rows.sliced([40, 40, 40])
    assert samples.blocks == rows.whole().blocks
