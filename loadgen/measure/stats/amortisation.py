"""How the cost of a connection is shared by its requests: `exchange + handshake / K`, fitted to what was measured.

A cell's mean is estimated by strata: 1/K of its requests are the first on their connection and paid the handshake, the
others did not, and each kind has its own measured mean. The plain mean of a window would be biased: users begin a block
together and stay in step, so a window of one and a half cycles counts too many or too few handshakes, in every round
alike, and more rounds would not help. If connections ended before their K-th request, because of the server or their
age, the share is the measured one: connections opened per exchange, warm-up included. A connection that is cut short by
the end of a block does not count as such: in a longer block it would have reached K.

The fit is by least squares over the cells, each with the same weight: weights by requests would let the largest K
decide alone, although the handshake shows at the smallest. Intervals come from leaving out rounds, the same ones of
all cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.stats.endings import ended_by_server
from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.connections_summary import ConnectionsSummary
from loadgen.model.sweep_summary import AmortisationCurve, AmortisationPoint

Floats = NDArray[np.float64]

# Connections that carried less than this share of K requests are short; if more than the other share of connections was
# replaced, that was no accident.
_WELL_BELOW = 0.9
_REPLACED_SHARE = 0.05
_MIN_CELLS = 3  # two points lie on any line
_SAVING = 0.9
_CURVE_POINTS = 30
_ENDLESS_POINTS = 8  # from the largest limit to unlimited


@dataclass(frozen=True, slots=True)
class _Strata:
    """Sum (ns) and count, round by round, of a cell's first and later requests on a connection."""

    first_ns: Floats
    firsts: Floats
    later_ns: Floats
    laters: Floats

    @classmethod
    def of(cls, samples: PolicySamples) -> _Strata:
        first = samples.valid.columns["nth_on_connection"] == 0
        sums: list[NDArray[Any]] = []
        for chosen in (first, ~first):
            rounds, latency = samples.rounds[chosen], samples.latency_ns[chosen]
            size = len(samples.seconds)
            sums += [np.bincount(rounds, weights=latency, minlength=size), np.bincount(rounds, minlength=size)]
        return cls(*(column.astype(np.float64) for column in sums))

    def means(self, weights: Floats, share: float) -> Floats:
        """The mean cost of a request (ns), for each row of weights of rounds.

        If a stratum is empty, as that of first requests is where all connections were opened in the warm-up, the mean
        of the other one is used.
        """
        firsts, laters = weights @ self.firsts, weights @ self.laters
        first = weights @ self.first_ns / np.maximum(firsts, 1)
        later = weights @ self.later_ns / np.maximum(laters, 1)
        first, later = np.where(firsts > 0, first, later), np.where(laters > 0, later, first)
        return np.asarray(share * first + (1 - share) * later)


Member = tuple[PolicySamples, int | None, ConnectionsSummary]
"""A cell: what was measured, its K (None: unlimited), and its `connections` in the summary."""


