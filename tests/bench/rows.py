"""A large run as a worker would have written it, without the hours: random but plausible rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from loadgen.measure.environment import environment
from loadgen.measure.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE
from loadgen.measure.store import RunStore
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.sample import ConnectionFlag
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S

USERS, ROUNDS = 50, 10


def write_run(directory: Path, samples: int) -> None:
    """Write a run of `samples` counted requests: three quarters persistent, one quarter close."""
    plan = Plan(parse_target("http://127.0.0.1/"), parse_policies("persistent,close"), Load(users=USERS, rounds=ROUNDS))
    store = RunStore.create(directory)
    values = {"plan": plan.to_json(secrets=False), "environment": environment(), "notes": [], "name": "million"}
    store.save_run(values)
    random = np.random.default_rng(1)
    blocks, exchanges, connections = [], [], []
    first = 0
    for index in range(2 * ROUNDS):
        reuses = index % 2 == 0
        size = samples * (3 if reuses else 1) // 4 // ROUNDS
        begun = (1 + index * 2) * NS_PER_S
        opened = USERS if reuses else size
        number = first + (np.arange(size) % opened)
        times = random.gamma(4, 100_000, (size, 4)).astype(np.int64)
        rows = np.zeros((size, 10), np.int64)
        rows[:, 0], rows[:, 1] = number, np.arange(size) // opened
        rows[:, 2] = begun + np.arange(size) * (NS_PER_S // size)
        rows[:, 3:7] = times
        rows[:, 7:] = 200, 80, 240
        paid = np.full((opened, 9), -1, np.int64)
        paid[:, 0], paid[:, 1], paid[:, 2] = first + np.arange(opened), np.arange(opened) % USERS, begun
        paid[:, 4] = random.gamma(4, 100_000, opened)
        paid[:, 7], paid[:, 8] = ConnectionFlag.ESTABLISHED, 0
        exchanges.append(rows)
        connections.append(paid)
        facts = {
            "index": index,
            "round": index // 2,
            "policy": "persistent" if reuses else "close",
            "cpu_ns": NS_PER_S // 2,
        }
        window = {"window_begun_ns": begun, "window_ended_ns": begun + NS_PER_S, "rss_bytes": 40_000_000}
        blocks.append(json.dumps(facts | window | {"first_connection": first}))
        first += opened
    np.concatenate(exchanges).tofile(directory / EXCHANGES_FILE)
    np.concatenate(connections).tofile(directory / CONNECTIONS_FILE)
    (directory / BLOCKS_FILE).write_text("\n".join(blocks) + "\n", encoding="utf-8")
