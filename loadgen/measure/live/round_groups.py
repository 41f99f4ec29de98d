"""The blocks of one worker's user class while a run goes on, in a bounded number of groups of rounds. Reads no file.

A group holds the facts of its blocks and a share of their samples; as a run gets longer, groups get larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.merge_rounds import merge_rounds
from loadgen.measure.data.rows import Samples
from loadgen.measure.live.block_report import BlockReport, decode_share
from loadgen.model.block_facts import BlockFacts
from loadgen.model.records import ABSENT, COLUMNS

MAX_GROUPS = 64
"""Of more rounds several make a group; with at least half as many, an interval is as good as from single rounds."""
_WHOLE_GROUPS = 25
"""The newest groups keep all samples that came with their reports."""

Columns = dict[str, NDArray[Any]]
Key = tuple[str, int]
"""A policy, and the number of a group."""


def group_size(rounds: int) -> int:
    """How many rounds make a group in a run of `rounds`: a power of two, so that groups can be joined in pairs."""
    size = 1
    while rounds > MAX_GROUPS * size:
        size *= 2
    return size


@dataclass(slots=True)
class _Group:
    facts: BlockFacts
    columns: Columns

    def add(self, other: _Group, max_samples: int) -> None:
        self.facts = merge_rounds([self.facts, other.facts])
        self.columns = {name: np.concatenate([own, other.columns[name]]) for name, own in self.columns.items()}
        self.shrink(max_samples)

    def shrink(self, max_samples: int) -> None:
        """Keep at most `max_samples` of the complete samples, and as many of those that failed; the facts count all."""
        failed = self.columns["error"] != ABSENT
        kept = [_some(np.flatnonzero(~failed), max_samples), _some(np.flatnonzero(failed), max_samples)]
        if sum(map(len, kept)) < len(failed):
            chosen = np.sort(np.concatenate(kept))
            self.columns = {name: column[chosen] for name, column in self.columns.items()}


def _some(indices: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """At most `number` of them, evenly spread."""
    if len(indices) <= number:
        return indices
    return indices[np.linspace(0, len(indices) - 1, number).astype(np.intp)]


class RoundGroups:
    """policies: the names of the plan's cells. max_samples: how many of its samples about are kept in all."""

    def __init__(self, policies: tuple[str, ...], max_samples: int) -> None:
        self.blocks: set[int] = set()
        """The indices of all blocks that were added."""
        self._policies = policies
        self._per_group = max(25, max_samples // (MAX_GROUPS * len(policies)))
        self._size = 1
        self._groups: dict[Key, _Group] = {}
        self._newest = 0

    def add(self, report: BlockReport) -> bool:
        """A block's report; of one that was added before nothing is taken, and it returns False."""
        block = report["block"]
        if block["index"] in self.blocks:
            return False
        self.blocks.add(block["index"])
        self.resize(group_size(block["round"] + 1))
        number = block["round"] // self._size
        self._newest = max(self._newest, number)
        columns = decode_share(report)
        columns["round"] = np.full(len(columns["round"]), number, np.int32)
        self._put((block["policy"], number), _Group(block, columns))
        old = self._groups.get((block["policy"], self._newest - _WHOLE_GROUPS))
        if old is not None:
            old.shrink(self._per_group)
        return True

    def resize(self, size: int) -> None:
        """From now on a group has this number of rounds at least. size: a power of two."""
        while self._size < size:
            self._size *= 2
            halves, self._groups = self._groups, {}
            for (policy, number), group in sorted(halves.items(), key=lambda one: one[0][1]):
                group.columns["round"] = np.full(len(group.columns["round"]), number // 2, np.int32)
                self._put((policy, number // 2), group)
            self._newest //= 2

    def samples(self) -> Samples:
        """The samples that are kept, and each group as a block of a round. There must be at least one block."""
        numbered = sorted((self._index(key), key) for key in self._groups)
        groups = [self._groups[key] for _, key in numbered]
        blocks: list[BlockFacts] = [
            {**group.facts, "index": index, "round": number}
            for group, (index, (_, number)) in zip(groups, numbered, strict=True)
        ]
        columns = {name: np.concatenate([group.columns[name] for group in groups]) for name in COLUMNS}
        return Samples(self._policies, columns, blocks)

    def _put(self, key: Key, group: _Group) -> None:
        known = self._groups.setdefault(key, group)
        if known is not group:
            known.add(group, self._per_group)

    def _index(self, key: Key) -> int:
        """As the block has it; of several blocks a number that is the same for each worker."""
        policy, number = key
        if self._size == 1:
            return self._groups[key].facts["index"]
        return number * self._size * len(self._policies) + self._policies.index(policy)
