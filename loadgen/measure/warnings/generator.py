"""Warnings about the generator: where its own time is a large share of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loadgen.measure.stats.comparison import is_uncertain
from loadgen.model.cell import Cell
from loadgen.model.generator_limits import HONEST_CPU_SHARE
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary
from loadgen.model.units import NS_PER_MS, NS_PER_US, format_duration, share_text
from loadgen.model.warning_codes import WarningCode

Found = Iterator[tuple[WarningCode, str]]

# If the stamps' delay (without stamps: the lag) is more than this share of the median, a good part of it is not the
# target's. The same share holds for a difference between two policies, and for own work in what a request takes.
LARGE_SHARE = 0.25
# Up to this delay of an event a generator that has nothing else to do does not lag: the kernel needs as long to wake
# any client.
_WAKE_UP_NS = 50 * NS_PER_US
# A median of fewer stamps says little. Of a server that closes with its responses only a few have one, by chance.
_MIN_STAMPS = 10
# The generator was late if its lateness exceeds both of the first two, or the last alone; shares are of p99.
_LATE_NS = NS_PER_MS
_LATE_SHARE = 0.1
_MOSTLY_LATE_SHARE = 0.5


def median_delay_ns(summary: PolicySummary) -> int | None:
    """By how much the stamps lengthen a typical request; None where it was not measured.

    Each phase whose end the kernel stamps too adds its median. `connect` counts if most requests open a connection.
    """
    wait_ns, connect_ns = _median_delays_ns(summary)
    return None if wait_ns is None else wait_ns + (connect_ns or 0)


def _median_delays_ns(summary: PolicySummary) -> tuple[int | None, int | None]:
    """Of `wait` and `connect` of a typical request; None where it was not measured, or where it opens no connection."""
    delays = summary["generator"].get("stamp_delay_ns")
    if delays is None:
        return None, None
    wait, connect = (
        one if one and one["count"] >= _MIN_STAMPS else None for one in (delays["wait"], delays["connect"])
    )
    opens = 2 * summary["phases_ns"][Phase.CONNECT.value]["count"] > summary["requests"]
    return wait and wait["p50"], connect["p50"] if opens and connect is not None else None


def lateness_ns(summary: PolicySummary) -> int | None:
    """By how much the generator may lengthen a typical request: by the kernel's stamps, or by the lag of a busy one.

    None where neither is known.
    """
    delay_ns, generator = median_delay_ns(summary), summary["generator"]
    if delay_ns is not None:
        return delay_ns
    # The lag is an upper bound, far above the truth where the generator is idle for most of the time.
    if generator["cpu_share"] > HONEST_CPU_SHARE:
        return generator["lag_p50_ns"]
    # Where a server closes with its response, `wait` has no stamp.
    return _median_delays_ns(summary)[1]


def generator_warnings(summary: PolicySummary, cell: Cell, plan: Plan) -> Found:
    """Where the numbers of a policy are about the generator."""
    generator = summary["generator"]
    p50_ns, p99_ns = summary["latency_ns"]["p50"], summary["latency_ns"]["p99"]
    if stalled_ns := generator.get("stalled_ns"):
        yield (
            WarningCode.GENERATOR_STALLED,
            f"the generator did not run for up to {format_duration(stalled_ns)}: it was stopped, or got no CPU; "
            "latencies of that time are its own",
        )
    if p50_ns is None or p99_ns is None:
        return
    if generator["saturated"]:
        yield (
            WarningCode.GENERATOR_SATURATED,
            f"the generator was the bottleneck: it used {generator['cpu_share']:.0%} of a core",
        )
    else:
        yield from _share_of_latency(summary, p50_ns)
        yield from _own_work(summary, cell, plan)
    late_ns = summary["arrivals"]["late_p99_ns"] if summary["arrivals"] else None
    if late_ns is not None and _is_late(late_ns, p99_ns):
        yield (
            WarningCode.GENERATOR_LATE,
            f"the generator, not the target, began 1% of the requests {format_duration(late_ns)} or more after they "
            f"were due, and the p99 of {format_duration(p99_ns)} includes that",
        )


def difference_bias(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> float | None:
    """By how much the stamps of the two are late by different amounts, as a share of the difference of their means.

    None where a delay is not known, or no difference is certain.
    """
    bias_ns, delta_ns = _bias_ns(comparison, policies), abs(comparison["latency_mean_delta_ns"])
    return None if bias_ns is None or not delta_ns else bias_ns / delta_ns


def difference_warnings(comparisons: Iterable[ComparisonSummary], policies: dict[str, PolicySummary]) -> Found:
    """Where the stamps of one policy are later than those of the other, by a large share of the difference."""
    for one in comparisons:
        bias_ns, delta_ns = _bias_ns(one, policies), abs(one["latency_mean_delta_ns"])
        if bias_ns is not None and bias_ns > LARGE_SHARE * delta_ns:
            yield (
                WarningCode.STAMP_DELAY,
                f"{one['candidate']} against {one['baseline']}: the generator's stamp delays differ by "
                f"{format_duration(bias_ns)}, a large share of the mean difference of {format_duration(delta_ns)}",
            )


def _bias_ns(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> float | None:
    """By how much their stamps are late by different amounts, per request.

    None where one of them has none at all, or the difference may be none. `wait` counts where both have its delay. A
    server that closes with its response leaves none; waking a client takes as long as under the other policy.
    """
    delays = [_delays_per_request_ns(policies[comparison[side]]) for side in ("baseline", "candidate")]
    if (None, None) in delays or is_uncertain(comparison["latency_mean_delta_ci95"]):
        return None
    (baseline_wait, baseline_connect), (candidate_wait, candidate_connect) = delays
    wait_ns = 0 if baseline_wait is None or candidate_wait is None else candidate_wait - baseline_wait
    return abs(wait_ns + (candidate_connect or 0) - (baseline_connect or 0))


def _delays_per_request_ns(summary: PolicySummary) -> tuple[float | None, float | None]:
    """The median delays of `wait` and `connect`; the latter is shared by the requests on a connection."""
    delays = summary["generator"].get("stamp_delay_ns")
    if delays is None:
        return None, None
    wait, connect = delays["wait"], delays["connect"]
    opening = summary["phases_ns"][Phase.CONNECT.value]["count"] / max(1, summary["requests"])
    return wait and wait["p50"], connect and connect["p50"] * opening


def _share_of_latency(summary: PolicySummary, p50_ns: int) -> Found:
    """Responses wait for the generator: by the kernel's stamps where there are any, else by the lag, an upper bound."""
    late_ns, known = lateness_ns(summary), [delay for delay in _median_delays_ns(summary) if delay is not None]
    if late_ns is None or late_ns <= max(_WAKE_UP_NS * len(known), LARGE_SHARE * p50_ns):
        return
    late, latency = format_duration(late_ns), format_duration(p50_ns)
    if late_ns > p50_ns:
        text = f"events were stamped up to {late} late (median), while the median latency is {latency}"
    elif late_ns == sum(known):
        text = f"about {late} of the median latency of {latency} passed between the kernel's stamps and the generator's"
    else:
        text = f"up to {late} of the median latency of {latency} may be the generator's own lag"
    cpu_share = summary["generator"]["cpu_share"]
    if cpu_share > HONEST_CPU_SHARE:
        yield WarningCode.GENERATOR_SATURATED, text
    else:
        yield (
            WarningCode.LATE_WAKE_UPS,
            f"{text}; it used {share_text(cpu_share, 0)} of a core, so the machine wakes it late",
        )


