"""Several parts of a run become one. Parts measured the same blocks at the same time: a block is the sum of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, cast

import numpy as np

from loadgen.measure.data.downsampling import add_each, add_up
from loadgen.measure.data.row_assignment import smallest
from loadgen.measure.data.rows import Samples
from loadgen.model.block_facts import BlockFacts
from loadgen.model.records import COLUMNS
from loadgen.model.trailers import add_trailers

_SUMS = (
    "started", "exchanges", "carried", "answered", "unstarted", "due", "retried", "mismatched_echoes",
    "warmup_outlasted", "warmup_errors", "cpu_ns", "rss_bytes",
)  # fmt: skip
_SUMS_OF_EACH = ("connections", "endings", "after_close", "upgrades", "challenge")
_TIMES = ("begun_ns", "window_begun_ns", "window_ended_ns")
# Shares that differ by less were meant to be the same.
_SAME_SHARE = 0.99


def merge_parts(parts: Iterable[tuple[int, Samples]], earlier: Samples | None = None) -> Samples:
    """Make one of several parts, each with its number; `earlier` is what other parts gave before.

    Counts are sums, also of memory and of CPU time, of which `busiest_cpu_ns` is the part's that had most of it. A
    window is as long as the longest. `workers` says how many parts a block has. What only some know, as of the kernel,
    comes from the first that does. A block that a part did not bring to its end, for its worker died, is left out there
    if another did. Users and connections get numbers that are nobody else's. Where the clock is another's (`boot_id`),
    times are shifted so that the blocks' windows begin together.

    Where only a share of the samples was kept of a part, the others are thinned to the same share.
    """
    sources = [_Source(None, earlier)] if earlier is not None else []
    sources += [_Source(number, part) for number, part in parts]
    ended = {block["index"] for one in sources for block in one.samples.blocks if "whole" in block}
    for one in sources:
        one.drop([block["index"] for block in one.samples.blocks if block["index"] in ended and "whole" not in block])
    _level(sources)
    clock, connections, users = _Clock(), 0, 0
    for one in sources:
        one.shift(clock)
        connections, users = one.renumber(connections, users)
    columns = {name: smallest(np.concatenate([one.samples.columns[name] for one in sources])) for name in COLUMNS}
    by_index: dict[int, list[BlockFacts]] = {}
    for one in sources:
        for block in one.samples.blocks:
            by_index.setdefault(block["index"], []).append(block)
    blocks = [merge_blocks(by_index[index]) for index in sorted(by_index)]
    return Samples(sources[0].samples.policies, columns, blocks)


def merge_blocks(blocks: list[BlockFacts]) -> BlockFacts:
    """One block's facts, from those of the workers that measured it."""
    parts: list[dict[str, Any]] = [{**block} for block in blocks]
    merged: dict[str, Any] = {
        key: value for part in reversed(parts) for key, value in part.items() if value is not None
    }
    merged |= {key: sum(part.get(key, 0) for part in parts) for key in _SUMS if key in merged}
    for key in _SUMS_OF_EACH:
        if key in merged:
            merged[key] = add_each(part.get(key) or {} for part in parts)
    merged["workers"] = sum(part.get("workers", 1) for part in parts)
    merged["busiest_cpu_ns"] = max(part.get("busiest_cpu_ns", part.get("cpu_ns", 0)) for part in parts)
    merged["window_ns"] = max(part["window_ns"] for part in parts)
    for key, choose in (("window_begun_ns", min), ("window_ended_ns", max), ("next_connection", max)):
        if key in merged:
            merged[key] = choose(part[key] for part in parts if key in part)
    if "whole" in merged:
        merged["whole"] = all(part.get("whole", False) for part in parts)
    if "keep_alive" in merged:
        merged["keep_alive"] = _keep_alive([part.get("keep_alive") or {} for part in parts])
    if "trailers" in merged:
        merged["trailers"] = add_trailers(part.get("trailers") for part in parts)
    if "counted" in merged:
        merged["counted"] = add_up([part["counted"] for part in parts])
    return cast(BlockFacts, merged)


