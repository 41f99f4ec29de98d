"""Merges what several workers measured in the same blocks at the same time: a block is the sum of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, cast

import numpy as np

from loadgen.measure.data.balance_counts import add_balances, add_changes
from loadgen.measure.data.block_histograms import BlockHistograms
from loadgen.measure.data.downsampling import add_each, add_up
from loadgen.measure.data.ended_after import widest
from loadgen.measure.data.limiting import level
from loadgen.measure.data.origin_counts import ORIGIN_COUNTS
from loadgen.measure.data.row_assignment import smallest
from loadgen.measure.data.rows import Samples
from loadgen.model.block_facts import BlockFacts
from loadgen.model.records import COLUMNS
from loadgen.model.trailers import add_trailers
from loadgen.model.unasked_bytes import add_unasked

_SUMS = (
    "started", "exchanges", "carried", "answered", "unstarted", "due", "retried", "mismatched_echoes",
    "warmup_outlasted", "unserved", "warmup_errors", "cpu_ns", "rss_bytes",
)  # fmt: skip
_SUMS_OF_EACH = (
    "connections", "endings", "after_close", "idle_statuses", "upgrades", "challenge", "lenient", "lost", "continues",
    "carried_by_request", "races", *ORIGIN_COUNTS,
)  # fmt: skip
_EXTREMES = (
    ("load_begun_ns", min), ("window_begun_ns", min), ("window_ended_ns", max), ("next_connection", max),
    ("stalled_ns", max),
)  # fmt: skip
_TIMES = ("begun_ns", "load_begun_ns", "window_begun_ns", "window_ended_ns")
# Shares of kept samples whose ratio is above this were meant to be the same.
_SAME_SHARE = 0.99


def merge_workers(workers: Iterable[tuple[int, Samples]], earlier: Samples | None = None) -> Samples:
    """Merge the samples of workers, each with its number. earlier: workers that were merged before.

    Counts are sums, also of memory and of CPU time; `busiest_cpu_ns` is the CPU time of the worker that had most. The
    longest window counts. A fact that only some workers know, as those of the kernel, comes from the first that does.
    If a worker died in a block that another one completed, the dead worker's samples of that block are left out.
    Users and connections are renumbered, so that each number stays unique. Times by another machine's clock (`boot_id`)
    are shifted by what messages said of it (`clock_offset_ns`), or so that the blocks' windows begin together.

    If only a share of one worker's samples was kept, those of the others are thinned to the same share.
    """
    sources = [_MergePart(None, earlier)] if earlier is not None else []
    sources += [_MergePart(number, samples) for number, samples in workers]
    for one, samples in zip(sources, level([one.samples for one in sources]), strict=True):
        one.samples = samples
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
    histograms = BlockHistograms.empty().add([one.samples.histograms for one in sources])
    return Samples(sources[0].samples.policies, columns, blocks, histograms)


def merge_blocks(blocks: list[BlockFacts]) -> BlockFacts:
    """One block's facts, from those of the workers that measured it."""
    each: list[dict[str, Any]] = [{**block} for block in blocks]
    merged: dict[str, Any] = {key: value for one in reversed(each) for key, value in one.items() if value is not None}
    merged |= {key: sum(one.get(key, 0) for one in each) for key in _SUMS if key in merged}
    for key in _SUMS_OF_EACH:
        if key in merged:
            merged[key] = add_each(one.get(key) or {} for one in each)
    merged["workers"] = sum(one.get("workers", 1) for one in each)
    merged["busiest_cpu_ns"] = max(one.get("busiest_cpu_ns", one.get("cpu_ns", 0)) for one in each)
    merged["window_ns"] = max(one["window_ns"] for one in each)
    begun = [(one["load_begun_ns"], one.get("load_spread_ns", 0)) for one in each if "load_begun_ns" in one]
    if len(begun) > 1:
        merged["load_spread_ns"] = max(first + spread for first, spread in begun) - min(first for first, _ in begun)
        merged["clock_error_ns"] = _clock_error_ns(each)
    for key, choose in _EXTREMES:
        if key in merged:
            merged[key] = choose(one[key] for one in each if key in one)
    if "ended_after" in merged:
        merged["ended_after"] = widest(one.get("ended_after") or {} for one in each)
    if "whole" in merged:
        merged["whole"] = all(one.get("whole", False) for one in each)
    if "keep_alive" in merged:
        merged["keep_alive"] = _keep_alive([one.get("keep_alive") or {} for one in each])
    if "trailers" in merged:
        merged["trailers"] = add_trailers(one.get("trailers") for one in each)
    if "unasked_bytes" in merged:
        merged["unasked_bytes"] = add_unasked(one.get("unasked_bytes") for one in each)
    if "balance" in merged:
        merged["balance"] = add_balances(one.get("balance") for one in each)
    if "address_changes" in merged:
        merged["address_changes"] = add_changes(one.get("address_changes", ()) for one in each)
    if "counted" in merged:
        merged["counted"] = add_up([one["counted"] for one in each])
    return cast(BlockFacts, merged)


