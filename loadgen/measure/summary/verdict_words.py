"""Words and numbers as the verdict writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.measure.labels import declined_words, own_name
from loadgen.model.policy import HTTP1
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary
from loadgen.model.units import format_estimate, format_number

NO_INTERVAL = "(one round, no interval)"
PHASE_WORDS = {
    Phase.QUEUE: "waiting for a connection",
    Phase.DNS: "the DNS lookup",
    Phase.CONNECT: "the TCP handshake",
    Phase.TUNNEL: "the proxy tunnel",
    Phase.TLS: "the TLS handshake",
    Phase.UPGRADE: "the upgrade",
    Phase.SEND: "sending",
    Phase.WAIT: "waiting for the response",
    Phase.RECEIVE: "receiving",
}


@dataclass(frozen=True, slots=True)
class Sides:
    """What a sentence calls the two of a comparison."""

    lead: str
    """What they have in common, as the sentence begins; empty where that goes without saying."""
    baseline: str
    candidate: str


def sides(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> Sides:
    """Of one policy on two targets the targets; of two policies the policies, with the target that both have."""
    baseline, candidate = (comparison[side] for side in ("baseline", "candidate"))
    if is_between_targets(comparison, policies):
        both = own_name(candidate, policies[candidate])
        return Sides(f"{both}: ", *(_target_of(name, policies) for name in (baseline, candidate)))
    names = (f"{own_name(name, policies[name])}{_declined(name, policies)}" for name in (baseline, candidate))
    target = policies[candidate].get("target")
    return Sides("" if target is None else f"on {target}: ", *names)


def is_between_targets(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> bool:
    """It compares one policy on two targets."""
    return policies[comparison["baseline"]].get("target") != policies[comparison["candidate"]].get("target")


def named(name: str, policies: dict[str, PolicySummary], *, bracketed: bool = False) -> str:
    """A policy's name, and whether its upgrades were declined. bracketed: the text will stand in brackets."""
    return f"{name}{_declined(name, policies, bracketed=bracketed)}"


def named_or_counted(names: Sequence[str], policies: dict[str, PolicySummary], most: int) -> str:
    """These policies by their names; where they are more than `most`, how many they are."""
    if len(names) > most:
        return f"{len(names)} of {len(policies)}"
    return " and ".join(named(name, policies) for name in names)


def _target_of(name: str, policies: dict[str, PolicySummary]) -> str:
    return f"{policies[name].get('target', name)}{_declined(name, policies)}"


def _declined(name: str, policies: dict[str, PolicySummary], *, bracketed: bool = False) -> str:
    one = policies[name]
    declined = declined_words(one) if one["protocol"] != HTTP1 else ""
    if not declined:
        return ""
    return f", {declined}" if bracketed else f" ({declined})"


def estimate_text(value_ns: float, interval_ns: Sequence[float] | None, *, sign: bool = False) -> str:
    """A time and its interval, if it has one: 0.82 ms [0.80, 0.85]."""
    return " ".join(filter(None, format_estimate(value_ns, interval_ns, sign=sign)))


def ratio_text(ratio: float, interval: Sequence[float], decimals: int = 3) -> str:
    """A ratio and its interval: 1.004× [0.998, 1.011]."""
    value, low, high = (format_number(one, decimals) for one in (ratio, *interval))
    return f"{value}× [{low}, {high}]"
