"""How long does the origin itself keep an idle connection? Asked without the proxy before it."""

from __future__ import annotations

from statistics import median

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.chain.origin import at_origin, no_chain
from loadgen.probe.finding import Finding
from loadgen.probe.medians import median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import some_side_by_side

_CONNECTIONS = 8


def _run(session: ProbeSession) -> Finding:
    origin = at_origin(session)
    until_ns = session.until_ns(session.plan.idle_max_ns)
    session.waiting_for, session.waiting_until_ns = "the origin to close idle connections", until_ns
    with origin.open() as stream:
        first = origin.ask(stream)
    if not first.persists:
        return Finding(
            verdict=Verdict.NOTE,
            measured="closes after each response, so none is idle",
            announced=first.field("connection"),
        )
    said = first.field("keep-alive")
    announced = f"Keep-Alive: {said}" if said else None
    watched = some_side_by_side([lambda: _watch(origin, until_ns)] * (_CONNECTIONS - 1))
    times = sorted(one for one in watched if one)
    if not times:
        waited_ns = session.plan.idle_max_ns
        return Finding(
            verdict=Verdict.OK,
            measured=f"longer than {format_duration(waited_ns)}",
            announced=announced,
            values={"longer_than_ns": waited_ns},
        )
    return Finding(
        verdict=Verdict.OK,
        measured=median_text(times),
        announced=announced,
        values={"timeout_ns": round(median(times)), "min_ns": times[0], "max_ns": times[-1], "connections": len(times)},
    )


def _watch(origin: ProbeSession, until_ns: int) -> int:
    """For how long one idle connection stayed open (ns); 0 where it still was at the end. Raises ProbeFailure."""
    with origin.open() as stream:
        reply = origin.ask(stream)
        _, has_ended = stream.wait_end(until_ns)
        return stream.ended_ns - reply.done_ns if has_ended else 0


ORIGIN_IDLE_TIMEOUT = Probe(
    name="origin_idle_timeout",
    title="Idle timeout of the origin",
    question="After which idle time does the origin itself close a connection?",
    method=f"{_CONNECTIONS - 1} connections to it, without the proxy, are used once and watched.",
    section="RFC 9112 §9.5",
    values={
        "timeout_ns": "median idle time at which the origin closed",
        "min_ns": "shortest of these",
        "max_ns": "longest of these",
        "connections": "connections that the origin closed",
        "longer_than_ns": "no connection was closed within this time",
    },
    requests=_CONNECTIONS,
    connections=_CONNECTIONS,
    run=_run,
    waits=True,
    needs_response=False,
    not_for=no_chain,
)