def _clock_error_ns(each: list[dict[str, Any]]) -> int | None:
    """By how much one of the clocks of these blocks may be misjudged; None where nothing is known of one."""
    clocks = {one.get("boot_id", "") for one in each}  # processes of the command have one clock, and don't say which
    if len(clocks) == 1 and None not in clocks:
        return 0
    errors = [one.get("clock_error_ns") for one in each]
    return None if None in errors else max(error for error in errors if error is not None)


def _keep_alive(announced: list[dict[str, int]]) -> dict[str, int]:
    """What the server's Keep-Alive fields said: the smallest timeout, the largest max."""
    found = {}
    for name, choose in (("timeout_s", min), ("max", max)):
        values = [one[name] for one in announced if one.get(name) is not None]
        if values:
            found[name] = choose(values)
    return found


@dataclass(slots=True)
class _MergePart:
    """The samples of one worker while they are merged."""

    number: int | None
    """The worker's number; None for samples that were merged before, whose column `worker` is complete."""
    samples: Samples

    def drop(self, indices: list[int]) -> None:
        """Leave out these blocks."""
        if indices:
            kept = {block["index"] for block in self.samples.blocks}.difference(indices)
            self.samples = self.samples.of_blocks(kept)

    def counts(self) -> tuple[int, int]:
        """How many complete samples there are, and how many were measured."""
        counted = [block["counted"] for block in self.samples.blocks]
        return sum(one["kept"] for one in counted), sum(one["requests"] for one in counted)

    def shift(self, clock: _Clock) -> None:
        """Shift times to the clock of the workers before."""
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
    if "clock_offset_ns" in block:
        moved["clock_offset_ns"] = 0
    return {**block, **moved}


class _Clock:
    """When the blocks' windows began by the first worker's clock, as far as that is known."""

    def __init__(self) -> None:
        self._boot_id: str | None = None
        self._begun_ns: dict[int, int] = {}

    def shifts_ns(self, blocks: list[BlockFacts]) -> list[int]:
        """What to add to each block's times; the median of the others for a block that no worker before has."""
        if all("clock_offset_ns" in block for block in blocks):
            return [block["clock_offset_ns"] for block in blocks]
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


def _level(sources: list[_MergePart]) -> None:
    """Keep the same share of each worker's samples, so that none weighs more than it measured."""
    blocks = [block for one in sources for block in one.samples.blocks]
    if not any("counted" in block and "sums_ns" not in block["counted"] for block in blocks):
        return
    for one in sources:
        one.samples = one.samples.with_counts()
    counts = [one.counts() for one in sources]
    lowest_share = min((kept / requests for kept, requests in counts if requests), default=1.0)
    for one, (kept, requests) in zip(sources, counts, strict=True):
        if lowest_share < _SAME_SHARE * kept / max(1, requests):
            one.samples = one.samples.thinned(round(lowest_share * requests), seed=one.number or 0)
