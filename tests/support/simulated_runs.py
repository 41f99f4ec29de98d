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

NAMES = (
    "persistent",
    "close",
    "recycle:10",
    "recycle:20",
    "recycle:2",
    "recycle:3",
    "recycle:4",
    "recycle:5",
    "recycle:6",
)
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
    sizes = np.array([[len(one) for one in rows] for rows in latency_ns])
    if at_ns is None:
        at_ns = [[np.linspace(0, WINDOW_NS, size, endpoint=False) for size in row] for row in sizes.tolist()]
    begun_ns = np.array([[begun[NAMES[policy], number] for number in range(rounds)] for policy in range(policies)])
    whose = np.repeat(np.arange(policies), sizes.sum(axis=1))
    found = {
        "policy": whose, "round": np.repeat(np.tile(np.arange(rounds), policies), sizes.ravel()),
        "worker": np.zeros(len(whose), np.int64), "wait": _joined(latency_ns),
        "scheduled": _joined(at_ns) + np.repeat(begun_ns.ravel(), sizes.ravel()),
    } | {name: _joined(values) for name, values in columns.items()}  # fmt: skip
    absent = np.full(len(whose), ABSENT)
    found = {name: found.get(name, absent) for name in COLUMNS}
    names = NAMES[:policies]
    samples = Samples(names, found, blocks)
    plan = Plan(parse_target("http://h/"), parse_policies(",".join(names)), load or Load(users=2, rounds=rounds))
    indices = dict(zip(names, samples.by_policy(), strict=True))
    measured = {name: policy_samples(samples, at, indices[name], rounds) for at, name in enumerate(names)}
    p99 = {name: int(np.quantile(one.latency_ns, 0.99)) for name, one in measured.items() if len(one.latency_ns)}
    summaries = {name: policy_summary(latency_ns={"p99": p99.get(name)}) for name in names}
    pairs: Any = [{"baseline": names[0], "candidate": name} for name in names[1:]]
    return CheckedRun(plan, samples, indices, measured, summaries, pairs)


def _joined(values: Sequence[Sequence[NDArray[Any]]]) -> NDArray[np.int64]:
    """One column of the parts of each policy and round."""
    return np.concatenate([part for row in values for part in row]).astype(np.int64)
