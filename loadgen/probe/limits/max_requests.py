"""How many requests does a connection carry before the server ends it, and does the server say so (RFC 9112 §9.6)?

One request after the other, without a pause, so that no idle timeout comes between them. A limit that belongs to a
worker process and not to the connection shows as a spread: then each connection ends after another number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import format_duration
from loadgen.probe.announcement import Announcement, announcement
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_CONNECTIONS = 3
"""A server that limits the rate of its clients says so with these; then nothing more is sent."""
_AGE_SLACK = 0.05
"""A connection that ended within this share of the lifetime ended because of it."""
_LONG_BODY_BYTES = 16_384
"""A longer body is not asked for a thousand times: HEAD counts as a request too."""


@dataclass(slots=True)
class Carried:
    """What one connection carried."""

    answered: int = 0
    end: Announcement | None = None
    """How the last response said that the server closes, if it did."""
    loss: Loss | None = None
    """What came instead of the next response."""
    refusal: int = 0
    """The status by which the server asked for fewer requests."""
    keep_alive: str | None = None
    """The first response's Keep-Alive field,"""
    announced_max: int | None = None
    """and its parameter max."""
    age_ns: int = 0
    """At the last response, or at the server's end."""
    is_old: bool = False
    """It ended at the age at which the server ends each connection."""

    @property
    def has_ended(self) -> bool:
        """The server ended it, and not for its age."""
        return (self.end is not None or self.loss is not None) and not self.is_old


def _run(session: ProbeSession) -> Finding:
    begun_ns = session.now_ns()
    session.waiting_for = "a connection to be closed after many requests"
    session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
    carried: list[Carried] = []
    left = session.plan.max_requests
    # Each further connection comes at no more than what the first one left of the requests that were allowed.
    while len(carried) < _CONNECTIONS and left > max((one.answered for one in carried), default=0):
        one = _carry(session, left, session.waiting_until_ns)
        carried.append(one)
        left -= one.answered + (one.loss is not None)
        if not one.has_ended:
            break
    took_ns = session.now_ns() - begun_ns
    if any(one.has_ended for one in carried):
        note_ages(session, carried)
    return judge_carried(carried, took_ns)


def note_ages(session: ProbeSession, carried: Sequence[Carried]) -> None:
    """Where responses take long, a lifetime may be over before a number of requests is; if that is looked at too."""
    lifetime = session.finding("max_lifetime")
    bounds = ("min_lifetime_ns", "max_lifetime_ns")
    low, high = (None, None) if lifetime is None else (lifetime.values.get(name) for name in bounds)
    if isinstance(low, int) and isinstance(high, int):
        slack_ns = high * _AGE_SLACK
        for one in carried:
            one.is_old = low - slack_ns <= one.age_ns <= high + slack_ns


def _carry(session: ProbeSession, max_requests: int, until_ns: int) -> Carried:
    """Send requests on one connection until it ends, or a limit is reached. Raises NoResponse where it gave none."""
    is_head = len(session.first.body) > _LONG_BODY_BYTES
    request = session.request(method="HEAD" if is_head else "GET")
    carried = Carried()
    with session.open() as stream:
        while carried.answered < max_requests and session.now_ns() < until_ns:
            try:
                reply = session.ask(stream, request, is_head=is_head)
            except NoResponse as lost:
                if not carried.answered or lost.how == Loss.MALFORMED:
                    raise
                carried.loss = lost.how
                carried.age_ns = (stream.ended_ns or lost.at_ns) - stream.connected_ns
                break
            carried.answered += 1
            carried.age_ns = reply.done_ns - stream.connected_ns
            carried.end = announcement(reply.head)
            if carried.answered == 1:
                carried.keep_alive, carried.announced_max = reply.field("keep-alive"), reply.head.keep_alive_max
            if session.is_limited(reply.head.status):
                carried.refusal = reply.head.status
            if carried.end or carried.refusal:
                break
    return carried


