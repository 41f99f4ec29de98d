"""What an interval should hold: the statistic of an endless run on the same machine.

It is computed as that of a very long one: the experiment's rounds, on the same path of the machine, are repeated until
there are thousands of blocks. Requests of all of them are pooled, as the summary pools those of a run. For a machine
that drifts, that is the value over this drift, not over all possible ones.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.coverage.machines import BLOCK_S, Machine, Policy, simulate

_BLOCKS = 6_000
_AT_ONCE = 100
_SEED = 20_000


@cache
def truth(machine: Machine, policies: tuple[Policy, Policy], path: int, rounds: int) -> dict[str, float]:
    """By statistic, times in ns. rounds: of an experiment; without drift it plays no part."""
    rounds = rounds if machine.path is not None else 20
    random = np.random.default_rng(_SEED + path)
    latencies: list[list[np.ndarray]] = [[], []]
    blocks = 0
    while blocks < _BLOCKS / machine.paths:
        for found, one in zip(
            latencies, simulate(machine, policies, random, path, (_AT_ONCE // rounds, rounds)), strict=True
        ):
            found.append(one.latency_ns[one.counted])
        blocks += _AT_ONCE // rounds * rounds
    sides = [_statistics(np.concatenate(found), blocks) for found in latencies]
    base, cand = sides
    found = {
        f"{side} {key}": value
        for side, one in zip(("baseline", "candidate"), sides, strict=True)
        for key, value in one.items()
    }
    found |= {f"{key} difference": cand[key] - base[key] for key in base}
    return found | {f"{key} ratio": cand[key] / base[key] for key in base}


def _statistics(latency_ns: np.ndarray, blocks: int) -> dict[str, float]:
    p50, p99 = np.quantile(latency_ns, [0.5, 0.99])
    return {
        "mean": float(latency_ns.mean()),
        "p50": float(p50),
        "p99": float(p99),
        "req/s": len(latency_ns) / (blocks * BLOCK_S),
    }
