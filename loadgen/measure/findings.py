"""What a reader must know beside the numbers: warnings with codes, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loadgen.model.policy import POLICIES
from loadgen.model.sample import Phase
from loadgen.model.units import format_duration

_ENOUGH_ROUNDS = 5
# Above these, what was measured is to a good part the generator itself.
_BUSY_CPU_SHARE = 0.9
_BUSY_LAG_SHARE = 0.25
# Percentiles of samples that differ this much in number aren't equally sharp.
_UNLIKE_COUNTS = 20
_WHAT = {
    Phase.QUEUE: "waiting for a connection",
    Phase.DNS: "the name look-up",
    Phase.CONNECT: "the TCP handshake",
    Phase.TLS: "the TLS handshake",
    Phase.UPGRADE: "the upgrade",
    Phase.SEND: "sending",
    Phase.WAIT: "waiting for the response",
    Phase.RECEIVE: "receiving",
}


def warnings(policies: dict[str, Any], plan: dict[str, Any], rounds: int) -> list[dict[str, str]]:
    """Every warning that the numbers call for, as {code, message}."""
    found = [{"code": code, "message": message} for code, message in _run_warnings(policies, plan, rounds)]
    for name, one in policies.items():
        found += [{"code": code, "message": f"{name}: {message}"} for code, message in _policy_warnings(name, one)]
    return found


def _run_warnings(policies: dict[str, Any], plan: dict[str, Any], rounds: int) -> Iterator[tuple[str, str]]:
    if rounds < _ENOUGH_ROUNDS:
        yield (
            "too_few_rounds",
            f"{rounds} rounds say little about their spread; use at least {_ENOUGH_ROUNDS}",
        )
    if plan["insecure"] and plan["url"].startswith("https"):
        yield "tls_not_verified", "certificates were not verified (--insecure)"
    counts = {name: one["requests"] for name, one in policies.items()}
    if min(counts.values()) * _UNLIKE_COUNTS < max(counts.values()):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        yield (
            "unlike_sample_counts",
            f"{most} has {counts[most]:,} requests, {least} only {counts[least]:,}: its tail is less certain",
        )


def _policy_warnings(name: str, one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    generator, connections, latency = one["generator"], one["connections"], one["latency_ns"]
    policy = POLICIES[name]
    if not one["requests"]:
        yield "no_samples", "no request that began in a counted window was answered; try a longer --block"
    if connections["warmup_outlasted"]:
        yield (
            "window_outlasted",
            f"{connections['warmup_outlasted']:,} requests of the warm-up lasted beyond the counted window and are in "
            "no percentile; use a longer --block",
        )
    if connections["warmup_errors"]:
        yield "warmup_errors", f"{connections['warmup_errors']:,} requests outside the counted windows failed"
    if not one["requests"]:
        return
    if generator["cpu_share"] > _BUSY_CPU_SHARE:
        yield (
            "generator_saturated",
            f"it used {generator['cpu_share']:.0%} of a core: the generator was the bottleneck",
        )
    elif generator["lag_p50_ns"] > _BUSY_LAG_SHARE * latency["p50"]:
        yield (
            "generator_saturated",
            f"of the median latency of {format_duration(latency['p50'])} up to "
            f"{format_duration(generator['lag_p50_ns'])} may be the generator's own lag",
        )
    if one["errors"]:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in one["errors"].items())
        yield "errors", f"of {one['started']:,} requests failed: {listed}"
    bad = sum(count for status, count in one["statuses"].items() if int(status) >= 400)
    if bad:
        yield "http_errors", f"{bad:,} of {one['requests']:,} responses had a status of 400 or above"
    if policy.reuses and connections["opened"] != connections["ideal"]:
        yield (
            "connections_not_ideal",
            f"{connections['opened']:,} connections were opened, perfect reuse takes {connections['ideal']:,}; "
            f"the server ended {connections['closed_by']['server']:,}",
        )
    if connections["server_ignored_close"]:
        yield (
            "server_ignored_close",
            f"on {connections['server_ignored_close']:,} connections the server neither announced nor did the close "
            "that was asked for",
        )
    if connections["tls_resumed"] and not policy.resumes_tls:
        yield (
            "tls_resumed_unasked",
            f"{connections['tls_resumed']:,} handshakes were resumed though none should be",
        )
    if policy.resumes_tls and connections["tls_full"] > connections["ideal"]:
        yield (
            "tls_not_resumed",
            f"{connections['tls_full']:,} handshakes were full ones: the server did not resume every session",
        )


def verdict(policies: dict[str, Any], comparisons: list[dict[str, Any]], found: list[dict[str, str]]) -> str:
    """The answer in one sentence."""
    if not comparisons:
        only = [f"{name} answered {one['requests']:,} requests" for name, one in policies.items() if one["requests"]]
        return (
            f"{only[0]}; there is nothing to compare it with"
            if only
            else "no request that began in a counted window was answered"
        )
    sentence = "; ".join(_difference(comparison) for comparison in comparisons)
    if any(one["generator"]["cpu_share"] > _BUSY_CPU_SHARE for one in policies.values()):
        return f"{sentence}; the generator was the bottleneck, so these are its limits, not the target's"
    if any(warning["code"] == "generator_saturated" for warning in found):
        return f"{sentence}; the generator lagged, so a good part of these times is its own"
    return sentence


def _difference(comparison: dict[str, Any]) -> str:
    baseline, candidate = comparison["baseline"], comparison["candidate"]
    delta, interval = comparison["latency_p50_delta_ns"], comparison["latency_p50_delta_ci95"]
    bounds = "" if interval is None else f" [{_ms(min(map(abs, interval)))}, {_ms(max(map(abs, interval)))}]"
    if interval is not None and interval[0] <= 0 <= interval[1]:
        return (
            f"{candidate} and {baseline} show no certain difference at p50 "
            f"({_ms(delta, sign=True)} ms [{_ms(interval[0], sign=True)}, {_ms(interval[1], sign=True)}])"
        )
    ratio = _times(comparison["latency_p50_ratio"])
    if delta < 0:
        return f"{candidate} saves {_ms(-delta)} ms per request at p50{bounds} compared with {baseline}, {ratio}"
    share = _share(comparison)
    return f"{candidate} costs {_ms(delta)} ms more per request at p50{bounds} than {baseline}, {ratio}{share}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 99.5 else f"{ratio:.2g}×" if ratio >= 0.01 else "under 0.01×"


def _share(comparison: dict[str, Any]) -> str:
    """The phase that makes up most of the mean difference, where there is one."""
    total = comparison["latency_mean_delta_ns"]
    deltas = comparison["phase_deltas_mean_ns"]
    largest = max(deltas, key=deltas.__getitem__)
    if total <= 0 or deltas[largest] <= 0:
        return ""
    return f"; {min(deltas[largest] / total, 1):.0%} of the mean difference is {_WHAT[Phase(largest)]}"


def _ms(value_ns: float, *, sign: bool = False) -> str:
    value = value_ns / 1e6
    digits = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
