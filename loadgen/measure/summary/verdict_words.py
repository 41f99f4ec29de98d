"""Words and numbers as the verdict writes them."""

from __future__ import annotations

from loadgen.measure.labels import declined_words
from loadgen.model.policy import HTTP1
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase

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


def ms(value_ns: float, *, sign: bool = False) -> str:
    value = value_ns / 1e6
    digits = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
