"""Why a load that a pilot tried is too high: for the generator, or for the target. Pure; chooses nothing."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.model.generator_limits import HONEST_CPU_SHARE
from loadgen.model.pilot_record import PilotFigures
from loadgen.model.units import NS_PER_US, format_duration

_MAX_LATENCY_RATIO = 1.25
"""The median latency may be this multiple of the one under hardly any load, and some time more."""
_SLACK_NS = 50 * NS_PER_US
_SLACK_OF_PACE_NS = 500 * NS_PER_US
"""More for the first load that is tried: it is compared with requests that follow each other at once, which find
processor and caches awake."""
_MAX_LAG_RATIO = 0.25
"""By how much the generator's lag may grow, as a share of the latency."""
_MIN_RATE_RATIO = 0.75
"""Of the rate that the load offers at that latency: if less is answered, it does not follow the load."""
MIN_REQUESTS = 8
"""From fewer requests the rate and the median say little."""
_MAX_ERROR_RATIO = 0.05


def objection(
    figures: Mapping[str, PilotFigures],
    reference: Mapping[str, PilotFigures],
    unloaded: Mapping[str, PilotFigures],
    expected_rps: Mapping[str, float],
) -> str:
    """The first objection to a load, in words; empty where there is none.

    figures: of this load, by policy. reference: of the lowest load, empty where this is it. unloaded: of one user
    without pauses. expected_rps: what the load offers if the latency stays.
    """
    for name, one in figures.items():
        base = reference.get(name) or unloaded[name]
        slack_ns = _SLACK_NS if name in reference else _SLACK_OF_PACE_NS
        found = (
            _errors(one, base)
            or _generator(one, base, slack_ns)
            or _latency(one, base, slack_ns)
            or _rate(one, expected_rps[name])
        )
        if found:
            return f"{name}: {found}"
    return ""


def _errors(one: PilotFigures, base: PilotFigures) -> str:
    if _error_share(one) > _error_share(base) + _MAX_ERROR_RATIO:
        return f"{_error_share(one):.0%} of the requests failed"
    return ""


def _error_share(one: PilotFigures) -> float:
    total = one["requests"] + one["errors"]
    return one["errors"] / total if total else 0.0


def _generator(one: PilotFigures, base: PilotFigures, slack_ns: int) -> str:
    if one["cpu_share"] > HONEST_CPU_SHARE:
        return f"the generator used {one['cpu_share']:.0%} of its core"
    lag_ns, base_lag_ns, base_ns = one["lag_p50_ns"], base["lag_p50_ns"], base["latency_p50_ns"]
    if lag_ns is None or base_lag_ns is None or base_ns is None or one["requests"] < MIN_REQUESTS:
        return ""
    if lag_ns > base_lag_ns + _MAX_LAG_RATIO * base_ns + slack_ns:
        return f"the generator's lag rose from {format_duration(base_lag_ns)} to {format_duration(lag_ns)}"
    return ""


def _latency(one: PilotFigures, base: PilotFigures, slack_ns: int) -> str:
    now_ns, before_ns = one["latency_p50_ns"], base["latency_p50_ns"]
    if now_ns is None or before_ns is None:
        return ""
    if now_ns > _MAX_LATENCY_RATIO * before_ns + slack_ns:
        return f"the median latency rose from {format_duration(before_ns)} to {format_duration(now_ns)}"
    return ""


def _rate(one: PilotFigures, expected_rps: float) -> str:
    if one["requests"] < MIN_REQUESTS or one["rate_rps"] >= _MIN_RATE_RATIO * expected_rps:
        return ""
    return f"{one['rate_rps']:,.0f}/s were answered, and not the {expected_rps:,.0f}/s that were offered"
