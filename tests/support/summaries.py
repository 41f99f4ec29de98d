"""Policies' parts of a summary without a run: everything went well, but for what a test changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loadgen.measure.stats.fairness import jain_index
from loadgen.model.balance_summary import BalanceInterval, BalanceSummary
from loadgen.model.records import Phase

MS = 1_000_000


def policy_summary(**changes: Any) -> Any:
    """A PolicySummary of 1,000 requests on 2 connections; a change to a part (a dict) changes only the keys it has."""
    phase = {"count": 1_000, "mean": MS, "p50": MS, "p99": 2 * MS, "mean_per_request": MS}
    absent = {"count": 0, "mean": None, "p50": None, "p99": None, "mean_per_request": 0}
    found: dict[str, Any] = {
        "protocol": "http/1.1",
        "started": 1_000,
        "requests": 1_000,
        "unfinished": 0,
        "unstarted": 0,
        "missing": None,
        "percentiles_too_low": False,
        "errors": {},
        "statuses": {"200": 1_000},
        "lost": None,
        "is_scenario": False,
        "redirected_to": None,
        "seconds": 5.0,
        "blocks": 5,
        "answered": 1_000,
        "window_answered": 1_000,
        "throughput_rps": 200.0,
        "throughput_rps_ci95": [190.0, 210.0],
        "arrivals": None,
        "connections": {
            "opened": 2,
            "ideal": 2,
            "proxy_asked": 0,
            "reuse_ratio": 1.0,
            "requests_per_connection": 500.0,
            "closed_by": {"client": 2, "server": 0},
            "endings": {"client_silent": 2},
            "retried": 0,
            "idle_statuses": {},
            "after_close": {"tried": 0, "answered": 0},
            "server_announced": {"keep_alive_timeout_s": None, "keep_alive_max": None},
            "tls_full": 0,
            "tls_resumed": 0,
            "server_ignored_close": 0,
            "upgraded": 0,
            "upgrade_declined": 0,
            "exchanges_with_warmup": 1_000,
            "warmup_errors": 0,
            "warmup_outlasted": 0,
        },
        "not_echoed": 0,
        "upgrade": None,
        "latency_ns": {
            "mean": MS, "p50": MS, "p90": MS, "p99": 2 * MS, "p99_9": 2 * MS, "max": 3 * MS,
            "mean_ci95": None, "p50_ci95": None, "p99_ci95": None, "curve": [],
        },
        "phases_ns": {one.value: dict(phase if one is Phase.WAIT else absent) for one in Phase},
        "delayed_ack_share": 0.0,
        "by_position": None,
        "generator": {
            "cpu_ns_per_request": 50_000, "cpu_share": 0.1, "saturated": False, "lag_p50_ns": 500, "lag_p99_ns": 9_000,
            "own_mean_ns": 6_000, "own_p50_ns": 5_000, "own_p99_ns": 20_000,
            "stalled_ns": None,
            "stamp_delay_ns": {"connect": None, "wait": None}, "rss_bytes": 50 << 20,
        },
        "trailers": {"asked": False, "responses": 0, "fields": {}},
        "lenient": {},
        "unasked_bytes": {"connections": 0, "example": ""},
        "sockets": dict.fromkeys((
            "time_wait_peak", "time_wait_client", "time_wait_server", "sockets_peak", "syn_retransmits",
            "listen_overflows", "listen_drops", "retransmits", "ports_range", "ports_left", "tcp_rtt_ns_p50",
            "tcp_cwnd_p50", "tcp_retransmits", "tcp_sampled",
        )),
        "server": None,
        "by_name": None,
        "by_origin": None,
        "balance": None,
        "continues": None,
    }  # fmt: skip
    for key, value in changes.items():
        old = found[key]
        replaces = key in ("errors", "statuses") or not (isinstance(old, dict) and isinstance(value, dict))
        found[key] = value if replaces else old | value
    return found


def balance_summary(counts: Sequence[Sequence[int]], rounds: int = 2, names: bool = True) -> BalanceSummary:
    """Of backends, or without `names` of addresses: what each had in each interval of a round."""
    places = [f"10.0.0.{place + 1}:80" for place in range(len(counts[0]))]
    each: list[BalanceInterval] = [
        {
            "round": number, "at_ns": place * 50_000_000, "connections": [1] * len(places), "requests": list(one),
            "failed": [0] * len(places), "backends": list(one) if names else [],
        }
        for number in range(rounds)
        for place, one in enumerate(counts)
    ]  # fmt: skip
    totals = [sum(one["requests"][place] for one in each) for place in range(len(places))]
    index = jain_index(totals)
    return {
        "addresses": [
            {"address": name, "connections": len(each), "requests": total, "failed": 0}
            for name, total in zip(places, totals, strict=True)
        ],
        "backends": [{"backend": f"b{place}", "requests": total} for place, total in enumerate(totals) if names],
        "evenness": {"connections": 1.0, "requests": index, "backends": index if names else None},
        "interval_ns": 50_000_000,
        "intervals": each,
    }