def _keep_alive(said: list[dict[str, int]]) -> dict[str, int]:
    """What the server's Keep-Alive fields said: the smallest timeout, the largest max."""
    found = {}
    for name, choose in (("timeout_s", min), ("max", max)):
        values = [one[name] for one in said if one.get(name) is not None]
        if values:
            found[name] = choose(values)
    return found


@dataclass(slots=True)
class _Source:
    """One part while it is being merged. number: None for what was merged before, which has its workers already."""

    number: int | None
    samples: Samples

    def drop(self, indices: list[int]) -> None:
        """Take these blocks out."""
        if indices:
            kept = {block["index"] for block in self.samples.blocks}.difference(indices)
            self.samples = self.samples.of_blocks(kept)

    def counts(self) -> tuple[int, int]:
        """How many complete samples are there, and how many were measured."""
        counted = [block["counted"] for block in self.samples.blocks]
        return sum(one["kept"] for one in counted), sum(one["requests"] for one in counted)

    def shift(self, clock: _Clock) -> None:
        """Bring times to the clock of the parts before."""
        samples = self.samples
        shifts = clock.shifts_ns(samples.blocks)
        if any(shifts):
            scheduled = samples.columns["scheduled"] + np.array(shifts, np.int64)[samples.block_of()]
            blocks = [_shifted(block, shift_ns) for block, shift_ns in zip(samples.blocks, shifts, strict=True)]
            self.samples = replace(samples, columns=samples.columns | {"scheduled": scheduled}, blocks=blocks)
        clock.note(self.samples.blocks)

    def renumber(self, connections: int, users: int) -> tuple[int, int]:
        """Let connections and users count from these numbers on; returns the next free ones."""
        columns = dict(self.samples.columns)
        following = []
        for name, begin in (("connection", connections), ("user", users)):
            moved: Any = columns[name].astype(np.int64) + begin
            columns[name] = smallest(moved)
            following.append(int(moved.max(initial=begin - 1)) + 1)
        if self.number is not None:
            columns["worker"] = np.full(len(self.samples), self.number, np.int16)
        blocks: list[BlockFacts] = [
            {**block, "next_connection": block["next_connection"] + connections} for block in self.samples.blocks
        ]
        self.samples = replace(self.samples, columns=columns, blocks=blocks)
        return max([following[0], *(block["next_connection"] for block in blocks)]), following[1]


def _shifted(block: BlockFacts, shift_ns: int) -> BlockFacts:
    """The block with its times by another clock."""
    moved: Any = {key: value + shift_ns for key, value in {**block}.items() if key in _TIMES and isinstance(value, int)}
    return {**block, **moved}


class _Clock:
    """When the blocks' windows began by the first part's clock, as far as they are known."""

    def __init__(self) -> None:
        self._boot_id: str | None = None
        self._begun_ns: dict[int, int] = {}

    def shifts_ns(self, blocks: list[BlockFacts]) -> list[int]:
        """What to add to each block's times; for a block that no part before has, what holds for the others."""
        boot_ids = {block.get("boot_id") for block in blocks} - {None}
        if self._boot_id is None or not boot_ids or boot_ids == {self._boot_id}:
            return [0] * len(blocks)
        known = {
            block["index"]: self._begun_ns[block["index"]] - block["window_begun_ns"]
            for block in blocks
            if "window_begun_ns" in block and block["index"] in self._begun_ns
        }
        usual = round(median(known.values())) if known else 0
        return [known.get(block["index"], usual) for block in blocks]

    def note(self, blocks: list[BlockFacts]) -> None:
        """These blocks' times are by this clock."""
        for block in blocks:
            self._boot_id = self._boot_id or block.get("boot_id")
            if "window_begun_ns" in block:
                self._begun_ns.setdefault(block["index"], block["window_begun_ns"])


def _level(sources: list[_Source]) -> None:
    """Give all parts the same share of their samples, so that none weighs more than it measured."""
    if not any("counted" in block for one in sources for block in one.samples.blocks):
        return
    for one in sources:
        one.samples = one.samples.with_counts()
    counts = [one.counts() for one in sources]
    least = min((kept / requests for kept, requests in counts if requests), default=1.0)
    for one, (kept, requests) in zip(sources, counts, strict=True):
        if least < _SAME_SHARE * kept / max(1, requests):
            one.samples = one.samples.thinned(round(least * requests), seed=one.number or 0)
