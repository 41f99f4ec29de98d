"""Does the server answer an HTTP/1.0 request as that version allows (RFC 9110 §2.5, RFC 9112 §6.1)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply

_REFUSALS = frozenset({400, 426, 505})


_TRIES = 2
"""A single loss may be chance, and silence that of a server whose places other probes have."""


def _run(session: ProbeSession) -> Finding:
    failure: NoResponse | None = None
    for _ in range(_TRIES):
        with session.open() as stream:
            try:
                reply = session.ask(stream, session.request(version="1.0"))
            except NoResponse as error:
                failure = error
                continue
        return _judge(reply, session.first.head.status)
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"no response: {failure}",
        values={"answered": False},
        advice="clients of HTTP/1.0, such as ab and some health checks, need at least a refusal",
    )


def _judge(reply: Reply, usual_status: int) -> Finding:
    head = reply.head
    coding = reply.field("transfer-encoding")
    values: dict[str, FindingValue] = {
        "answered": True,
        "version": head.version,
        "status": head.status,
        "chunked": coding is not None,
    }
    measured = f"HTTP/{head.version}, status {head.status}"
    if coding is not None:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"{measured}, with Transfer-Encoding: {coding}",
            values=values,
            section="RFC 9112 §6.1",
            advice="an HTTP/1.0 client takes the chunk sizes for content; send a Content-Length, or end with the close",
        )
    if reply.interim:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"{measured}, after {reply.interim} with status 1xx",
            values=values,
            section="RFC 9110 §15.2",
            advice="an HTTP/1.0 client takes a 1xx for the response",
        )
    if head.status in _REFUSALS and head.status != usual_status:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"refused with {head.status}",
            values=values,
            advice="clients of HTTP/1.0, such as ab and some health checks, can't use this server",
        )
    return Finding(verdict=Verdict.OK, measured=measured, values=values)


HTTP10 = Probe(
    name="http10",
    title="HTTP/1.0",
    question="Does the server answer an HTTP/1.0 request, and without what that version does not know?",
    method="One HTTP/1.0 GET with a Host field and no Connection field; one more where that gets no response.",
    section="RFC 9110 §2.5",
    values={
        "answered": "a response came",
        "version": "version of the response",
        "status": "status of the response",
        "chunked": "it has a transfer coding, which HTTP/1.0 does not know",
    },
    requests=_TRIES,
    connections=_TRIES,
    run=_run,
)
