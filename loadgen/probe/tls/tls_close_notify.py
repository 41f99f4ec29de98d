"""Does the server end TLS before it ends TCP: close_notify (RFC 8446 §6.1, RFC 9112 §9.8)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for

_WAIT_NS = 2 * NS_PER_S
_ENDS = {"fin": "closed", "reset": "reset"}


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    with client.open() as stream:
        session.ask(stream, session.request(connection="close"))
        _, has_ended = stream.wait_end(session.until_ns(_WAIT_NS))
        ended, facts = stream.ended, client.facts
    if facts.sent_close_notify:
        return Finding(verdict=Verdict.OK, measured="sent before the end", values={"close_notify": True})
    if not has_ended:
        return unknown("the server does not close, although it was asked to")
    return Finding(
        verdict=Verdict.VIOLATION,
        measured=f"{_ENDS[ended]} without close_notify",
        values={"close_notify": False},
        advice="a client can't tell a complete response from one that someone cut off; let the server end TLS first",
    )


TLS_CLOSE_NOTIFY = Probe(
    name="tls_close_notify",
    title="close_notify",
    question="Does the server end TLS by close_notify before it closes the connection?",
    method="One request with `Connection: close`; what comes before the end of the connection is read.",
    section="RFC 8446 §6.1",
    values={"close_notify": "the alert came before the connection's end"},
    requests=1,
    connections=1,
    run=_run,
    not_for=not_for,
)
