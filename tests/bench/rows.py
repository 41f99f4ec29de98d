"""A large run as a worker would have written it, without the hours: random but plausible rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.environment import environment
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES, part_path
from loadgen.measure.data.store import RunStore
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS, ConnectionFlag, Ending
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S

USERS, ROUNDS = 50, 10


def write_run(directory: Path, samples: int, rounds: int = ROUNDS) -> None:
    """Write a run of `samples` counted requests: three quarters persistent, one quarter close; each block is a part."""
    plan = Plan(parse_target("http://127.0.0.1/"), parse_policies("persistent,close"), Load(users=USERS, rounds=rounds))
    store = RunStore.create(directory)
    values = {"plan": plan.to_json(secrets=False), "environment": environment(), "notes": [], "name": "million"}
    store.save_run(values)
    random = np.random.default_rng(1)
    blocks = []
    first = 0
    for index in range(2 * rounds):
        reuses = index % 2 == 0
        size = samples * (3 if reuses else 1) // 4 // rounds
        begun = (1 + index * 2) * NS_PER_S
        opened = USERS if reuses else size
        number = first + (np.arange(size) % opened)
        times = random.gamma(4, 100_000, (size, 4)).astype(np.int64)
        rows = _filled(size, EXCHANGE_FIELDS)
        rows["connection"], rows["user"], rows["request_index"] = number, number % USERS, np.arange(size) // opened
        rows["scheduled"] = begun + np.arange(size) * (NS_PER_S // size)
        for column, name in enumerate(("send", "wait", "receive", "lag")):
            rows[name] = times[:, column]
        rows["own"] = times[:, 3] // 10
        rows["outcome"], rows["bytes_sent"], rows["bytes_received"] = 200, 80, 240
        paid = _filled(opened, CONNECTION_FIELDS)
        paid["connection"], paid["slot"], paid["opened"] = first + np.arange(opened), np.arange(opened) % USERS, begun
        paid["connect"] = random.gamma(4, 100_000, opened)
        paid["flags"], paid["ending"] = ConnectionFlag.ESTABLISHED, Ending.CLIENT_ANNOUNCED
        rows.tofile(part_path(directory, EXCHANGES_FILE, index))
        paid.tofile(part_path(directory, CONNECTIONS_FILE, index))
        facts = {
            "index": index,
            "round": index // 2,
            "policy": "persistent" if reuses else "close",
            "cpu_ns": NS_PER_S // 2,
        }
        window = {"window_begun_ns": begun, "window_ended_ns": begun + NS_PER_S, "rss_bytes": 40_000_000}
        blocks.append(json.dumps(facts | window | {"first_connection": first, "whole": True, "row_bytes": ROW_BYTES}))
        first += opened
    (directory / BLOCKS_FILE).write_text("\n".join(blocks) + "\n", encoding="utf-8")


def _filled(size: int, fields: tuple[str, ...]) -> NDArray[Any]:
    """Rows in which every field is absent as yet."""
    return np.full(size, -1, np.int64).repeat(len(fields)).view([(name, np.int64) for name in fields])
