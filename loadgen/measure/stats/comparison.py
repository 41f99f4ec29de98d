"""Two policies side by side: differences and ratios, each with its interval, and where the difference comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.data.block_histograms import LATENCY
from loadgen.measure.stats.policy_samples import PolicySamples, quantile, round_draws
from loadgen.model.cell import Cell
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.model.summary import ComparisonSummary

_HALF = np.array([0.5])


def pairs(cells: tuple[Cell, ...], swept: bool) -> Iterator[tuple[str, str]]:
    """Names of baseline and candidate: only cells under the same load compare.

    The baseline of a comparison is `persistent`, or else its first cell; in a sweep the cell that reuses most, of
    several the one that speaks HTTP/1.1.
    """
    groups: dict[tuple[int, float, int | None], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.users, cell.rate_rps, cell.size), []).append(cell)
    for group in groups.values():
        plain = (cell for cell in group if cell.policy.name == "persistent")
        baseline = max(group, key=lambda cell: cell.policy.reuse_rank) if swept else next(plain, group[0])
        for cell in group:
            if cell is not baseline:
                yield baseline.name, cell.name


def is_uncertain(interval: list[int] | None) -> TypeGuard[list[int]]:
    """The interval of a difference holds 0, so the difference may be none."""
    return interval is not None and interval[0] <= 0 <= interval[1]


def compare(baseline: PolicySamples, candidate: PolicySamples, seed: int) -> ComparisonSummary | None:
    """The comparison as `summary.json` holds it; None where one of the two has no complete sample.

    Only rounds in which both have samples count, and a draw takes the same rounds of both, so that whatever is peculiar
    to a round (a noisy neighbour, a warmer cache) cancels out.
    """
    both = (baseline.requests > 0) & (candidate.requests > 0)
    if not both.any():
        return None
    chosen, weights = round_draws(both, seed)
    base, cand = (_p50_draws(one, weights, both) for one in (baseline, candidate))
    base_rps, cand_rps = (_rates(one, weights) for one in (baseline, candidate))
    base_p50, cand_p50 = (_p50(one, both) for one in (baseline, candidate))
    own_rps = [float(_rates(one, both[None, :].astype(np.float64))[0]) for one in (baseline, candidate)]
    deltas = _phase_deltas(baseline, candidate, both)
    handshake = sum(deltas[phase.value] for phase in HANDSHAKE)
    total = sum(deltas.values())
    return {
        "baseline": baseline.name,
        "candidate": candidate.name,
        "rounds": int(both.sum()),
        "latency_p50_delta_ns": cand_p50 - base_p50,
        "latency_p50_delta_ci95": chosen.whole_interval(cand - base),
        "latency_p50_ratio": cand_p50 / base_p50,
        "latency_p50_ratio_ci95": chosen.listed_interval(cand / base),
        "throughput_ratio": own_rps[1] / own_rps[0] if own_rps[0] else None,
        "throughput_ratio_ci95": chosen.listed_interval(cand_rps / base_rps) if base_rps.all() else None,
        "baseline_mean_ns": round(_mean(baseline, both)),
        "candidate_mean_ns": round(_mean(candidate, both)),
        "latency_mean_delta_ns": round(total),
        "handshake_mean_ns": round(handshake),
        "residual_mean_ns": round(total) - round(handshake),
        "phase_deltas_mean_ns": {phase: round(delta) for phase, delta in deltas.items()},
    }


def _rates(samples: PolicySamples, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights @ samples.answered / (weights @ samples.seconds))


def _p50_draws(samples: PolicySamples, weights: NDArray[np.float64], rounds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The median in each draw; those of a share of the samples are scaled to have the median of all in the middle."""
    found = samples.by_round.quantiles(weights, _HALF)[:, 0]
    if samples.totals is None:
        return found
    if not rounds[samples.rounds].any():
        return found
    return np.asarray(found * (_p50(samples, rounds) / _p50_of_samples(samples, rounds)))


def _mean(samples: PolicySamples, rounds: NDArray[np.bool_]) -> float:
    if samples.totals is not None:
        return samples.totals.mean_ns(LATENCY, rounds)
    return float(samples.latency_ns[rounds[samples.rounds]].mean())


def _p50(samples: PolicySamples, rounds: NDArray[np.bool_]) -> int:
    return _p50_of_samples(samples, rounds) if samples.totals is None else samples.totals.latency_p50_ns(rounds)


def _p50_of_samples(samples: PolicySamples, rounds: NDArray[np.bool_]) -> int:
    return quantile(np.sort(samples.latency_ns[rounds[samples.rounds]]), 0.5)


def _phase_deltas(baseline: PolicySamples, candidate: PolicySamples, rounds: NDArray[np.bool_]) -> dict[str, float]:
    """Mean per request of each phase, candidate less baseline: a request that did not pay a phase counts as 0."""
    means = []
    for one in (baseline, candidate):
        if one.totals is not None:
            means.append({phase.value: one.totals.mean_ns(phase.value, rounds) for phase in Phase})
            continue
        chosen = rounds[one.rounds]
        columns = one.valid.columns
        means.append({phase.value: _mean_paid(columns[phase.value][chosen]) for phase in Phase})
    return {phase: means[1][phase] - means[0][phase] for phase in means[0]}


def _mean_paid(column: NDArray[Any]) -> float:
    return float(present(column).sum(dtype=np.int64)) / len(column)
