"""Does the server keep an HTTP/1.0 connection whose client asks for it, and say so (RFC 9112 §9.3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from loadgen.probe.after_response import Next, after_response
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_WAIT_NS = 100 * NS_PER_MS


def _run(session: ProbeSession) -> Finding:
    request = session.request(version="1.0", connection="keep-alive")
    with session.open() as stream:
        reply = session.ask(stream, request)
        after = after_response(session, stream, reply, _WAIT_NS, again=request)
    announced = reply.field("connection")
    says_so = b"keep-alive" in reply.head.options
    is_kept = after.what is Next.ANSWERED
    values = {"kept": is_kept, "announced": says_so}
    if is_kept and says_so:
        return Finding(
            verdict=Verdict.OK, measured="kept: one more request was answered", announced=announced, values=values
        )
    if is_kept:
        return Finding(
            verdict=Verdict.NOTE,
            measured="kept, without saying so",
            announced=announced,
            values=values,
            advice="an HTTP/1.0 client closes unless the response says `Connection: keep-alive`",
        )
    if says_so and reply.persists:
        return Finding(
            verdict=Verdict.WARNING,
            measured="closed, though keep-alive was announced",
            announced=announced,
            values=values,
            advice="a client that believes it loses its next request; announce only what is kept",
            topic="keep_alive",
        )
    return Finding(
        verdict=Verdict.NOTE,
        measured="not kept: the close ends a response without a length" if says_so else "not kept",
        announced=announced,
        values=values,
        advice="clients that speak HTTP/1.0, such as ab and older proxies, pay for a connection each time",
        topic="keep_alive",
    )


def _not_for(plan: AuditPlan) -> str:
    """RFC 9112 §9.3: a proxy MUST NOT keep a connection with an HTTP/1.0 client."""
    return "a proxy must not keep connections with HTTP/1.0 clients" if plan.is_forwarded else ""


KEEP_ALIVE_HTTP10 = Probe(
    name="keep_alive_http10",
    title="HTTP/1.0 with keep-alive",
    question="Does the server keep an HTTP/1.0 connection whose client asks for it?",
    method="Two HTTP/1.0 requests with `Connection: keep-alive` on one connection.",
    section="RFC 9112 §9.3",
    values={
        "kept": "the second request was answered on the same connection",
        "announced": "the first response said `Connection: keep-alive`",
    },
    requests=2,
    connections=1,
    run=_run,
    not_for=_not_for,
)
