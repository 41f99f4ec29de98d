"""Two policies side by side: differences and ratios, each with its interval, and where the difference comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.stats.holm import holm
from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.measure.stats.quantile_pairs import QuantilePair
from loadgen.measure.stats.sequential import jackknife
from loadgen.model.cell import Cell
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.model.summary import ComparisonSummary

_Number = TypeVar("_Number", int, float)


def pairs(cells: tuple[Cell, ...], swept: bool) -> Iterator[tuple[str, str]]:
    """Names of baseline and candidate: only cells under the same load compare.

    First each policy of several targets, whose baseline is the first target, then the policies of each target. Their
    baseline is `persistent`, or else the first one; in a sweep the cell that reuses most, of several the one that
    speaks HTTP/1.1.
    """
    firsts: dict[str, Cell] = {}
    for cell in cells:
        first = firsts.setdefault(cell.policy.name, cell)
        if cell.target != first.target:
            yield first.name, cell.name
    groups: dict[tuple[int, float, int | None, str | None], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.users, cell.rate_rps, cell.size, cell.target), []).append(cell)
    for group in groups.values():
        plain = (cell for cell in group if cell.policy.name == "persistent")
        baseline = max(group, key=lambda cell: cell.policy.reuse_rank) if swept else next(plain, group[0])
        for cell in group:
            if cell is not baseline:
                yield baseline.name, cell.name


def pair_name(baseline: str, candidate: str) -> str:
    """What a gate calls the two."""
    return f"{candidate}/{baseline}"


def is_uncertain(interval: list[_Number] | None) -> TypeGuard[list[_Number]]:
    """The interval of a difference holds 0, so the difference may be none."""
    return interval is not None and interval[0] <= 0 <= interval[1]


def compare_all(
    measured: Mapping[str, PolicySamples], cells: tuple[Cell, ...], swept: bool, stops_early: bool = False
) -> list[ComparisonSummary]:
    """Each comparison of a run, by `pairs`; a difference is certain if all of the run's together are at 95 %.

    The test is of the ratio. With few rounds the interval of the difference may hold 0 all the same; then it is not.
    stops_early: precision decided how many rounds there are.
    """
    found = [compare(measured[baseline], measured[other], stops_early) for baseline, other in pairs(cells, swept)]
    comparisons = [one for one in found if one is not None]
    for one, is_certain in zip(comparisons, holm([one["p_value"] for one in comparisons]), strict=True):
        one["is_certain"] = is_certain and not is_uncertain(one["latency_mean_delta_ci95"])
    return comparisons


def compare(baseline: PolicySamples, candidate: PolicySamples, stops_early: bool = False) -> ComparisonSummary | None:
    """The comparison as `summary.json` holds it, as if it were the run's only one.

    None where one of the two has no complete sample. Only rounds in which both have samples count, and the same ones
    are left out of both, so that whatever is peculiar to a round (a noisy neighbour, a warmer cache) cancels out.
    """
    both = (baseline.requests > 0) & (candidate.requests > 0)
    if not both.any():
        return None
    rounds = jackknife(both, stops_early)
    base, cand = (_Statistics.of(one, rounds) for one in (baseline, candidate))
    mean_ratio = cand.mean / base.mean
    base_quantiles, cand_quantiles = (one.quantiles_ns(rounds) for one in (baseline, candidate))
    p50, p99 = (QuantilePair.of(base_quantiles, cand_quantiles, share) for share in (0.5, 0.99))
    rates = np.divide(cand.rate, base.rate, out=np.full(len(base.rate), np.nan), where=base.rate > 0)
    p_value = rounds.p_value(mean_ratio)
    deltas = _phase_deltas(baseline, candidate, both)
    handshake = sum(deltas[phase.value] for phase in HANDSHAKE)
    total = sum(deltas.values())
    return {
        "baseline": baseline.name,
        "candidate": candidate.name,
        "rounds": int(both.sum()),
        "latency_mean_ratio": float(mean_ratio[0]),
        "latency_mean_ratio_ci95": rounds.ratio_interval(mean_ratio),
        "p_value": p_value,
        "is_certain": holm([p_value])[0],
        "latency_p50_delta_ns": p50.delta_ns,
        "latency_p50_delta_ci95": p50.delta_interval(),
        "latency_p50_ratio": p50.ratio,
        "latency_p50_ratio_ci95": p50.ratio_interval(),
        "latency_p99_delta_ns": p99.delta_ns,
        "latency_p99_delta_ci95": p99.delta_interval(),
        "latency_p99_ratio": p99.ratio,
        "latency_p99_ratio_ci95": p99.ratio_interval(),
        "throughput_ratio": float(rates[0]) if base.rate[0] else None,
        "throughput_ratio_ci95": rounds.ratio_interval(rates),
        "baseline_mean_ns": round(float(base.mean[0])),
        "candidate_mean_ns": round(float(cand.mean[0])),
        "latency_mean_delta_ns": round(total),
        "latency_mean_delta_ci95": rounds.difference_interval(cand.mean - base.mean),
        "handshake_mean_ns": round(handshake),
        "residual_mean_ns": round(total) - round(handshake),
        "phase_deltas_mean_ns": {phase: round(delta) for phase, delta in deltas.items()},
        "equivalence": None,
    }


@dataclass(frozen=True, slots=True)
class _Statistics:
    """What is compared of a policy: of all rounds first, then without each group of them."""

    mean: NDArray[np.float64]
    rate: NDArray[np.float64]

    @classmethod
    def of(cls, samples: PolicySamples, rounds: Jackknife) -> _Statistics:
        weights = rounds.weights()
        return cls(samples.means_ns(weights), samples.rates_rps(weights))


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
