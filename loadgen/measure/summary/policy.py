"""One policy's part of `summary.json`: counts, latency, phases, connections, generator. Compares nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import carried_by
from loadgen.measure.data.block_histograms import LATENCY
from loadgen.measure.data.downsampling import add_up
from loadgen.measure.data.ended_after import widest
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.delayed_acks import delayed_ack_share
from loadgen.measure.stats.latency_bins import latency_bins
from loadgen.measure.stats.policy_samples import PolicySamples, quantile, quantiles
from loadgen.measure.stats.policy_totals import PolicyTotals
from loadgen.measure.stats.positions import by_position
from loadgen.measure.stats.sequential import jackknife
from loadgen.measure.summary.generator import generator
from loadgen.measure.summary.policy_balance import balance_summary
from loadgen.measure.summary.policy_continues import continues
from loadgen.measure.summary.policy_origins import origins_summary
from loadgen.measure.summary.policy_races import races_summary
from loadgen.measure.summary.policy_requests import requests_summary
from loadgen.measure.summary.protocols import upgrade_cost
from loadgen.measure.summary.sockets import server, sockets
from loadgen.measure.summary.trailers import trailers
from loadgen.model.block_facts import BlockFacts, KeepAliveFacts, SampleCounts
from loadgen.model.cell import Cell
from loadgen.model.connections_summary import ConnectionsSummary, LostRows, ServerAnnounced
from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import add_leniencies
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import (
    ArrivalsSummary,
    LatencySummary,
    PhaseSummary,
    PolicySummary,
)
from loadgen.model.records import Ending, Phase
from loadgen.model.unasked_bytes import add_unasked

# The percentiles of `summary.json`, and the points between them for the percentile chart.
_NAMED = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
CURVE = tuple(float(share) for share in 1 - np.logspace(np.log10(0.5), -4, 60))
# Above this share of requests that never got a connection, the percentiles without them are too low.
_UNSTARTED_SHARE = 0.001


def summarise_policy(
    samples: Samples,
    indices: NDArray[np.int64],
    measured: PolicySamples,
    cell: Cell,
    plan: Plan,
    with_curve: bool,
) -> PolicySummary:
    """Everything about one policy.

    samples: those of the run, whose blocks have `counted`. indices: those of the policy's samples. with_curve: its
    percentile curve will be drawn.
    """
    stops_early = plan.until_precision is not None
    blocks = [block for block in samples.blocks if block["policy"] == measured.name]
    exact = add_up([block["counted"] for block in blocks])
    errors = dict(exact["errors"])
    unfinished = errors.pop(ErrorKind.UNFINISHED.label, 0)
    started = exact["requests"] + sum(errors.values()) + unfinished
    unstarted = sum(block.get("unstarted", 0) for block in blocks)
    answered = int(measured.answered.sum())
    seconds = float(measured.seconds.sum())
    found: PolicySummary = {
        "protocol": cell.policy.protocol,
        "started": started,
        "requests": exact["requests"],
        "unfinished": unfinished,
        "unstarted": unstarted,
        "missing": None if plan.load.requests is None else max(0, plan.load.requests - started),
        "percentiles_too_low": unstarted > _UNSTARTED_SHARE * (started + unstarted),
        "errors": errors,
        "statuses": dict(sorted(exact["statuses"].items())),
        "lost": _lost(blocks),
        "is_scenario": any(block.get("continuous") for block in blocks),
        "redirected_to": next((to for block in reversed(blocks) if (to := block.get("redirected_to"))), None),
        "seconds": seconds,
        "blocks": sum(block.get("grouped", 1) for block in blocks),
        "answered": answered,
        "window_answered": sum(block.get("answered", 0) for block in blocks),
        "throughput_rps": float(measured.answered.sum()) / seconds if seconds else 0.0,
        "throughput_rps_ci95": throughput_interval(measured, stops_early),
        "arrivals": _arrivals(blocks, samples.columns["late"][indices], cell.rate_rps) if cell.rate_rps else None,
        "connections": _connections(blocks, exact, partial(_slots, cell, plan)),
        # Warm-up included, as a connection is counted at its end.
        "not_echoed": sum(block.get("mismatched_echoes", 0) for block in blocks),
        "upgrade": upgrade_cost(blocks, measured, cell.policy.protocol),
        "latency_ns": latency_summary(measured, with_curve, stops_early),
        "phases_ns": _phases(measured, exact["phases"]),
        "delayed_ack_share": delayed_ack_share(measured.valid),
        "by_position": by_position(measured, stops_early) if cell.policy.reuses else None,
        "generator": generator(blocks, measured, seconds),
        "trailers": trailers(blocks, cell.policy, plan.trailers),
        "lenient": add_leniencies(block.get("lenient") for block in blocks),
        "unasked_bytes": add_unasked(block.get("unasked_bytes") for block in blocks),
        "sockets": sockets(blocks),
        "server": server(blocks, answered),
        "by_name": requests_summary(plan.requests, blocks, exact, measured),
        "continues": continues(blocks, measured.valid.columns["continue_wait"]),
        "by_origin": origins_summary(plan, blocks, exact, measured),
        "balance": balance_summary(blocks),
    }
    if cell.target is not None:
        found["target"] = cell.target
    return found


def _slots(cell: Cell, plan: Plan, workers: int) -> int:
    """How many connections a block can have at the same time, of several origins to all of them.

    workers: how many ran it. Users share connections within a worker; Locust's workers have a pool each.
    """
    clients = plan.load.max_connections if cell.rate_rps else cell.users
    shared = 1 if cell.policy.coalesces else cell.policy.pool
    return (shared * workers or clients) * len(plan.origins)


def _arrivals(blocks: list[BlockFacts], late: NDArray[Any], rate_rps: float) -> ArrivalsSummary:
    """How the offered load was met. late: by how much the generator began each request too late; -1 if unknown."""
    ordered = np.sort(late[late >= 0])
    return {
        "due": sum(block.get("due", 0) for block in blocks),
        "unstarted": sum(block.get("unstarted", 0) for block in blocks),
        "rate_rps": rate_rps,
        "late_p50_ns": quantile(ordered, 0.5) if len(ordered) else None,
        "late_p99_ns": quantile(ordered, 0.99) if len(ordered) else None,
        "late_max_ns": int(ordered[-1]) if len(ordered) else None,
    }


def throughput_interval(measured: PolicySamples, stops_early: bool) -> list[float] | None:
    rounds = jackknife(measured.seconds > 0, stops_early)
    return rounds.ratio_interval(measured.rates_rps(rounds.weights()))


def latency_summary(measured: PolicySamples, with_curve: bool, stops_early: bool = False) -> LatencySummary:
    """The latency of all complete requests. stops_early: precision decided how many rounds there are."""
    size, totals = len(measured.latency_ns), measured.totals
    if not size:
        absent = dict.fromkeys(("mean", *_NAMED, "max", "mean_ci95", "p50_ci95", "p99_ci95"))
        return cast(LatencySummary, absent | {"curve": [], "histogram": []})
    # A percentile with fewer than ten samples above it depends on those few.
    shares = [share for share in CURVE if (1 - share) * size >= 10] if with_curve else []
    rounds = jackknife(measured.requests > 0, stops_early)
    means = measured.means_ns(rounds.weights())
    found = measured.quantiles_ns(rounds)
    p50, p90, p99, p99_9 = (round(found.value(share)) for share in _NAMED.values())
    return {
        "mean": round(float(means[0])),
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "p99_9": p99_9,
        "max": int(np.max(measured.latency_ns)) if totals is None else totals.max_ns[LATENCY],
        "mean_ci95": rounds.duration_interval(means),
        "p50_ci95": found.interval(_NAMED["p50"]),
        "p99_ci95": found.interval(_NAMED["p99"]),
        "curve": [
            {"share": share, "value": round(found.value(share)), "ci95": found.interval(share)} for share in shares
        ],
        "histogram": latency_bins(measured.latency_ns) if with_curve else [],
    }


def _used_slots(block: BlockFacts, slots: Callable[[int], int]) -> int:
    """How many connections the block needed: one for each slot that it used."""
    used = block["connections"]["slots"]
    # A scenario says itself how many requests its users have under way at a time.
    return used if block.get("continuous") else min(slots(block.get("workers", 1)) * block.get("grouped", 1), used)


def _connections(blocks: list[BlockFacts], exact: SampleCounts, slots: Callable[[int], int]) -> ConnectionsSummary:
    """What became of them. exact: what the blocks' windows counted. slots: see `_slots`."""
    counts: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    idle_statuses: Counter[str] = Counter()
    after_close: Counter[str] = Counter()
    challenge: Counter[str] = Counter()
    for block in blocks:
        challenge.update(_counts(block.get("challenge")))
        counts.update(_counts(block["connections"]))
        endings.update(block["endings"])
        idle_statuses.update(_counts(block.get("idle_statuses")))
        after_close.update(_counts(block.get("after_close")))
    opened = counts["opened"]
    exchanges = carried_by(blocks)
    return {
        "opened": opened,
        "ideal": sum(_used_slots(block, slots) for block in blocks) + challenge["connections"],
        "proxy_asked": challenge["connections"],
        "reuse_ratio": exact["reused"] / exact["requests"] if exact["requests"] else 0.0,
        "requests_per_connection": exchanges / opened if opened else 0.0,
        "closed_by": {"client": counts["closed_by_client"], "server": counts["closed_by_server"]},
        # A connection that was never opened did not end.
        "endings": {
            ending.label: endings[ending.label]
            for ending in Ending
            if endings[ending.label] and ending is not Ending.NOT_OPENED
        },
        "ended_after": widest(block.get("ended_after", {}) for block in blocks),
        "retried": sum(block.get("retried", 0) for block in blocks),
        "idle_statuses": {status: idle_statuses[status] for status in sorted(idle_statuses)},
        "after_close": {"tried": after_close["tried"], "answered": after_close["answered"]},
        "server_announced": _announced(blocks),
        "tls_full": counts["tls_full"],
        "tls_resumed": counts["tls_resumed"],
        "early_data": {
            "accepted": counts["early_accepted"],
            "rejected": counts["early_rejected"],
            "replayed": counts["early_replayed"],
        },
        "proxy_full_handshakes": counts["proxy_full_handshakes"],
        "proxy_resumed_handshakes": counts["proxy_resumed_handshakes"],
        "races": races_summary(blocks),
        "server_ignored_close": counts["server_ignored_close"],
        "upgraded": counts["upgraded"],
        "upgrade_declined": counts["upgrade_declined"],
        "exchanges_with_warmup": exchanges,
        "warmup_errors": max(0, sum(block["warmup_errors"] for block in blocks) - challenge["errors"]),
        "warmup_outlasted": sum(block["warmup_outlasted"] for block in blocks),
        "unserved": sum(block.get("unserved", 0) for block in blocks),
    }


