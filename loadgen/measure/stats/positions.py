"""What an exchange costs by its position on the connection: the first ones meet cold caches and small windows."""

from __future__ import annotations

import numpy as np

from loadgen.measure.stats.policy_samples import PolicySamples, quantiles
from loadgen.measure.stats.sequential import jackknife
from loadgen.model.policy_summary import PositionGroup
from loadgen.model.records import Phase

FIRSTS = (1, 2, 3, 4, 5, 6, 11, 21, 51, 101)
"""The first position of each group; the last group is open-ended."""


def by_position(measured: PolicySamples, stops_early: bool = False) -> list[PositionGroup]:
    """Groups of positions (1 is a connection's first request), each with the cost of its exchanges, handshake left out.

    Positions that no counted request had are left out: long-lived connections pass their first positions in the
    warm-up. `count` includes the samples that thinning has taken out. stops_early: precision decided how many rounds
    there are.
    """
    request_index = measured.valid.columns["nth_on_connection"]
    exchange_ns = measured.valid.sum_ns(Phase.SEND, Phase.WAIT, Phase.RECEIVE)
    group = np.searchsorted(FIRSTS, request_index.astype(np.int64) + 1, side="right") - 1
    size = len(measured.seconds)
    shape = (len(FIRSTS), size)
    cell = group * size + measured.rounds
    counts = np.bincount(cell, minlength=shape[0] * size).reshape(shape)
    sums = np.bincount(cell, weights=exchange_ns, minlength=shape[0] * size).reshape(shape)
    found: list[PositionGroup] = []
    for number, first in enumerate(FIRSTS):
        if not counts[number].any():
            continue
        values = exchange_ns[group == number]
        rounds = jackknife(counts[number] > 0, stops_early)
        weights = rounds.weights()
        with np.errstate(invalid="ignore"):
            interval = rounds.duration_interval(weights @ sums[number] / (weights @ counts[number]))
        found.append(
            {
                "first": first,
                "last": int(request_index[group == number].max()) + 1,
                "count": round(len(values) * (1 + measured.left_out / len(request_index))),
                "exchange_mean_ns": round(float(values.mean())),
                "exchange_p50_ns": quantiles(values, 0.5)[0],
                "ci95": interval,
            }
        )
    return found
