"""Does a client get its response that has already ended its own side of the connection (a half-close)?

TCP allows it, and no RFC of HTTP promises an answer. nc, some load balancers and TCP proxies do it.
"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_WAIT_NS = NS_PER_S


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        session.send(stream, session.request())
        stream.end_writing()
        try:
            reply = session.read(stream)
        except NoResponse as lost:
            return Finding(
                verdict=Verdict.NOTE,
                measured=f"no response: {lost}",
                values={"answered": False},
                advice="clients must keep their side open until the response has come",
            )
        _, has_ended = stream.wait_end(session.until_ns(_WAIT_NS))
        after_ns = stream.ended_ns - reply.done_ns
    values: dict[str, FindingValue] = {"answered": True}
    if has_ended:
        values["closed_after_ns"] = max(0, after_ns)
        text = f"answered, closed {format_duration(max(0, after_ns))} later"
        return Finding(verdict=Verdict.OK, measured=text, values=values)
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"answered, and still open {format_duration(_WAIT_NS)} later",
        values=values,
        advice="the server keeps a connection that can bring no further request, until its idle timeout",
        topic="idle_timeout",
    )


def _not_for(plan: AuditPlan) -> str:
    if plan.target.is_tls:
        return "over TLS a client's half-close looks like a connection that was cut off (RFC 8446 §6.1)"
    return ""


HALF_CLOSE = Probe(
    name="half_close",
    title="Half-closed client",
    question="Is a request answered whose client has ended its own side?",
    method="A GET with a FIN right behind it.",
    section="",
    values={
        "answered": "whether the whole response came",
        "closed_after_ns": "from the end of the response to the server's end; absent where it did not end",
    },
    requests=1,
    connections=1,
    run=_run,
    not_for=_not_for,
)
