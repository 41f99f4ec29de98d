"""Runs of known truth for diffs: log-normal latencies, rounds that differ, and runs that differ from each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from loadgen.measure.diff.measured_run import MeasuredRun, measured_run
from tests.support.simulated_runs import orders, simulated_run
from tests.support.synthetic import ENVIRONMENT

MEANS_NS = (1_000_000, 2_000_000)
"""Of `persistent` and `close`."""
ROUNDS = 5
OWN_NS = 10_000
_REQUESTS = 100
_ROUND_SPREAD = 0.03


def run(
    random: np.random.Generator,
    added_ns: int = 0,
    run_spread: float = 0.0,
    slowness: float = 1.0,
    rounds: int = ROUNDS,
) -> MeasuredRun:
    """One run. added_ns: to each latency. run_spread: standard deviation of the logarithm of a whole run's latency.

    slowness: of the machine, whose every time is as many times as long, the generator's own work included.
    """
    own = np.exp(random.normal(0, run_spread)) * slowness
    latency = [
        [
            mean * own * np.exp(random.normal(0, _ROUND_SPREAD)) * random.lognormal(-0.045, 0.3, _REQUESTS) + added_ns
            for _ in range(rounds)
        ]
        for mean in MEANS_NS
    ]
    columns: Any = {
        "status": [[np.full(_REQUESTS, 200)] * rounds] * 2,
        "own": [[np.full(_REQUESTS, round(OWN_NS * slowness))] * rounds] * 2,
        "nth_on_connection": [[np.full(_REQUESTS, reused)] * rounds for reused in (1, 0)],
    }
    made = simulated_run(latency, orders(2, rounds, seed=1), **columns)
    record: Any = {
        "name": "simulated",
        "plan": made.plan.to_json(secrets=False),
        "environment": ENVIRONMENT,
        "notes": [],
    }
    return measured_run("results/simulated", record, made.plan, made.samples)
