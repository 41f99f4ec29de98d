"""How old may a connection become that is never idle for long, and does the server say so (RFC 9112 §9.6)?

A connection may also end after a number of requests, or because it was idle. So two are kept in use at different paces:
a lifetime ends both at the same age, a limit of requests both at the same number, an idle timeout the slower one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_S, count, format_duration
from loadgen.probe.announcement import Announcement, announcement
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import all_side_by_side

_MAX_PAUSE_NS = NS_PER_S // 2
_MIN_PAUSES = 20
"""In the time of the watch, on the faster connection."""
_SLOWER = 2
_FEWEST = 2
_FASTER = 10
_AGAIN_PAUSES = 2 * _SLOWER
"""Where both end with this many requests, two more try it at a faster pace, for this many of the usual pauses."""
_SLACK_NS = NS_PER_S // 10
"""Two ages that differ by no more are the same: one connection opens a little later than the other."""


@dataclass(slots=True)
class _Life:
    """One connection's life. Ages are those of the connection (ns), from when it was connected."""

    pause_ns: int
    requests: int = 0
    """Those that were answered."""
    used_ns: int = 0
    """Its age at the last response,"""
    age_ns: int = 0
    """and at its end, or when the watch was over."""
    has_ended: bool = False
    """The server ended it,"""
    end: Announcement | None = None
    """with this announcement in its last response,"""
    lost: bool = False
    """or while a request was under way."""

    @property
    def earliest_ns(self) -> int:
        """An announcement comes with the first response after the lifetime: it was over since the response before."""
        return self.used_ns if self.end else self.age_ns


def _run(session: ProbeSession) -> Finding:
    pause_ns = _pause_ns(session.plan)
    session.waiting_for = "a connection in use to be closed"
    session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
    lives = _lived(session, pause_ns, session.waiting_until_ns)
    if all(life.has_ended and life.requests == _FEWEST for life in lives):
        # A limit of two requests, or a lifetime that was over after the first pause.
        lives = _lived(session, pause_ns // _FASTER, session.until_ns(_AGAIN_PAUSES * pause_ns))
    return _judge(lives)


def _lived(session: ProbeSession, pause_ns: int, until_ns: int) -> list[_Life]:
    """Two connections and what became of them, one at this pace and one at half of it."""
    lives = [_Life(pause_ns), _Life(pause_ns * _SLOWER)]
    all_side_by_side([partial(_live, session, life, until_ns) for life in lives])
    return lives


def _live(session: ProbeSession, life: _Life, until_ns: int) -> None:
    """Use a connection at its pace, until the server ends it or the watch is over."""
    request = session.request()
    with session.open() as stream:
        while True:
            try:
                reply = session.ask(stream, request)
            except NoResponse as lost:
                if lost.how is Loss.TIMEOUT:
                    if life.requests and session.now_ns() >= session.deadline_ns:
                        return  # it is the audit that has ended
                    raise
                life.has_ended, life.lost = True, True
                life.age_ns = (stream.ended_ns or lost.at_ns) - stream.connected_ns
                return
            life.requests += 1
            life.end = announcement(reply.head)
            life.has_ended = life.end is not None
            if life.has_ended:
                session.check_limit(reply.head.status)
            life.age_ns = reply.done_ns - stream.connected_ns
            if life.has_ended:
                return
            life.used_ns = life.age_ns
            if reply.done_ns + life.pause_ns > until_ns:
                return
            _, ended = stream.wait_end(reply.done_ns + life.pause_ns)
            if ended:
                life.has_ended, life.age_ns = True, stream.ended_ns - stream.connected_ns
                return


def _judge(lives: Sequence[_Life]) -> Finding:
    oldest = max(lives, key=lambda life: life.age_ns)
    ended = [life for life in lives if life.has_ended]
    if not oldest.used_ns:
        return unknown("each connection ended with its first response")
    if all(life.has_ended and life.requests == 1 for life in lives):
        return unknown(f"none could be kept in use: idle ones are closed within {format_duration(oldest.age_ns)}")
    if not oldest.has_ended or len(ended) > 1 == len({life.requests for life in ended}):
        why = f"; closed after {count(max(life.requests for life in ended), 'request')}" if ended else ""
        return Finding(
            verdict=Verdict.OK,
            measured=f"longer than {format_duration(oldest.used_ns)}{why}",
            values={"longer_than_ns": oldest.used_ns},
        )
    return _limited(lives)


def _limited(lives: Sequence[_Life]) -> Finding:
    """Each connection came to its end, and not by the number of its requests."""
    ages = [life.age_ns for life in lives]
    low_ns, high_ns = max(life.earliest_ns for life in lives), min(ages)
    fits = low_ns <= high_ns + _SLACK_NS
    low_ns, high_ns = (min(low_ns, high_ns), high_ns) if fits else (min(ages), max(ages))
    announced = [life.end.title for life in lives if life.end]
    is_silent = len(announced) < len(lives)
    lost = sum(life.lost for life in lives)
    values: dict[str, FindingValue] = {
        "lifetime_ns": (low_ns + high_ns) // 2,
        "min_lifetime_ns": low_ns,
        "max_lifetime_ns": high_ns,
        "announced": not is_silent,
        "lost": lost,
    }
    where = f"{format_duration(low_ns)} to {format_duration(high_ns)}"
    how = "without saying so" if is_silent else "as announced"
    return Finding(
        verdict=Verdict.WARNING if is_silent else Verdict.NOTE,
        measured=f"closed at an age of {where}, {how}",
        announced=None if is_silent else announced[0],
        values=values,
        advice=(
            "let the server announce it with `Connection: close`, or clients retire connections earlier (policy "
            f"lifetime:{low_ns * 9 // 10 // NS_PER_MS}ms): a request that is on its way meanwhile is lost"
            if is_silent
            else None
        ),
        topic="max_lifetime",
    )


def _pause_ns(plan: AuditPlan) -> int:
    return min(_MAX_PAUSE_NS, plan.idle_max_ns // _MIN_PAUSES)


def _requests(plan: AuditPlan) -> int:
    faster = plan.idle_max_ns // _pause_ns(plan) + 2
    again = _AGAIN_PAUSES * _FASTER + _AGAIN_PAUSES * _FASTER // _SLOWER + 2
    return faster + faster // _SLOWER + 1 + again


MAX_LIFETIME = Probe(
    name="max_lifetime",
    title="Lifetime of a connection",
    question="At which age does the server end a connection that is in use?",
    method=(
        "Two connections in use, one with a request each half second and one each second, until the server ends them "
        "or --idle-max is over; where both end with their second response, two more at a faster pace."
    ),
    section="RFC 9112 §9.6",
    values={
        "lifetime_ns": "middle of the two bounds that follow",
        "min_lifetime_ns": "the lifetime is no shorter: a connection of this age was in use",
        "max_lifetime_ns": "the lifetime is no longer: at this age the server had ended it",
        "announced": "whether each last response said close",
        "lost": "requests that got no response because their connection ended",
        "longer_than_ns": "a connection of this age was in use and still open",
    },
    requests=_requests,
    connections=4,
    run=_run,
    waits=True,
    keeps_asking=True,
)