def amortise(members: list[Member]) -> AmortisationCurve | None:
    """The curve of cells that differ in K alone; None where fewer than three different K were measured.

    `k90` is read off what was measured, by interpolation in 1/K between cells. `k90_model` follows from the smallest
    and the largest K alone: it says what to expect of a constant handshake, and nothing about the target.
    """
    members = sorted(
        (one for one in members if len(one[0].valid)), key=lambda one: _share(one[1], one[2]), reverse=True
    )
    shares = np.array([_share(requests, connections) for _, requests, connections in members])
    if len(set(shares.tolist())) < _MIN_CELLS:
        return None
    active = np.all([one.requests > 0 for one, _, _ in members], axis=0)
    if not active.any():
        return None
    rounds = Jackknife.over(active)
    weights = rounds.weights()
    strata = [_Strata.of(one) for one, _, _ in members]
    means = np.stack([cell.means(weights, share) for cell, share in zip(strata, shares, strict=True)], axis=1)
    exchanges, handshakes = _fit(shares, means)
    exchange, handshake = float(exchanges[0]), float(handshakes[0])
    k90 = _k90(shares, means)
    return {
        "cells": [
            {
                "name": one.name,
                "requests": requests,
                "requests_per_connection": 1 / share if share else None,
                "mean_ns": round(float(means[0, index])),
                "ci95": rounds.duration_interval(means[:, index]),
            }
            for index, ((one, requests, _), share) in enumerate(zip(members, shares.tolist(), strict=True))
        ],
        "exchange_ns": round(exchange),
        "exchange_ci95": rounds.difference_interval(exchanges),
        "handshake_ns": round(handshake),
        "handshake_ci95": rounds.difference_interval(handshakes),
        "r2": _r2(shares, means[0], exchange, handshake),
        "k90": None if np.isnan(k90[0]) else float(k90[0]),
        "k90_ci95": rounds.ratio_interval(k90),
        "k90_model": float(1 / (shares[0] - _SAVING * (shares[0] - shares[-1]))),
        "saving_ns": round(float(means[0, 0] - means[0, -1])),
        "saving_ci95": rounds.difference_interval(means[:, 0] - means[:, -1]),
        "curve": _curve(shares, exchanges, handshakes, rounds),
    }


def _share(requests: int | None, connections: ConnectionsSummary) -> float:
    """The share of requests that are their connection's first."""
    if _ended_early(requests, connections):
        return float(connections["opened"] / max(1, connections["exchanges_with_warmup"]))
    return 0.0 if requests is None else 1 / requests


def _ended_early(requests: int | None, connections: ConnectionsSummary) -> bool:
    """Connections carried much less than K, and not only those that the block's end cut short."""
    opened, carried = connections["opened"], connections["exchanges_with_warmup"]
    replaced = opened - connections["ideal"]
    if requests is None:
        return ended_by_server(connections) or replaced > _REPLACED_SHARE * opened
    enough = _WELL_BELOW * requests
    return carried < enough * replaced or (ended_by_server(connections) and carried < enough * opened)


def _fit(shares: Floats, means: Floats) -> tuple[Floats, Floats]:
    """Exchange and handshake of the best line through each row of means."""
    centred = shares - shares.mean()
    handshake = means @ centred / (centred @ centred)
    return means.mean(axis=1) - handshake * shares.mean(), handshake


def _k90(shares: Floats, means: Floats) -> Floats:
    """K at which 90 % of the saving is reached, for each row of means; NaN where there is no saving."""
    saving = means[:, 0] - means[:, -1]
    wanted = means[:, 0] - _SAVING * saving
    reached = (means <= wanted[:, None]).argmax(axis=1)
    rows = np.arange(len(means))
    before = np.maximum(reached - 1, 0)
    high, low = means[rows, before], means[rows, reached]
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = (high - wanted) / (high - low)
        k = 1 / (shares[before] + fraction * (shares[reached] - shares[before]))
    return np.where((saving > 0) & (reached > 0), k, np.nan)


def _r2(shares: Floats, means: Floats, exchange: float, handshake: float) -> float | None:
    total = float(((means - means.mean()) ** 2).sum())
    left = float(((means - exchange - handshake * shares) ** 2).sum())
    return 1 - left / total if total else None


def _curve(shares: Floats, exchanges: Floats, handshakes: Floats, rounds: Jackknife) -> list[AmortisationPoint]:
    """The fitted line as points over K, with its band; the last is of unlimited K (None) where that was measured."""
    smallest = float(np.min(shares[shares > 0]))
    points = np.geomspace(shares[0], smallest, _CURVE_POINTS)
    if not shares[-1]:
        points = np.append(points, np.linspace(smallest, 0, _ENDLESS_POINTS)[1:])
    return [
        {
            "requests": 1 / share if share else None,
            "mean_ns": round(float(exchanges[0] + handshakes[0] * share)),
            "ci95": rounds.difference_interval(exchanges + handshakes * share),
        }
        for share in points.tolist()
    ]
