"""What watched idle connections say about the server's idle timeout: numbers, text, verdict. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

import gevent

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_S, count, format_duration, format_estimate
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.idle.close_text import ended_by, ending_text, status_of
from loadgen.probe.idle.closes import Close, IdleTimes, idle_times
from loadgen.probe.session import Reply

_MAX_EARLY_NS = 100 * NS_PER_MS
_MAX_EARLY_SHARE = 0.02
"""A close this much before the announced time is within what can be measured."""
_MAX_LATE_NS = 2 * NS_PER_S
_MAX_LATE_SHARE = 0.5
_ROOM = 2
"""Connections for the other probes, where the server serves only a few at once."""


@dataclass
class Watched:
    """What became of the connections, as far as it is known."""

    closes: list[Close] = field(default_factory=list)
    kept_ns: list[int] = field(default_factory=list)
    """How long those were idle that the server kept."""
    not_kept: int = 0
    """Responses that announced the end of their connection."""
    dead: int = 0
    """Of the kept connections on which one more request was tried, those that nothing knew any more."""
    idle_from_ns: list[int] = field(default_factory=list)
    """When each became idle."""
    watching: list[gevent.Greenlet] = field(default_factory=list)
    """Who watches each of them."""
    served_at_once: int = 0
    """How many connections the server kept when it had no response for a further one."""
    announced: str | None = None
    announced_ns: int | None = None

    def note_announcement(self, reply: Reply) -> None:
        """The shortest time that any response named counts."""
        timeout_s = reply.head.keep_alive_timeout_s
        if timeout_s is not None and (self.announced_ns is None or timeout_s * NS_PER_S < self.announced_ns):
            self.announced = f"Keep-Alive: {reply.field('keep-alive')}"
            self.announced_ns = timeout_s * NS_PER_S

    def forget_second_responses(self) -> None:
        """Leave out the connections that ended with their second response, where those with one response were idle.

        There a limit of two requests ended them, and no time.
        """
        once, twice = ([close for close in self.closes if close.responses == number] for number in (1, 2))
        if _are_at_once(twice) and (once or self.kept_ns) and not _are_at_once(once):
            self.closes = once

    @property
    def is_full(self) -> bool:
        return self.served_at_once > 0

    def note_full(self) -> None:
        """The server has no place for more connections: the last ones make room for those of other probes."""
        if not self.is_full:
            idle = [one for one in self.watching if not one.dead]
            self.served_at_once = len(idle)
            gevent.killall(idle[-_ROOM:], block=False)


def _are_at_once(closes: list[Close]) -> bool:
    return bool(closes) and idle_times(closes).shape == "at once"


def never_idle(seen: Watched) -> Finding:
    """No connection was kept after a response, as far as there was place for them."""
    if not seen.not_kept:
        places = count(seen.served_at_once, "connection")
        return unknown(f"the server serves {places} at once, so none could be left idle beside the other checks")
    return Finding(
        verdict=Verdict.NOTE,
        measured="never idle: each response ends its connection",
        values={"connections": 0, "not_kept": seen.not_kept},
        advice="let the server keep connections; each request pays for a connection of its own",
        topic="keep_alive",
    )


def finding_of_interrupted(seen: Watched, now_ns: int) -> Finding:
    """The watch ended before any connection was closed."""
    if not seen.idle_from_ns:
        return unknown("interrupted before any connection was idle")
    longer_ns = now_ns - max(seen.idle_from_ns)
    return Finding(
        verdict=Verdict.UNKNOWN,
        measured=f"longer than {format_duration(longer_ns)}, then interrupted",
        announced=seen.announced,
        values={"longer_than_ns": longer_ns, "connections": 0},
        topic="idle_timeout",
    )


def finding_of_kept(seen: Watched) -> Finding:
    """No connection was closed within the watch."""
    longer_ns = min(seen.kept_ns)
    text = format_duration(longer_ns)
    values: dict[str, FindingValue] = {
        "longer_than_ns": longer_ns, "connections": 0, "kept": len(seen.kept_ns), "dead": seen.dead,
    }  # fmt: skip
    if seen.announced_ns is not None:
        values["announced_ns"] = seen.announced_ns
    if seen.is_full:
        values["served_at_once"] = seen.served_at_once
    return Finding(
        verdict=Verdict.WARNING if seen.dead else Verdict.NOTE,
        measured=f"no close within {text}, but dead by then" if seen.dead else f"longer than {text}",
        announced=seen.announced,
        values=values,
        advice="something on the way drops idle connections without a FIN; "
        f"set the client's idle limit well below {text}, or turn on TCP keepalive"
        if seen.dead
        else None,
        topic="idle_timeout",
    )


def finding_of_closes(seen: Watched) -> Finding:
    """What the closes say, and whether that agrees with what was announced."""
    found = idle_times(seen.closes)
    words = [close.last_words for close in seen.closes]
    ends = [close.ended for close in seen.closes]
    by_responses = _by_responses(seen.closes)
    text = " after one response, ".join(map(format_duration, by_responses.values()))
    values: dict[str, FindingValue] = {
        "timeout_ns": found.timeout_ns,
        "timeout_low_ns": found.low_ns,
        "timeout_high_ns": found.high_ns,
        "min_ns": found.min_ns,
        "max_ns": found.max_ns,
        "shape": found.shape,
        "connections": len(seen.closes),
        "kept": len(seen.kept_ns),
        "not_kept": seen.not_kept,
        "ended_by": ended_by(ends),
    }
    optional = {
        "sweep_ns": found.period_ns or None,
        "announced_ns": seen.announced_ns,
        "served_at_once": seen.served_at_once or None,
        "last_status": max(map(status_of, words)) or None,
        **by_responses,
    }
    values |= {name: value for name, value in optional.items() if value is not None}
    verdict, advice = _judged(seen, found, any(word and not status_of(word) for word in words))
    return Finding(
        verdict=verdict,
        measured=(f"{text} after two" if text else times_text(found)) + ending_text(ends, words),
        announced=seen.announced,
        values=values,
        advice=advice,
        topic="idle_timeout",
    )


def times_text(found: IdleTimes) -> str:
    """The timeout, with its interval or the range that the server's closes spread over."""
    low, high = format_duration(found.timeout_ns), format_duration(max(found.max_ns, found.timeout_ns))
    if found.shape == "at once":
        return f"closed at once, {low} after a response"
    if found.shape == "timer":
        return " ".join(format_estimate(found.timeout_ns, (found.low_ns, found.high_ns)))
    if found.shape == "scattered":
        return f"between {low} and {high}"
    if not found.period_ns:
        return f"{low} to {high}"
    high = format_duration(found.timeout_ns + found.period_ns)
    return f"{low} to {high}, swept every {format_duration(found.period_ns)}"


