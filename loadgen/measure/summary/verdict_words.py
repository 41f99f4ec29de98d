"""Words and numbers as the verdict writes them."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.measure.labels import declined_words
from loadgen.model.policy import HTTP1
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.units import NS_PER_MS, NS_PER_US

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

# Three decimals of a millisecond would show a smaller time with one digit,
_FEW_NS = 10 * NS_PER_US
# and a smaller bound as 0.
_ZERO_NS = NS_PER_US / 2


def named(name: str, policies: dict[str, PolicySummary], *, bracketed: bool = False) -> str:
    """A policy's name, and whether its upgrades were declined. bracketed: the text will stand in brackets."""
    one = policies[name]
    declined = declined_words(one) if one["protocol"] != HTTP1 else ""
    if not declined:
        return name
    return f"{name}, {declined}" if bracketed else f"{name} ({declined})"


def time_text(value_ns: float, *, sign: bool = False) -> str:
    """A time: 0.82 ms, 5.30 µs."""
    return interval_texts(value_ns, (), sign=sign)[0]


def interval_texts(value_ns: float, bounds_ns: Sequence[float] | None, *, sign: bool = False) -> tuple[str, str]:
    """A time with its unit, and its interval in the same unit: 0.82 ms and [0.80, 0.85].

    The interval is empty where there are no bounds. The unit is the microsecond where milliseconds would show too
    little of one of the numbers.
    """
    bounds = bounds_ns or ()
    in_us = abs(value_ns) < _FEW_NS or any(0 < abs(bound) < _ZERO_NS for bound in bounds)
    unit_ns, unit = (NS_PER_US, "µs") if in_us else (NS_PER_MS, "ms")
    listed = ", ".join(_number(bound / unit_ns, sign) for bound in bounds)
    return f"{_number(value_ns / unit_ns, sign)} {unit}", f"[{listed}]" if listed else ""


def _number(value: float, sign: bool) -> str:
    digits = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:+.{digits}f}" if sign and value else f"{value:.{digits}f}" if value else "0"
