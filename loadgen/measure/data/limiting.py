"""Bounds the number of samples: a random share of them, with histograms, sums and counts of all. Reads no file.

Samples are halved: the k-th halving keeps those whose random bit k is 0. That bit follows from the request alone, so
every block of a policy keeps the same share, whenever it was halved, and shares of shares are the same as one share.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import LATENCY, SERIES, BlockHistograms
from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
from loadgen.model.block_facts import BlockFacts, SampleCounts
from loadgen.model.records import ABSENT

Halvings = NDArray[np.int64]
"""How often each group was halved: two groups a policy, its complete samples and those that failed."""
ALL = sys.maxsize
"""As a number of samples: no limit."""
_MAX_HALVINGS = 63


def limit(samples: Samples, max_samples: int) -> Samples:
    """At most `max_samples` of the samples, drawn at random; itself where it has no more than that.

    The group with most samples is halved, until there are few enough, so what is rare stays. Each group keeps one at
    least. What is left out is counted in the blocks' `counted`, and in `histograms`.
    """
    if len(samples) <= max_samples:
        return samples
    samples = with_histograms(samples)
    groups, bits = _groups(samples), _random_bits(samples.columns)
    halvings = halvings_of(samples)
    members = [np.flatnonzero(groups == group) for group in range(len(halvings))]
    sizes = np.array([len(found) for found in members], np.int64)
    while sizes.sum() > max_samples and np.max(sizes) > 1 and np.max(halvings) < _MAX_HALVINGS:
        group = int(np.argmax(sizes))
        kept = members[group][(bits[members[group]] >> np.uint64(halvings[group])) & np.uint64(1) == 0]
        members[group] = kept if len(kept) else members[group][:1]
        halvings[group] += 1
        sizes[group] = len(members[group])
    return _noted(samples.of(np.sort(np.concatenate(members))), halvings)


def halve(samples: Samples, wanted: Halvings) -> Samples:
    """The samples as if each group had been halved as often as wanted, which is at least as often as it has been."""
    known = halvings_of(samples)
    if (wanted <= known).all():
        return samples
    samples = with_histograms(samples)
    groups = _groups(samples)
    masks = (np.uint64(1) << wanted.astype(np.uint64)) - (np.uint64(1) << known.astype(np.uint64))
    return _noted(samples.of(_random_bits(samples.columns) & masks[groups] == 0), wanted)


def halvings_of(samples: Samples) -> Halvings:
    """How often each group was halved. All blocks of a policy were halved alike."""
    found = np.zeros((len(samples.policies), 2), np.int64)
    numbers = {name: number for number, name in enumerate(samples.policies)}
    for block in samples.blocks:
        if "counted" in block and "halvings" in block["counted"]:
            number = numbers[block["policy"]]
            found[number] = np.maximum(found[number], block["counted"]["halvings"])
    return found.ravel()


def with_histograms(samples: Samples) -> Samples:
    """The same samples, with counts, sums, maxima and histograms of each block that is complete and has none."""
    samples = samples.with_counts()
    lacking = np.array([_lacks_sums(block["counted"]) for block in samples.blocks], np.bool_)
    if not lacking.any():
        return samples
    indices = np.array([block["index"] for block in samples.blocks], np.int64)
    positions = samples.block_of()
    chosen = lacking[positions] & (samples.columns["error"] == ABSENT)
    complete, positions = samples.of(chosen), positions[chosen]
    series = {LATENCY: complete.latency_ns()} | {name: complete.columns[name] for name in SERIES if name != LATENCY}
    durations, sums, highest = {}, {}, {}
    for name, values_ns in series.items():
        happened = values_ns >= 0
        at, values_ns = positions[happened], values_ns[happened].astype(np.int64)
        durations[name] = indices[at], values_ns
        sums[name], highest[name] = np.zeros(len(indices), np.int64), np.zeros(len(indices), np.int64)
        np.add.at(sums[name], at, values_ns)
        np.maximum.at(highest[name], at, values_ns)
    blocks = [
        _with_sums(block, *({name: int(column[at]) for name, column in found.items()} for found in (sums, highest)))
        if lacking[at]
        else block
        for at, block in enumerate(samples.blocks)
    ]
    return replace(samples, blocks=blocks, histograms=samples.histograms.add([BlockHistograms.of(durations)]))


def level(sources: Sequence[Samples]) -> list[Samples]:
    """Keep the same share of every source's samples, so that none weighs more than it measured.

    If one has histograms, all have them.
    """
    if not any("sums_ns" in block.get("counted", {}) for one in sources for block in one.blocks):
        return list(sources)
    wanted: Halvings = np.stack([halvings_of(one) for one in sources]).max(axis=0)
    return [_noted(halve(with_histograms(one), wanted), wanted) for one in sources]


def _lacks_sums(counted: SampleCounts) -> bool:
    """Sums can still be made: all that the block had is there."""
    return "sums_ns" not in counted and counted["kept"] == counted["requests"]


def _with_sums(block: BlockFacts, sums_ns: dict[str, int], max_ns: dict[str, int]) -> BlockFacts:
    return {**block, "counted": {**block["counted"], "sums_ns": sums_ns, "max_ns": max_ns}}


def _noted(samples: Samples, halvings: Halvings) -> Samples:
    """The samples, with what is left of them, and how often they were halved, in their blocks."""
    by_policy = dict(zip(samples.policies, halvings.reshape(-1, 2).tolist(), strict=True))
    samples = samples.with_counts()
    blocks: list[BlockFacts] = [
        {**block, "counted": {**block["counted"], "halvings": by_policy[block["policy"]]}} for block in samples.blocks
    ]
    return replace(samples, blocks=blocks)


def _groups(samples: Samples) -> NDArray[np.int64]:
    """Each sample's group."""
    found: NDArray[np.int64] = samples.columns["policy"].astype(np.int64) * 2 + (samples.columns["error"] != ABSENT)
    return found


def _random_bits(columns: dict[str, Integers]) -> NDArray[np.uint64]:
    """64 random bits for each request, by its connection and its number there: SplitMix64 (Steele et al., 2014)."""
    bits = columns["connection"].astype(np.uint64) << np.uint64(24)
    bits += columns["nth_on_connection"].astype(np.uint64)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))
