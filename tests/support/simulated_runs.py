"""Runs made of given latencies and start times, as self-checks read them: no rows, no files, thousands in a minute."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.checks.check import CheckedRun
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.policy_samples import policy_samples
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import ABSENT, COLUMNS
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from tests.support.summaries import policy_summary

NAMES = ("persistent", "close", "recycle:10", "recycle:20", "recycle:2", "recycle:3", "recycle:4", "recycle:5")
BLOCK_NS, WARMUP_NS = 2 * NS_PER_S, NS_PER_S // 2
WINDOW_NS = BLOCK_NS - WARMUP_NS

Floats = NDArray[np.float64]


def orders(policies: int, rounds: int, seed: int) -> list[list[int]]:
    """The order of the policies in each round, as drive/schedule.py draws it."""
    shuffle = random.Random(seed).shuffle
    found = []
    for _ in range(rounds):
        order = list(range(policies))
        shuffle(order)
        found.append(order)
    return found


def simulated_run(
    latency_ns: Sequence[Sequence[Floats]],
    order: Sequence[Sequence[int]],
    *,
    load: Load | None = None,
    at_ns: Sequence[Sequence[Floats]] | None = None,
    **columns: Any,
) -> CheckedRun:
    """latency_ns[policy][round]: of each request, in the order of their starts.

    at_ns: when each was due, from the window on; evenly spread unless given. columns: others of the same form, absent
    unless given.
    """
    policies, rounds = len(latency_ns), len(order)
    blocks: list[Any] = []
    for number, names in enumerate(order):
        for policy in names:
            index = len(blocks)
            begun_ns = index * BLOCK_NS + WARMUP_NS
            blocks.append({
                "index": index, "round": number, "policy": NAMES[policy], "window_begun_ns": begun_ns,
                "window_ns": WINDOW_NS, "due": len(latency_ns[policy][number]),
            })  # fmt: skip
    begun = {(one["policy"], one["round"]): one["window_begun_ns"] for one in blocks}
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in COLUMNS}
    for policy in range(policies):
        for number in range(rounds):
            size = len(latency_ns[policy][number])
            spread = np.linspace(0, WINDOW_NS, size, endpoint=False)
            at = spread if at_ns is None else at_ns[policy][number]
            given: dict[str, Any] = {
                "policy": policy, "round": number, "worker": 0, "wait": latency_ns[policy][number],
                "scheduled": at + begun[NAMES[policy], number],
            } | {name: values[policy][number] for name, values in columns.items()}  # fmt: skip
            for name in COLUMNS:
                found[name].append(np.broadcast_to(np.asarray(given.get(name, ABSENT)), size).astype(np.int64))
    names = NAMES[:policies]
    samples = Samples(names, {name: np.concatenate(parts) for name, parts in found.items()}, blocks)
    plan = Plan(parse_target("http://h/"), parse_policies(",".join(names)), load or Load(users=2, rounds=rounds))
    indices = dict(zip(names, samples.by_policy(), strict=True))
    measured = {name: policy_samples(samples, at, indices[name], rounds) for at, name in enumerate(names)}
    p99 = {name: int(np.quantile(one.latency_ns, 0.99)) for name, one in measured.items() if len(one.latency_ns)}
    summaries = {name: policy_summary(latency_ns={"p99": p99.get(name)}) for name in names}
    pairs: Any = [{"baseline": names[0], "candidate": name} for name in names[1:]]
    return CheckedRun(plan, samples, indices, measured, summaries, pairs)
