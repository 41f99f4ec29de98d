"""What requests on connections of nearly the server's idle timeout show: how many are lost, and what is safe. Pure.

A request that is on its way while the server closes its connection is lost (RFC 9112 §9.5). How often that happens, and
from which idle time on, decides for how long a client may keep a connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_S, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.proportion import wilson

TOPIC = "idle_timeout"
_MIN_REACH_NS = 50 * NS_PER_MS
_REACH_RTTS = 3
_MIN_MARGIN_NS = 100 * NS_PER_MS
_MARGIN_SHARE = 0.02
"""The idle timeout is known to within one of the two, whichever is longer."""
_EARLY_NS = 20 * NS_PER_MS
"""A loss this much before the first close, and one round trip, has no close to meet: the server had stopped reading."""

_STEP = 47
"""A prime that is larger than any number of tries, so that each part is tried once."""


class StaleOutcome(StrEnum):
    """What became of one connection that was to be used at nearly the idle timeout."""

    ANSWERED = "answered"
    REFUSED = "refused"  # by 408: it was not processed
    DIED = "died"
    CLOSED_BEFORE = "closed_before"  # the close was seen before the request was due, so none was sent


@dataclass(frozen=True, slots=True)
class StaleTry:
    """One connection. idle_ns: its idle time when the request was sent, or was due."""

    idle_ns: int
    outcome: StaleOutcome
    late_ns: int = 0
    """How much longer the server may have been idle: this side may have read the response before that late."""


@dataclass(frozen=True, slots=True)
class StaleRange:
    """The idle times that are tried (ns), around those at which the server closes."""

    first_ns: int
    last_ns: int

    @classmethod
    def around(cls, idle: Mapping[str, FindingValue], rtt_ns: int) -> StaleRange:
        """idle: the values of the probe idle_timeout, with a timeout."""
        low, high = ("timeout_low_ns", "timeout_high_ns") if idle["shape"] == "timer" else ("min_ns", "max_ns")
        reach_ns = max(_MIN_REACH_NS, _REACH_RTTS * rtt_ns)
        return cls(max(0, _integer(idle[low]) - reach_ns), _integer(idle[high]) + reach_ns)

    def part(self, number: int, parts: int) -> int:
        """The middle of one of the equal parts of the range (ns); neighbours by number are far apart in time."""
        place = number * _STEP % parts
        return self.first_ns + int((self.last_ns - self.first_ns) * (place + 0.5) / parts)


def stale_finding(
    tries: Sequence[StaleTry], idle: Mapping[str, FindingValue], span: StaleRange, rtt_ns: int
) -> Finding:
    """What the tries say together. idle: as for StaleRange."""
    count = {outcome: sum(one.outcome is outcome for one in tries) for outcome in StaleOutcome}
    died, sent = count[StaleOutcome.DIED], len(tries) - count[StaleOutcome.CLOSED_BEFORE]
    low, high = wilson(died, sent)
    window = wilson(died, len(tries))
    width_ns = span.last_ns - span.first_ns
    lost_ns = min((one.idle_ns for one in tries if one.outcome is StaleOutcome.DIED), default=None)
    longest_ns = min((one.idle_ns + one.late_ns for one in tries if one.outcome is StaleOutcome.DIED), default=None)
    closes_ns = min(_integer(idle["min_ns"]), _integer(idle["timeout_low_ns"]))
    safe_ns = safe_idle(closes_ns if lost_ns is None else min(closes_ns, lost_ns), rtt_ns)
    values: dict[str, FindingValue] = {
        "safe_idle_ns": safe_ns,
        "first_ns": span.first_ns,
        "last_ns": span.last_ns,
        "rtt_ns": rtt_ns,
        "tries": len(tries),
        "sent": sent,
        **{outcome.value: number for outcome, number in count.items()},
        "window_low_ns": int(window[0] * width_ns),
        "window_high_ns": int(window[1] * width_ns),
        "rate_low": low,
        "rate_high": high,
    }
    if sent:
        values |= {"rate": died / sent}
    if lost_ns is not None:
        values |= {"first_loss_ns": lost_ns, "window_ns": int(died / len(tries) * width_ns)}
    is_early = longest_ns is not None and longest_ns < closes_ns - rtt_ns - _EARLY_NS
    is_note = died or count[StaleOutcome.REFUSED]
    share = f"{died} of {sent} died ({100 * low:.0f}% to {100 * high:.0f}%)" if sent else "each was closed before"
    return Finding(
        verdict=Verdict.WARNING if is_early else Verdict.NOTE if is_note else Verdict.OK,
        measured=f"{share}; safe up to {limit_text(safe_ns)}",
        values=values,
        advice=_advice(safe_ns, died, is_early),
        # The advice is for clients: the settings of servers would be beside the point.
        topic=TOPIC if is_early else None,
    )


def safe_idle(first_end_ns: int, rtt_ns: int) -> int:
    """The longest idle time after which a request arrives before the server can have closed (ns)."""
    margin_ns = max(_MIN_MARGIN_NS, int(_MARGIN_SHARE * first_end_ns)) + rtt_ns
    return max(first_end_ns - margin_ns, first_end_ns // 2)


def limit_text(value_ns: int) -> str:
    """A time to set as a limit, so it is rounded down: 58.7 s, 3.89 s, 190 ms."""
    decimals = 1 if value_ns >= 10 * NS_PER_S else 2
    if value_ns >= NS_PER_S:
        return f"{value_ns // 10 ** (9 - decimals) / 10**decimals:.{decimals}f} s"
    return format_duration(value_ns // NS_PER_MS * NS_PER_MS)


def _advice(safe_ns: int, died: int, is_early: bool) -> str:
    text = f"set the client's idle limit to {limit_text(safe_ns)} or less"
    if is_early:
        text = f"the server takes requests before it closes, and does not answer them: {text}"
    if died:
        text += "; whether a lost request reached the application can't be known, so retry only idempotent ones"
    return text


def _integer(value: FindingValue) -> int:
    assert isinstance(value, int)
    return value
