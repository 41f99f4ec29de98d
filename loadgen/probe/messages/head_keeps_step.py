"""Does a response to HEAD end with its head (RFC 9110 §9.3.2), so that the next response is found where it begins?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, follow_up
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_ADVICE = {
    FollowUp.OUT_OF_STEP: "a response to HEAD has no content: a client takes it for the begin of the next response",
    FollowUp.CLOSED: "say `Connection: close` with the response to HEAD, or keep the connection",
    FollowUp.SILENT: "the server seems to wait for something that a HEAD request does not have",
}


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        try:
            reply = session.ask(stream, session.request(method="HEAD"), is_head=True)
        except NoResponse as lost:
            return Finding(
                verdict=Verdict.WARNING, measured=f"HEAD: {lost}", advice="answer HEAD as GET, without content"
            )
        step = follow_up(session, stream, reply)
    length = reply.field("content-length")
    return Finding(
        verdict=step.without_content,
        measured=f"{reply.head.status}, then {step.value}",
        announced=None if length is None else f"Content-Length: {length}",
        values={"status": reply.head.status, "step": step.value},
        advice=_ADVICE.get(step),
    )


HEAD_KEEPS_STEP = Probe(
    name="head_keeps_step",
    title="In step after HEAD",
    question="Is the connection in step after a response to HEAD?",
    method="HEAD, then GET on the same connection.",
    section="RFC 9110 §9.3.2",
    values={"status": "status of the response to HEAD", "step": "what the GET behind it found"},
    requests=2,
    connections=1,
    needs=PLAIN,
    run=_run,
)