def own_work_share(summary: PolicySummary, cell: Cell, plan: Plan) -> float | None:
    """Own work as a share of what a request takes its user, latency and own work together; None where it is not known.

    It lengthens the turn of a user that sends again at once, one request at a time; for others there is no such share.
    """
    own_ns, latency_ns = summary["generator"].get("own_mean_ns"), summary["latency_ns"]["mean"]
    waits = summary["arrivals"] is not None or plan.load.think_ns or cell.policy.gap_ns or cell.policy.depth > 1
    if own_ns is None or latency_ns is None or waits or not own_ns + latency_ns:
        return None
    return own_ns / (own_ns + latency_ns)


def _own_work(summary: PolicySummary, cell: Cell, plan: Plan) -> Found:
    share = own_work_share(summary, cell, plan)
    own_ns, latency_ns = summary["generator"].get("own_mean_ns"), summary["latency_ns"]["mean"]
    if share is not None and own_ns is not None and latency_ns is not None and share > LARGE_SHARE:
        yield (
            WarningCode.OWN_WORK,
            f"{format_duration(own_ns)} of the {format_duration(own_ns + latency_ns)} that a request takes its user is "
            "the generator's own work: no latency includes it, and the throughput is lower for it",
        )


def _is_late(late_ns: int, p99_ns: int) -> bool:
    return late_ns > max(_LATE_NS, _LATE_SHARE * p99_ns) or late_ns > _MOSTLY_LATE_SHARE * p99_ns
