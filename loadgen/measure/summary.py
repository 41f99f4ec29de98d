"""Samples to `summary.json`: what happened under each policy, and how they compare. Draws and prints nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from loadgen.measure.comparison import compare
from loadgen.measure.findings import verdict, warnings
from loadgen.measure.measured import PolicyMeasures, measure, quantile, round_draws
from loadgen.measure.samples import Samples
from loadgen.model.sample import ABSENT, ErrorKind, Phase
from loadgen.model.units import NS_PER_S

SCHEMA = 1
# What the contract names, and the points between them that the percentile chart needs.
_NAMED = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
_P50_P99 = np.array([0.5, 0.99])
CURVE = tuple(float(share) for share in 1 - np.logspace(np.log10(0.5), -4, 60))


def summarise(
    name: str,
    samples: Samples,
    plan: dict[str, Any],
    environment: dict[str, Any],
    notes: list[dict[str, str]],
) -> dict[str, Any]:
    """The whole of `summary.json`. `notes` are warnings ({code, message}) from running itself."""
    rounds = 1 + max((block["round"] for block in samples.blocks), default=0)
    measured = [measure(samples, index, rounds) for index in range(len(samples.policies))]
    by_name = {one.name: one for one in measured}
    policies = {one.name: _policy(samples, index, one, plan) for index, one in enumerate(measured)}
    baseline = next((one for one in measured if one.name == "persistent"), measured[0])
    compared = (compare(baseline, other, plan["seed"]) for other in measured if other is not baseline)
    comparisons = [comparison for comparison in compared if comparison is not None]
    found = notes + warnings(policies, plan, rounds)
    return {
        "schema": SCHEMA,
        "run": name,
        "plan": plan,
        "environment": environment,
        "warnings": found,
        "verdict": verdict(policies, comparisons, found),
        "policies": policies,
        "comparisons": comparisons,
        "blocks": [_block(block, by_name[block["policy"]]) for block in samples.blocks],
    }


def _policy(samples: Samples, index: int, measured: PolicyMeasures, plan: dict[str, Any]) -> dict[str, Any]:
    blocks = [block for block in samples.blocks if block["policy"] == measured.name]
    mine = samples.columns["policy"] == index
    errors = Counter(samples.columns["error"][mine].tolist())
    errors.pop(ABSENT, None)
    unfinished = errors.pop(ErrorKind.UNFINISHED, 0)
    requests = len(measured.valid)
    seconds = float(measured.seconds.sum())
    statuses = Counter(measured.valid.columns["status"].tolist())
    return {
        "started": int(np.count_nonzero(mine)),
        "requests": requests,
        "unfinished": unfinished,
        "errors": {ErrorKind(kind).label: count for kind, count in sorted(errors.items())},
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "seconds": seconds,
        "throughput_rps": requests / seconds if seconds else 0.0,
        "throughput_rps_ci95": _throughput_interval(measured, plan["seed"]),
        "connections": _connections(blocks, measured.valid, plan["users"]),
        "latency_ns": _latency(measured, plan["seed"]),
        "phases_ns": _phases(measured.valid),
        "generator": _generator(blocks, measured.valid, seconds),
    }


def _throughput_interval(measured: PolicyMeasures, seed: int) -> list[float] | None:
    chosen, weights = round_draws(measured.seconds > 0, seed)
    seconds = weights @ measured.seconds
    if not seconds.all():
        return None
    interval = chosen.interval(weights @ measured.requests / seconds)
    return list(interval) if interval else None


def _latency(measured: PolicyMeasures, seed: int) -> dict[str, Any]:
    ordered = np.sort(measured.latency_ns)
    if not len(ordered):
        absent: dict[str, Any] = dict.fromkeys(("mean", *_NAMED, "max", "p50_ci95"))
        return absent | {"curve": []}
    chosen, weights = round_draws(measured.seconds > 0, seed)
    shares = np.array([*CURVE, 0.5])
    bands = measured.by_round.quantiles(weights, shares)
    curve = []
    for column, share in enumerate(CURVE):
        # A percentile that fewer than ten samples lie above is a story about those few.
        if (1 - share) * len(ordered) < 10:
            break
        band = chosen.interval(bands[:, column])
        curve.append({"share": share, "value": quantile(ordered, share), "ci95": _integers(band)})
    return {
        "mean": round(float(ordered.mean())),
        **{name: quantile(ordered, share) for name, share in _NAMED.items()},
        "max": int(ordered[-1]),
        "p50_ci95": _integers(chosen.interval(bands[:, -1])),
        "curve": curve,
    }


def _integers(interval: tuple[float, float] | None) -> list[int] | None:
    return None if interval is None else [round(bound) for bound in interval]


def _connections(blocks: list[dict[str, Any]], valid: Samples, users: int) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for block in blocks:
        counts.update(block["connections"])
    opened = counts["opened"]
    exchanges = sum(block["exchanges"] for block in blocks)
    reused = int(np.count_nonzero(valid.columns["nth_on_connection"] > 0))
    return {
        "opened": opened,
        # One for each user that sent anything in a block.
        "ideal": sum(min(users, block["connections"]["users"]) for block in blocks),
        "reuse_ratio": reused / len(valid) if len(valid) else 0.0,
        "requests_per_connection": exchanges / opened if opened else 0.0,
        "closed_by": {"client": counts["closed_by_client"], "server": counts["closed_by_server"]},
        "tls_full": counts["tls_full"],
        "tls_resumed": counts["tls_resumed"],
        "server_ignored_close": counts["server_ignored_close"],
        "exchanges_with_warmup": exchanges,
        "warmup_errors": sum(block["warmup_errors"] for block in blocks),
        "warmup_outlasted": sum(block["warmup_outlasted"] for block in blocks),
    }


def _phases(valid: Samples) -> dict[str, Any]:
    phases: dict[str, Any] = {}
    for phase in Phase:
        column = valid.columns[phase.value]
        happened = column[column >= 0]
        if len(happened):
            ordered = np.sort(happened)
            phases[phase.value] = {
                "count": len(ordered),
                "mean": round(float(ordered.mean())),
                "p50": quantile(ordered, 0.5),
                "p99": quantile(ordered, 0.99),
                "mean_per_request": round(float(ordered.sum(dtype=np.int64)) / len(column)),
            }
        else:
            phases[phase.value] = {"count": 0, "mean": None, "p50": None, "p99": None, "mean_per_request": 0}
    return phases


def _generator(blocks: list[dict[str, Any]], valid: Samples, seconds: float) -> dict[str, Any]:
    cpu_ns = sum(block.get("cpu_ns", 0) for block in blocks)
    started = sum(block["started"] for block in blocks)
    lag = np.sort(valid.columns["lag"])
    return {
        "cpu_ns_per_request": round(cpu_ns / started) if started else None,
        "cpu_share": cpu_ns / NS_PER_S / seconds if seconds else 0.0,
        "lag_p50_ns": quantile(lag, 0.5) if len(lag) else None,
        "lag_p99_ns": quantile(lag, 0.99) if len(lag) else None,
        "rss_bytes": max((block.get("rss_bytes", 0) for block in blocks), default=0),
    }


def _block(block: dict[str, Any], measured: PolicyMeasures) -> dict[str, Any]:
    """One block for the chart over time."""
    number = block["round"]
    only = np.zeros((1, len(measured.seconds)))
    only[0, number] = 1
    p50, p99 = (None if np.isnan(value) else round(value) for value in measured.by_round.quantiles(only, _P50_P99)[0])
    seconds = block["window_ns"] / NS_PER_S
    return {
        **{key: block[key] for key in ("index", "round", "policy", "started", "exchanges", "connections")},
        "seconds": seconds,
        "throughput_rps": float(measured.requests[number]) / seconds if seconds else 0.0,
        "latency_p50_ns": p50,
        "latency_p99_ns": p99,
    }
