"""After which idle time does the server close a connection, and does it say so beforehand (RFC 9112 §9.8)?"""

from __future__ import annotations

import gevent

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_CONNECTIONS = 12


def _run(session: ProbeSession) -> Finding:
    watched = [gevent.spawn(_watch, session) for _ in range(_CONNECTIONS)]
    gevent.joinall(watched)
    announced = session.first.field("keep-alive")
    found = sorted(one.value for one in watched if isinstance(one.value, int))
    if not found:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"longer than {format_duration(session.plan.idle_max_ns)}",
            announced=announced,
            values={"longer_than_ns": session.plan.idle_max_ns},
            topic="idle_timeout",
        )
    middle_ns = found[len(found) // 2]
    return Finding(
        verdict=Verdict.OK,
        measured=f"{format_duration(middle_ns)} ({format_duration(found[0])} to {format_duration(found[-1])})",
        announced=announced,
        values={"timeout_ns": middle_ns, "min_ns": found[0], "max_ns": found[-1], "connections": len(found)},
        topic="idle_timeout",
    )


def _watch(session: ProbeSession) -> int | None:
    """For how long an idle connection stayed open (ns); None where it outlived the watch, or never became idle."""
    with session.open() as stream:
        try:
            reply = session.ask(stream)
        except NoResponse:
            return None
        session.waiting_for = "idle connections to be closed"
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        _, has_ended = stream.wait_end(session.waiting_until_ns)
        return stream.ended_ns - reply.done_ns if has_ended else None


IDLE_TIMEOUT = Probe(
    name="idle_timeout",
    title="Idle timeout",
    question="After which idle time does the server close a connection?",
    method=f"{_CONNECTIONS} connections are opened at once, used once, and watched.",
    section="RFC 9112 §9.8",
    values={
        "timeout_ns": "median idle time at which the server closed",
        "min_ns": "shortest of these",
        "max_ns": "longest of these",
        "connections": "connections that the server closed",
        "longer_than_ns": "no connection was closed within this time",
    },
    requests=_CONNECTIONS,
    connections=_CONNECTIONS,
    run=_run,
    waits=True,
)
