"""The answer of a run in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeGuard

from loadgen.measure.labels import declined_words, labels, plain_number
from loadgen.measure.warnings.unanswered import why_nothing_answered
from loadgen.model.policy import HTTP1, WEBSOCKET
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import AmortisationSummary, ComparisonSummary, SweepSummary
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

_LOWEST_ERROR = 400  # RFC 9110 §15.5
# So many differences still make a sentence; of more, only the ends are told.
_MOST_CLAUSES = 3
_MOST_LISTED = 4
# A phase with this share of a difference is what it mostly is.
_MOSTLY = 0.5
# Where the greatest K's share of handshakes is this small, it saves all there is to save.
_ALL_BUT = 0.01
_NO_INTERVAL = "(one round, no interval)"
_WHAT = {
    Phase.QUEUE: "waiting for a connection",
    Phase.DNS: "the name look-up",
    Phase.CONNECT: "the TCP handshake",
    Phase.TUNNEL: "the way through the proxy",
    Phase.TLS: "the TLS handshake",
    Phase.UPGRADE: "the upgrade",
    Phase.SEND: "sending",
    Phase.WAIT: "waiting for the response",
    Phase.RECEIVE: "receiving",
}


def verdict(
    policies: dict[str, PolicySummary],
    comparisons: list[ComparisonSummary],
    found: list[RunWarning],
    swept: SweepSummary | None = None,
    by_proxy: Container[str] = (),
) -> str:
    """The answer. found: the run's warnings, for what must be said with it. by_proxy: policies whose requests a proxy
    is sent itself.
    """
    answered = {name: one for name, one in policies.items() if one["requests"]}
    if not answered:
        return why_nothing_answered(policies)
    said = [_answer(policies, answered, comparisons, found, swept), *_errors_alone(answered, by_proxy)]
    said += [warning["message"] for warning in found if warning["code"] == WarningCode.BLOCKS_WITHOUT_ANSWER]
    return "; ".join(said)


def _answer(
    policies: dict[str, PolicySummary],
    answered: dict[str, PolicySummary],
    comparisons: list[ComparisonSummary],
    found: list[RunWarning],
    swept: SweepSummary | None,
) -> str:
    if swept is not None and swept["amortisation"]:
        sentence = _amortised(swept["amortisation"]) + _declined(swept["amortisation"], policies)
    elif comparisons:
        sentence = _differences(comparisons, policies)
    elif swept is not None:
        sentence = _range(answered)
    else:
        name, one = next(iter(answered.items()))
        requests = count(one["requests"], "request")
        return f"{_named(name, policies)} answered {requests}; there is nothing to compare it with"
    if any(one["generator"]["saturated"] for one in policies.values()):
        if len(policies) > 2 or swept is not None:
            return f"{sentence}; in a part of the run the generator was the bottleneck: see the warnings"
        return f"{sentence}; the generator was the bottleneck, so these are its limits, not the target's"
    if any(warning["code"] in (WarningCode.GENERATOR_SATURATED, WarningCode.GENERATOR_LATE) for warning in found):
        return f"{sentence}; the generator lagged, so a good part of these times is its own"
    return sentence


def _errors_alone(answered: dict[str, PolicySummary], by_proxy: Container[str]) -> list[str]:
    """Where there was no other response, these are the times of refusals, and not what anybody wants to know."""
    statuses = sorted({int(status) for one in answered.values() for status in one["statuses"]})
    if min(statuses, default=0) < _LOWEST_ERROR:
        return []
    listed = ", ".join(map(str, statuses[:_MOST_LISTED])) + (", …" if len(statuses) > _MOST_LISTED else "")
    # What went through a tunnel has another author, and got no better answer.
    whose = ", perhaps the proxy's own" if all(name in by_proxy for name in answered) else ""
    return [f"every response was an error ({listed}){whose}"]


def _amortised(groups: list[AmortisationSummary]) -> str:
    """What the amortisation says: of one group in full, of several the ends."""
    if len(groups) == 1:
        one = groups[0]
        cost, paid = _exchange(one), _handshake(one)
        sentence = f"a request costs {cost} plus {paid} for each new connection, shared by the K requests on it"
        if one["k90"] is not None:
            sentence += f"; {_saved(one)} is reached at K = {_k90(one)}"
    else:
        by_paid = sorted(groups, key=lambda one: one["handshake_ns"])
        sentence = (
            f"a new connection costs {_ends(by_paid, groups, _handshake)} "
            f"in the {len(groups)} groups of cells that differ in K alone"
        )
        by_k90 = sorted((one for one in groups if one["k90"] is not None), key=lambda one: one["k90"] or 0)
        if by_k90:
            sentence += f"; {_saved(by_k90[0])} is reached at K = {_ends(by_k90, groups, _k90)}"
    return sentence if groups[0]["exchange_ci95"] is not None else f"{sentence} {_NO_INTERVAL}"


def _declined(groups: list[AmortisationSummary], policies: dict[str, PolicySummary]) -> str:
    """What has to be said with curves of cells that are not what their names say."""
    cells = {cell["name"]: group["base"] for group in groups for cell in group["cells"]}
    # Only a policy that the plan names asks for another protocol; axes alone make none of HTTP/1.1.
    declined = dict.fromkeys(f"{base}" for name, base in cells.items() if declined_words(policies[name]))
    if not declined:
        return ""
    partly = "partly " if any(policies[name]["connections"]["upgraded"] for name in cells) else ""
    return f"; the server declined {', '.join(declined)}, so these figures are {partly}those of HTTP/1.1"


def _exchange(one: AmortisationSummary) -> str:
    return _estimate(one["exchange_ns"], one["exchange_ci95"])


def _handshake(one: AmortisationSummary) -> str:
    return _estimate(one["handshake_ns"], one["handshake_ci95"])


def _k90(one: AmortisationSummary) -> str:
    bounds = "" if one["k90_ci95"] is None else f" [{_k(one['k90_ci95'][0])}, {_k(one['k90_ci95'][1])}]"
    return f"{_k(one['k90'] or 0)}{bounds}"


def _saved(one: AmortisationSummary) -> str:
    """What the 90 % are of: a grid that ends early knows nothing of what more reuse would save."""
    first, last = (one["cells"][end]["requests_per_connection"] for end in (0, -1))
    if first is None or last is None or first < _ALL_BUT * last:
        return "90% of what reuse saves"
    return f"90% of what K = {_k(last)} saves over K = {_k(first)}"


def _ends(
    ordered: list[AmortisationSummary], groups: list[AmortisationSummary], write: Callable[[AmortisationSummary], str]
) -> str:
    """The least and the greatest of the groups, each with its interval and its name."""
    names = labels(groups)
    low, high = (f"{write(one)} ({names[groups.index(one)]})" for one in (ordered[0], ordered[-1]))
    return low if low == high else f"{low} to {high}"


def _differences(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary]) -> str:
    """HTTP/1.1 with itself first: that is about reuse alone. Then what another protocol changes."""
    plain = [one for one in comparisons if policies[one["candidate"]]["protocol"] == HTTP1]
    others = [one for one in comparisons if policies[one["candidate"]]["protocol"] != HTTP1]
    if len(comparisons) <= _MOST_CLAUSES:
        return "; ".join(_difference(one, policies) for one in plain + others)
    said = []
    if len(plain) > _MOST_CLAUSES:
        ordered = sorted(plain, key=lambda one: one["latency_p50_ratio"])
        ends = "; ".join(_difference(one, policies) for one in (ordered[-1], ordered[0]))
        said.append(f"of {len(plain)} differences the ends: {ends}")
    else:
        said += [_difference(one, policies) for one in plain]
    if others:
        said.append(_other_protocols(others, policies))
    return "; ".join(said)


def _other_protocols(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary]) -> str:
    """Many differences in brief. In a sweep each load has a baseline of its own."""
    ordered = sorted(comparisons, key=lambda one: one["latency_p50_ratio"])
    listed = comparisons if len(comparisons) <= _MOST_LISTED else [ordered[0], ordered[-1]]
    which = "" if listed is comparisons else f" (the ends of {len(comparisons)})"
    baselines = {one["baseline"]: f"against {_named(one['baseline'], policies)}" for one in comparisons}
    if len(baselines) == 1:
        said = ", ".join(_brief(one, policies) for one in listed)
        return f"{baselines[listed[0]['baseline']]} at p50{which}: {said}"
    said = ", ".join(_brief(one, policies, f" {baselines[one['baseline']]}") for one in listed)
    return f"at p50{which}: {said}"


def _brief(comparison: ComparisonSummary, policies: dict[str, PolicySummary], against: str = "") -> str:
    delta, interval = comparison["latency_p50_delta_ns"], comparison["latency_p50_delta_ci95"]
    bounds = "" if interval is None else f" [{', '.join(_ms(one, sign=True) for one in interval)}]"
    name = f"{_named(comparison['candidate'], policies)}{against}"
    if _is_uncertain(interval):
        return f"{name} no certain difference ({_ms(delta, sign=True)} ms{bounds})"
    return f"{name} {_ms(delta, sign=True)} ms{bounds}{_mostly(comparison)}"


def _mostly(comparison: ComparisonSummary) -> str:
    share = _largest(comparison)
    return f" (mostly {_WHAT[share[0]]})" if share is not None and share[1] > _MOSTLY else ""


def _range(answered: dict[str, PolicySummary]) -> str:
    """Of cells that don't compare: where the median is lowest and highest, and where most is answered."""
    medians_ns = {name: one["latency_ns"]["p50"] or 0 for name, one in answered.items()}
    by_p50 = sorted(answered, key=medians_ns.__getitem__)
    low, high = by_p50[0], by_p50[-1]
    most = max(answered, key=lambda name: answered[name]["throughput_rps"])
    names = {name: _named(name, answered, bracketed=True) for name in (low, high, most)}
    p50 = {name: f"{_ms(medians_ns[name])} ms ({names[name]})" for name in (low, high)}
    return (
        f"the median goes from {p50[low]} to {p50[high]}; "
        f"the highest throughput is {answered[most]['throughput_rps']:,.0f} req/s ({names[most]})"
    )