def _announced(blocks: list[BlockFacts]) -> ServerAnnounced:
    """What the server's Keep-Alive fields said: the smallest timeout, the largest max; None where it said nothing."""
    announced: list[KeepAliveFacts] = [block["keep_alive"] for block in blocks if block.get("keep_alive")]
    timeouts_s = (one["timeout_s"] for one in announced if one.get("timeout_s") is not None)
    maxima = (one["max"] for one in announced if one.get("max") is not None)
    return {"keep_alive_timeout_s": min(timeouts_s, default=None), "keep_alive_max": max(maxima, default=None)}


def _lost(blocks: list[BlockFacts]) -> LostRows | None:
    """What is in no row; None where all is."""
    found = [block["lost"] for block in blocks if "lost" in block]
    if not found:
        return None
    return {
        "exchanges": sum(one["exchanges"] for one in found),
        "connections": sum(one["connections"] for one in found),
    }


def _counts(facts: Any) -> dict[str, int]:
    """A block's counts by name, to be added; none where it has none."""
    return facts or {}


def _phases(measured: PolicySamples, counts: dict[str, int]) -> dict[str, PhaseSummary]:
    """counts: how often each phase happened, in all requests, also those that thinning has taken out."""
    phases: dict[str, PhaseSummary] = {}
    for phase in Phase:
        if measured.totals is not None and measured.totals.count(phase.value):
            phases[phase.value] = _phase_of_all(measured.totals, phase.value)
            continue
        column = measured.valid.columns[phase.value]
        happened = column[column >= 0]
        if len(happened):
            p50, p99 = quantiles(happened, 0.5, 0.99)
            phases[phase.value] = {
                "count": counts[phase.value],
                "mean": round(float(happened.mean())),
                "p50": p50,
                "p99": p99,
                "mean_per_request": round(float(happened.sum(dtype=np.int64)) / len(column)),
            }
        else:
            phases[phase.value] = {
                "count": counts.get(phase.value, 0),
                "mean": None,
                "p50": None,
                "p99": None,
                "mean_per_request": 0,
            }
    return phases


def _phase_of_all(totals: PolicyTotals, phase: str) -> PhaseSummary:
    p50, p99 = totals.quantiles_ns(phase, [0.5, 0.99])
    return {
        "count": totals.count(phase),
        "mean": round(float(totals.sums_ns[phase].sum()) / totals.count(phase)),
        "p50": p50,
        "p99": p99,
        "mean_per_request": round(totals.mean_ns(phase)),
    }
