"""Does the server speak HTTP/2 in clear with a client that knows beforehand that it does (RFC 9113 §3.3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import MAX_ANSWER_NS, Http2Link, Way, open_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.versions.http2_response import failed_response
from loadgen.wire.errors import Failure

_NOT_SPOKEN = {
    Loss.FIN: "it closes the connection",
    Loss.RESET: "it resets the connection",
}
_ADVICE = "see the server's log; a client with prior knowledge has no way back to HTTP/1.1"


def _run(session: ProbeSession) -> Finding:
    with open_http2(session, Way.PRIOR) as link:
        why = refusal(session, link)
        if why:
            return Finding(verdict=Verdict.OK, measured=f"not spoken: {why}", values={"spoken": False}, topic="http2")
        stream = link.start()
        failed = failed_response(link, stream, "SETTINGS came", {"spoken": True}, _ADVICE)
    if failed is not None:
        return failed
    return Finding(
        verdict=Verdict.OK,
        measured=f"spoken, status {stream.status}",
        values={"spoken": True, "status": stream.status},
    )


def refusal(session: ProbeSession, link: Http2Link) -> str:
    """Why this is not HTTP/2; empty where the server's SETTINGS came."""
    wait_ns = min(session.plan.timeout_ns, MAX_ANSWER_NS)
    try:
        if link.wait(lambda: link.client.settings is not None, session.until_ns(wait_ns)):
            return ""
    except Failure:
        return "it answers in another protocol"
    return _NOT_SPOKEN.get(link.loss, f"silent for {format_duration(wait_ns)}")


def not_in_clear(plan: AuditPlan) -> str:
    """Why HTTP/2 in clear does not apply; empty where it does."""
    return "the target uses TLS, where ALPN decides" if plan.target.is_tls else ""


H2_PRIOR_KNOWLEDGE = Probe(
    name="h2_prior_knowledge",
    title="HTTP/2 with prior knowledge",
    question="Does the server speak HTTP/2 in clear from the first byte?",
    method="The preface of HTTP/2 on a new connection, and one request once the server's SETTINGS have come.",
    section="RFC 9113 §3.3",
    values={"spoken": "the server answered with its SETTINGS", "status": "status of the response over HTTP/2"},
    requests=1,
    connections=1,
    run=_run,
    waits=True,  # a server that does not speak it may not answer
    needs_response=False,
    not_for=not_in_clear,
)