def _by_responses(closes: list[Close]) -> dict[str, int]:
    """The medians after one and after two responses, where they differ by more than the closes of one kind do."""
    ages = [[close.idle_ns for close in closes if close.responses == number] for number in (1, 2)]
    if not all(ages):
        return {}
    once_ns, twice_ns = (int(median(one)) for one in ages)
    widest_ns = max(max(one) - min(one) for one in ages)
    if abs(once_ns - twice_ns) <= max(widest_ns, _MAX_EARLY_NS, int(_MAX_EARLY_SHARE * once_ns)):
        return {}
    return {"after_one_response_ns": once_ns, "after_two_responses_ns": twice_ns}


def _judged(seen: Watched, found: IdleTimes, has_unasked_bytes: bool) -> tuple[Verdict, str | None]:
    announced_ns = seen.announced_ns
    if found.shape == "at once":
        return Verdict.WARNING, (
            "the response does not say that the connection ends: a client that uses it again loses its request; "
            "send Connection: close, or keep connections"
        )
    if has_unasked_bytes:
        return Verdict.WARNING, (
            "the server sends bytes that no request asked for before it closes; "
            "a client that reuses the connection takes them for its response"
        )
    if announced_ns is not None:
        early_ns = announced_ns - min(close.longest_idle_ns for close in seen.closes)
        if early_ns > max(_MAX_EARLY_NS, _MAX_EARLY_SHARE * announced_ns):
            return Verdict.WARNING, (
                f"the server closes {format_duration(early_ns)} before the time that it announces: "
                "a client that trusts the Keep-Alive field loses requests; announce less, or keep connections longer"
            )
        late_ns = found.timeout_ns - announced_ns
        if late_ns > max(_MAX_LATE_NS, _MAX_LATE_SHARE * announced_ns):
            return Verdict.NOTE, (
                f"the server keeps connections {format_duration(late_ns)} longer than it announces; "
                "a client that trusts the Keep-Alive field reuses fewer than it could"
            )
    if any(close.ended == "reset" for close in seen.closes):
        return Verdict.NOTE, "the server resets idle connections; clients log that as an error, where a FIN is none"
    if any(close.last_words for close in seen.closes):
        return Verdict.NOTE, "a response that no request asked for can be taken for the response to the next request"
    if seen.is_full:
        return Verdict.NOTE, (
            f"the server keeps {seen.served_at_once} connections at once, and idle ones take the place of others; "
            "shorten the idle timeout, or give it more workers"
        )
    return Verdict.OK, None