def _estimate(value_ns: float, interval: list[int] | None) -> str:
    return _ms(value_ns) + ("" if interval is None else f" [{_ms(interval[0])}, {_ms(interval[1])}]") + " ms"


def _k(value: float) -> str:
    """K, with a decimal where that says something."""
    return f"{value:,.0f}" if value >= 9.95 else plain_number(round(value, 1))


def _difference(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> str:
    baseline, candidate = (_named(comparison[side], policies) for side in ("baseline", "candidate"))
    protocol = policies[comparison["candidate"]]["protocol"]
    delta, interval = comparison["latency_p50_delta_ns"], comparison["latency_p50_delta_ci95"]
    bounds = (
        f" {_NO_INTERVAL}" if interval is None else f" [{', '.join(_ms(one) for one in sorted(map(abs, interval)))}]"
    )
    if _is_uncertain(interval):
        return (
            f"{candidate} and {baseline} show no certain difference at p50 "
            f"({_ms(delta, sign=True)} ms [{_ms(interval[0], sign=True)}, {_ms(interval[1], sign=True)}])"
        )
    ratio, what = _times(comparison["latency_p50_ratio"]), "message" if protocol == WEBSOCKET else "request"
    if delta < 0:
        # What reuse saves is said by what its absence costs; another protocol may save anywhere.
        share = _share(comparison) if protocol != HTTP1 else ""
        return f"{candidate} saves {_ms(-delta)} ms per {what} at p50{bounds} compared with {baseline}, {ratio}{share}"
    share = _share(comparison)
    return f"{candidate} costs {_ms(delta)} ms more per {what} at p50{bounds} than {baseline}, {ratio}{share}"


def _named(name: str, policies: dict[str, PolicySummary], *, bracketed: bool = False) -> str:
    """A policy's name, and whether it is what its name says. bracketed: it will stand in brackets."""
    one = policies[name]
    said = declined_words(one) if one["protocol"] != HTTP1 else ""
    if not said:
        return name
    return f"{name}, {said}" if bracketed else f"{name} ({said})"


def _is_uncertain(interval: list[int] | None) -> TypeGuard[list[int]]:
    return interval is not None and interval[0] <= 0 <= interval[1]


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 99.5 else f"{ratio:.2g}×" if ratio >= 0.01 else "under 0.01×"


def _share(comparison: ComparisonSummary) -> str:
    """The phase that makes up most of the mean difference, where there is one."""
    share = _largest(comparison)
    return "" if share is None else f"; {share[1]:.0%} of the mean difference is {_WHAT[share[0]]}"


def _largest(comparison: ComparisonSummary) -> tuple[Phase, float] | None:
    """The phase that makes up most of the mean difference, and its share; None where median and mean disagree."""
    sign = -1 if comparison["latency_p50_delta_ns"] < 0 else 1
    total = sign * comparison["latency_mean_delta_ns"]
    deltas = {phase: sign * delta for phase, delta in comparison["phase_deltas_mean_ns"].items()}
    largest = max(deltas, key=deltas.__getitem__)
    if total <= 0 or deltas[largest] <= 0:
        return None
    return Phase(largest), min(deltas[largest] / total, 1)


def _ms(value_ns: float, *, sign: bool = False) -> str:
    value = value_ns / 1e6
    digits = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
