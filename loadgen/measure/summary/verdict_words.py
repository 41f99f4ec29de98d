"""Words and numbers as the verdict writes them."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.measure.labels import declined_words
from loadgen.model.policy import HTTP1
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
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


def named(name: str, policies: dict[str, PolicySummary], *, bracketed: bool = False) -> str:
    """A policy's name, and whether its upgrades were declined. bracketed: the text will stand in brackets."""
    one = policies[name]
    declined = declined_words(one) if one["protocol"] != HTTP1 else ""
    if not declined:
        return name
    return f"{name}, {declined}" if bracketed else f"{name} ({declined})"


def estimate_text(value_ns: float, interval_ns: Sequence[float] | None, *, sign: bool = False) -> str:
    """A time and its interval, if it has one: 0.82 ms [0.80, 0.85]."""
    return " ".join(filter(None, format_estimate(value_ns, interval_ns, sign=sign)))


def ratio_text(ratio: float, interval: Sequence[float], decimals: int = 3) -> str:
    """A ratio and its interval: 1.004× [0.998, 1.011]."""
    value, low, high = (format_number(one, decimals) for one in (ratio, *interval))
    return f"{value}× [{low}, {high}]"
