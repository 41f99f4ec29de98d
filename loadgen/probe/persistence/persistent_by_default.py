"""Does an HTTP/1.1 connection stay open without being asked to (RFC 9112 §9.3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_REQUESTS = 3


def _run(session: ProbeSession) -> Finding:
    answered = 0
    announced: str | None = None
    with session.open() as stream:
        try:
            for _ in range(_REQUESTS):
                reply = session.ask(stream)
                answered += 1
                announced = reply.field("connection")
                if not reply.persists:
                    break
        except NoResponse:
            if not answered:
                raise
    values = {"answered": answered, "requests": _REQUESTS}
    if answered == _REQUESTS:
        return Finding(
            verdict=Verdict.OK,
            measured=f"{answered} of {_REQUESTS} requests answered on one connection",
            announced=announced,
            values=values,
        )
    if announced is not None and "close" in announced.lower():
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"closed after {answered}, as announced",
            announced=announced,
            values=values,
            advice="each request pays for a connection of its own; let the server keep connections",
            topic="idle_timeout",
        )
    return Finding(
        verdict=Verdict.VIOLATION,
        measured=f"closed after {answered} without an announcement",
        announced=announced,
        values=values,
        section="RFC 9112 §9.6",
        advice="a server that closes has to say so with `Connection: close`; else a client's next request is lost",
        topic="idle_timeout",
    )


PERSISTENT_BY_DEFAULT = Probe(
    name="persistent_by_default",
    title="HTTP/1.1 stays open",
    question="Does an HTTP/1.1 connection stay open without being asked to?",
    method=f"{_REQUESTS} requests without a Connection field on one connection.",
    section="RFC 9112 §9.3",
    values={"answered": "requests that got a response on the connection", "requests": "requests that were tried"},
    requests=_REQUESTS,
    connections=1,
    run=_run,
)
