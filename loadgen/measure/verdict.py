"""The answer of a run in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadgen.measure.findings import BUSY_CPU_SHARE, nothing_answered
from loadgen.measure.labels import labels, plain_number
from loadgen.model.sample import Phase

# So many differences still make a sentence; of more, only the ends are told.
_MOST_CLAUSES = 3
# Where the greatest K's share of handshakes is this small, it saves all there is to save.
_ALL_BUT = 0.01
_NO_INTERVAL = "(one round, no interval)"
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


def verdict(
    policies: dict[str, Any],
    comparisons: list[dict[str, Any]],
    found: list[dict[str, str]],
    swept: dict[str, Any] | None = None,
) -> str:
    """The answer. found: the run's warnings, for what must be said with it."""
    answered = {name: one for name, one in policies.items() if one["requests"]}
    if not answered:
        return nothing_answered(policies)
    said = [_answer(policies, answered, comparisons, found, swept)]
    said += [warning["message"] for warning in found if warning["code"] == "blocks_without_answer"]
    return "; ".join(said)


def _answer(
    policies: dict[str, Any],
    answered: dict[str, Any],
    comparisons: list[dict[str, Any]],
    found: list[dict[str, str]],
    swept: dict[str, Any] | None,
) -> str:
    if swept is not None and swept["amortisation"]:
        sentence = _amortised(swept["amortisation"])
    elif comparisons:
        sentence = _differences(comparisons)
    elif swept is not None:
        sentence = _range(answered)
    else:
        name, one = next(iter(answered.items()))
        return f"{name} answered {one['requests']:,} requests; there is nothing to compare it with"
    if any(one["generator"]["cpu_share"] > BUSY_CPU_SHARE for one in policies.values()):
        if len(policies) > 2 or swept is not None:
            return f"{sentence}; in a part of the run the generator was the bottleneck: see the warnings"
        return f"{sentence}; the generator was the bottleneck, so these are its limits, not the target's"
    if any(warning["code"] in ("generator_saturated", "generator_late") for warning in found):
        return f"{sentence}; the generator lagged, so a good part of these times is its own"
    return sentence


def _amortised(groups: list[dict[str, Any]]) -> str:
    """What the amortisation says: of one group in full, of several the ends."""
    if len(groups) == 1:
        one = groups[0]
        cost, paid = _exchange(one), _handshake(one)
        sentence = f"a request costs {cost} plus {paid} for each new connection, shared by the K requests on it"
        if one["k90"] is not None:
            sentence += f"; {_saved(one)} is reached at K = {_k90(one)}"
    else:
        by_paid = sorted(groups, key=lambda one: float(one["handshake_ns"]))
        sentence = (
            f"a new connection costs {_ends(by_paid, groups, _handshake)} "
            f"in the {len(groups)} groups of cells that differ in K alone"
        )
        by_k90 = sorted((one for one in groups if one["k90"] is not None), key=lambda one: float(one["k90"]))
        if by_k90:
            sentence += f"; {_saved(by_k90[0])} is reached at K = {_ends(by_k90, groups, _k90)}"
    return sentence if groups[0]["exchange_ci95"] is not None else f"{sentence} {_NO_INTERVAL}"


def _exchange(one: dict[str, Any]) -> str:
    return _estimate(one["exchange_ns"], one["exchange_ci95"])


def _handshake(one: dict[str, Any]) -> str:
    return _estimate(one["handshake_ns"], one["handshake_ci95"])


def _k90(one: dict[str, Any]) -> str:
    bounds = "" if one["k90_ci95"] is None else f" [{_k(one['k90_ci95'][0])}, {_k(one['k90_ci95'][1])}]"
    return f"{_k(one['k90'])}{bounds}"


def _saved(one: dict[str, Any]) -> str:
    """What the 90 % are of: a grid that ends early knows nothing of what more reuse would save."""
    first, last = (one["cells"][end]["requests_per_connection"] for end in (0, -1))
    if last is None or first < _ALL_BUT * last:
        return "90% of what reuse saves"
    return f"90% of what K = {_k(last)} saves over K = {_k(first)}"


def _ends(ordered: list[dict[str, Any]], groups: list[dict[str, Any]], write: Callable[[dict[str, Any]], str]) -> str:
    """The least and the greatest of the groups, each with its interval and its name."""
    names = labels(groups)
    low, high = (f"{write(one)} ({names[groups.index(one)]})" for one in (ordered[0], ordered[-1]))
    return low if low == high else f"{low} to {high}"


def _differences(comparisons: list[dict[str, Any]]) -> str:
    if len(comparisons) <= _MOST_CLAUSES:
        return "; ".join(_difference(comparison) for comparison in comparisons)
    ordered = sorted(comparisons, key=lambda one: float(one["latency_p50_ratio"]))
    return f"of {len(ordered)} differences the ends: {_difference(ordered[-1])}; {_difference(ordered[0])}"


def _range(answered: dict[str, Any]) -> str:
    """Of cells that don't compare: where the median is lowest and highest, and where most is answered."""
    by_p50 = sorted(answered, key=lambda name: int(answered[name]["latency_ns"]["p50"]))
    low, high = by_p50[0], by_p50[-1]
    most = max(answered, key=lambda name: float(answered[name]["throughput_rps"]))
    p50 = {name: _ms(answered[name]["latency_ns"]["p50"]) for name in (low, high)}
    return (
        f"the median goes from {p50[low]} ms ({low}) to {p50[high]} ms ({high}); "
        f"the highest throughput is {answered[most]['throughput_rps']:,.0f} req/s ({most})"
    )


def _estimate(value_ns: float, interval: list[int] | None) -> str:
    return _ms(value_ns) + ("" if interval is None else f" [{_ms(interval[0])}, {_ms(interval[1])}]") + " ms"


def _k(value: float) -> str:
    """K, with a decimal where that says something."""
    return f"{value:,.0f}" if value >= 9.95 else plain_number(round(value, 1))


def _difference(comparison: dict[str, Any]) -> str:
    baseline, candidate = comparison["baseline"], comparison["candidate"]
    delta, interval = comparison["latency_p50_delta_ns"], comparison["latency_p50_delta_ci95"]
    bounds = (
        f" {_NO_INTERVAL}" if interval is None else f" [{', '.join(_ms(one) for one in sorted(map(abs, interval)))}]"
    )
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
