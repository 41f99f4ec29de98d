"""Blocks of one policy in several rounds as if they were one long block. Knows no sample.

Live figures of a long run go by groups of rounds, so that a summary takes as long after an hour as after a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.model.block_facts import BlockFacts

Merge = Callable[[list[int]], int]
# What one block after the other has cost adds up; a level, such as memory, counts where it was highest.
_HIGHEST = ("rss_bytes", "workers")
_KERNEL: Mapping[str, Merge] = {
    "sockets_peak": max, "syn_retransmits": sum, "listen_overflows": sum, "listen_drops": sum, "retransmits": sum,
}  # fmt: skip
_PORTS: Mapping[str, Merge] = {"range": max, "in_use": max, "reusable": max, "left": min}
_TIME_WAIT: Mapping[str, Merge] = dict.fromkeys(
    ("before", "peak", "after", "client", "server", "client_held", "server_held"), max
)
_SERVER: Mapping[str, Merge] = {"cpu_ns": sum, "rss_bytes": max, "sockets": max}
_TCP: Mapping[str, Merge] = {"sampled": sum, "retransmits": sum}
_TCP_MEDIANS = ("rtt_us_p50", "cwnd_p50")


def merge_rounds(blocks: list[BlockFacts]) -> BlockFacts:
    """The facts of all together, with how many they are (`grouped`). blocks: at least one, in order."""
    merged: dict[str, Any] = {**merge_blocks(blocks)}
    each: list[dict[str, Any]] = [{**block} for block in blocks]
    merged["window_ns"] = sum(one["window_ns"] for one in each)
    merged["busiest_cpu_ns"] = sum(one.get("busiest_cpu_ns", one.get("cpu_ns", 0)) for one in each)
    merged |= {key: max(one.get(key, 1) for one in each) for key in _HIGHEST if key in merged}
    merged["grouped"] = sum(one.get("grouped", 1) for one in each)
    for key, merge in (("kernel", _kernel), ("server", _server), ("tcp", _tcp)):
        if found := [one[key] for one in each if one.get(key)]:
            merged[key] = merge(found)
    return cast(BlockFacts, merged)


def _kernel(found: list[dict[str, Any]]) -> dict[str, Any]:
    merged = _merged(found, _KERNEL)
    for key, merges in (("time_wait", _TIME_WAIT), ("ports", _PORTS)):
        if parts := [one[key] for one in found if one.get(key)]:
            merged[key] = _merged(parts, merges)
    return merged


def _server(found: list[dict[str, Any]]) -> dict[str, Any]:
    return _merged(found, _SERVER)


def _tcp(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The connections themselves are not kept: of several medians their mean is taken, weighted by connections."""
    merged = _merged(found, _TCP)
    for key in _TCP_MEDIANS:
        known = [(one[key], one["sampled"]) for one in found if one.get(key) is not None]
        weight = sum(sampled for _, sampled in known)
        merged[key] = round(sum(value * sampled for value, sampled in known) / weight) if weight else None
    return merged


def _merged(found: Iterable[Mapping[str, Any]], merges: Mapping[str, Merge]) -> dict[str, Any]:
    """Each value as its own rule says; None where no block knows it."""
    values = {key: [one[key] for one in found if one.get(key) is not None] for key in merges}
    return {key: merge(values[key]) if values[key] else None for key, merge in merges.items()}
