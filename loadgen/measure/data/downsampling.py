"""A random share of the samples, with exact counts beside it. Knows columns and blocks, no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers
from loadgen.model.block_facts import BlockFacts, BlockRecord, SampleCounts
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Phase

_KINDS = max(ErrorKind) + 1
_STATUSES = 1_000  # a status code has three digits (RFC 9110 §15)


def draw(columns: dict[str, Integers], block_of: Integers, max_samples: int, seed: int) -> NDArray[np.bool_]:
    """Which samples stay: all that failed or are unfinished, and a random share of the complete ones.

    The share is the same in every block, but each keeps at least one; about `max_samples` stay in total.
    """
    chosen: NDArray[np.bool_] = columns["error"] != ABSENT
    complete = np.flatnonzero(~chosen)
    block = block_of[complete].astype(np.int64)
    sizes = np.bincount(block)
    quotas = np.maximum(1, (sizes * (max_samples / max(1, len(complete)))).astype(np.int64))
    order = np.lexsort((np.random.default_rng(seed).random(len(complete), np.float32), block))
    begins = np.cumsum(sizes) - sizes
    rank = np.arange(len(complete)) - begins[block[order]]
    chosen[complete[order[rank < quotas[block[order]]]]] = True
    return chosen


def counts(columns: dict[str, Integers], block_of: Integers, blocks: Sequence[BlockRecord]) -> list[SampleCounts]:
    """Of each block: its complete samples, how many of them were on a reused connection, statuses, phases, errors."""
    complete = columns["error"] == ABSENT
    size, block = len(blocks), block_of[complete].astype(np.int64)
    requests = np.bincount(block, minlength=size)
    reused = np.bincount(block[columns["nth_on_connection"][complete] > 0], minlength=size)
    met = np.bincount(block * _STATUSES + columns["status"][complete])
    statuses: list[dict[str, int]] = [{} for _ in blocks]
    for number in np.flatnonzero(met).tolist():
        statuses[number // _STATUSES][str(number % _STATUSES)] = int(met[number])
    phases = {
        phase.value: np.bincount(block[columns[phase.value][complete] >= 0], minlength=size) for phase in Phase
    }  # fmt: skip
    failed = np.bincount(block_of[~complete].astype(np.int64) * _KINDS + columns["error"][~complete])
    errors: list[dict[str, int]] = [{} for _ in blocks]
    for number in np.flatnonzero(failed).tolist():
        errors[number // _KINDS][ErrorKind(number % _KINDS).label] = int(failed[number])
    found: list[SampleCounts] = [
        {
            "requests": int(requests[index]),
            "kept": int(requests[index]),
            "reused": int(reused[index]),
            "statuses": statuses[index],
            "phases": {name: int(count[index]) for name, count in phases.items()},
            "errors": errors[index],
        }
        for index in range(size)
    ]
    if np.any(columns["request"] != ABSENT):
        reused = complete & (columns["nth_on_connection"] > 0)
        chosen = {"by_request": complete, "failed_by_request": ~complete, "reused_by_request": reused}
        _count_by_request(columns["request"], block_of, chosen, found)
    return found


def _count_by_request(
    requests: Integers, block_of: Integers, masks: Mapping[str, NDArray[np.bool_]], found: list[SampleCounts]
) -> None:
    """Add how many samples of each of several requests each block has, under the key of each mask."""
    width = int(requests.max()) + 1
    for key, chosen in masks.items():
        places = block_of[chosen].astype(np.int64) * width + requests[chosen]
        counted = np.bincount(places, minlength=width * len(found)).reshape(len(found), width)
        for one, row in zip(found, counted.tolist(), strict=True):
            one[key] = {str(place): number for place, number in enumerate(row) if number}  # type: ignore[literal-required] # all are keys


def add_up(counted: list[SampleCounts]) -> SampleCounts:
    """The sum of what several blocks, or several workers in one block, have counted.

    It has sums and maxima only if each of them has.
    """
    errors = add_each(one.get("errors", {}) for one in counted)
    total: SampleCounts = {
        "requests": sum(one["requests"] for one in counted),
        "kept": sum(one["kept"] for one in counted),
        "reused": sum(one["reused"] for one in counted),
        "statuses": add_each(one["statuses"] for one in counted),
        "phases": add_each(one["phases"] for one in counted),
        "errors": dict(sorted(errors.items(), key=lambda one: ErrorKind[one[0].upper()])),
    }
    if any("by_request" in one for one in counted):
        total["by_request"] = add_each(one.get("by_request", {}) for one in counted)
        total["failed_by_request"] = add_each(one.get("failed_by_request", {}) for one in counted)
        total["reused_by_request"] = add_each(one.get("reused_by_request", {}) for one in counted)
    if counted and all("sums_ns" in one for one in counted):
        total["sums_ns"] = add_each(one["sums_ns"] for one in counted)
        total["max_ns"] = highest(one["max_ns"] for one in counted)
    if any("halvings" in one for one in counted):
        total["halvings"] = [max(one.get("halvings", [0, 0])[kind] for one in counted) for kind in (0, 1)]
    return total


def add_each(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum under each key."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def highest(values: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The highest value under each key."""
    found: dict[str, int] = {}
    for one in values:
        for key, value in one.items():
            found[key] = max(value, found.get(key, value))
    return found


def left_out(blocks: Iterable[BlockFacts]) -> int:
    """How many complete samples of these blocks were measured and are no longer among the columns."""
    return sum(one["requests"] - one["kept"] for one in (block.get("counted") for block in blocks) if one)