def judge_carried(carried: Sequence[Carried], took_ns: int) -> Finding:
    """What they say together. took_ns: the time that it took."""
    first = carried[0]
    refusal = next((one.refusal for one in carried if one.refusal), 0)
    ended = [one for one in carried if one.has_ended and not one.refusal]
    announced = _announced(first)
    if not ended:
        text = f"more than {first.answered:,} in {format_duration(first.age_ns if first.is_old else took_ns)}"
        text += "; then it had come to its age" if first.is_old else ""
        return Finding(
            verdict=Verdict.UNKNOWN if refusal else Verdict.OK,
            measured=f"{text}; then status {refusal}: the server wants fewer requests" if refusal else text,
            announced=announced,
            values={"more_than": first.answered},
        )
    silent = [one for one in ended if one.loss is not None]
    counts = [one.answered for one in ended]
    values: dict[str, FindingValue] = {
        "closed_after": counts[0],
        "min_closed_after": min(counts),
        "max_closed_after": max(counts),
        "connections": len(ended),
        "announced": not silent,
        "lost": len(silent),
    }
    if first.announced_max is not None:
        values["announced_max"] = first.announced_max
    return Finding(
        verdict=Verdict.WARNING if silent else Verdict.NOTE,
        measured=_text(ended, silent),
        announced=announced,
        values=values,
        advice=_advice(silent, counts),
        topic="max_requests",
    )


def _announced(first: Carried) -> str | None:
    parts = [f"Keep-Alive: {first.keep_alive}"] if first.keep_alive is not None else []
    if first.end and not first.refusal:
        parts.append(first.end.title)
    return "; ".join(parts) or None


def _text(ended: Sequence[Carried], silent: Sequence[Carried]) -> str:
    counts = [one.answered for one in ended]
    number = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    on = "" if len(ended) == 1 else f", {len(ended)} connections"
    if not silent:
        said = ended[0].announced_max or 0
        sooner = f", sooner than max={said}" if ended[0].answered < said else ""
        return f"closed after {number}, as announced{sooner}{on}"
    how = "no answer" if silent[0].loss == Loss.TIMEOUT else "closed without saying so"
    return f"{how} after {number}{on}"


def _advice(silent: Sequence[Carried], counts: Sequence[int]) -> str:
    if silent:
        return (
            "let the server send `Connection: close` with its last response: a request that is on its way meanwhile "
            f"is lost; or let clients retire a connection earlier (policy {_earlier(min(counts))})"
        )
    if min(counts) == 1:
        return "each request pays for a new connection; raise the limit"
    return f"1 of {min(counts):,} requests pays for a new connection; raise the limit where that is too much"


def _earlier(count: int) -> str:
    return f"recycle:{count - 1}" if count > 1 else "close"


def _requests(plan: AuditPlan) -> int:
    return plan.max_requests


MAX_REQUESTS = Probe(
    name="max_requests",
    title="Requests per connection",
    question="After how many requests does the server end a connection?",
    method=(
        "Requests without a pause on one connection, until the server ends it, as many as --max-requests allows and no "
        "longer than --idle-max; then on up to two more, with what is left of the requests. HEAD instead of GET where "
        "the body is long. A status of 429 or 503 ends it."
    ),
    section="RFC 9112 §9.6",
    values={
        "closed_after": "responses on the first connection, the last one included",
        "min_closed_after": "the fewest on one connection",
        "max_closed_after": "the most on one connection",
        "connections": "connections that the server ended",
        "announced": "whether each last response said close",
        "lost": "requests that got no response because their connection had ended",
        "announced_max": "what the first response's Keep-Alive field gave as max",
        "more_than": "the connection carried this many and was still open, or ended for its age",
    },
    requests=_requests,
    connections=_CONNECTIONS,
    run=_run,
    waits=True,
    keeps_asking=True,
)
