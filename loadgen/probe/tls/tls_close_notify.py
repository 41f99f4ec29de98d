"""Does the server end TLS before it ends TCP: close_notify (RFC 8446 §6.1, RFC 9112 §9.8)?"""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.wire.tls_facts import CLOSE_NOTIFY

_WAIT_NS = 2 * NS_PER_S
_ENDS = {"fin": "closed", "reset": "reset"}


def judge(alerts: Sequence[int], ended: str) -> Finding:
    """The finding of the alerts that came, and of how the server ended the connection (empty where it did not)."""
    if CLOSE_NOTIFY in alerts:
        return Finding(verdict=Verdict.OK, measured="sent before the end", values={"close_notify": True})
    if alerts:  # after an error alert close_notify is not needed
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"ended by the error alert {alerts[-1]}",
            values={"close_notify": False},
            section="RFC 8446 §6.2",
            advice="look for the reason in the server's log; RFC 8446 §6.2 has the numbers of alerts",
        )
    if not ended:
        return unknown("the server does not close, although it was asked to")
    return Finding(
        verdict=Verdict.VIOLATION,
        measured=f"{_ENDS[ended]} without close_notify",
        values={"close_notify": False},
        advice="a client can't tell a complete response from one that someone cut off; let the server end TLS first",
    )


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    with client.open() as stream:
        session.ask(stream, session.request(connection="close"))
        stream.wait_end(session.until_ns(_WAIT_NS))
        return judge(client.facts.alerts, stream.ended)


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
