"""Does the server need the name (SNI) to give its certificate (RFC 6066 §3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.certificate_reader import names_of, parse_certificate
from loadgen.probe.tls.tls_client import TlsClient, not_for

_ADVICE = "give a client that sends no name, such as some health checks, a default certificate; or make it send one"


def _not_for(plan: AuditPlan) -> str:
    return not_for(plan) or ("an IP address is sent as no server name" if plan.target.is_ip_literal else "")


def _run(session: ProbeSession) -> Finding:
    named = TlsClient(session, verifies=False).chain()
    client = TlsClient(session, verifies=False, names_server=False)
    refusal = client.refusal()
    if refusal and not client.facts.certificates:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"refused without a name ({refusal})",
            values={"without_name": "refused"},
            advice=_ADVICE,
            topic="tls_certificate",
        )
    unnamed = client.facts.certificates
    with_name, without_name = (names_of(parse_certificate(chain[0])) for chain in (named, unnamed))
    # The backends of a farm may have certificates of their own for the same names.
    if named[0] == unnamed[0] or with_name == without_name:
        return Finding(
            verdict=Verdict.OK, measured="the same certificate without a name", values={"without_name": "same"}
        )
    shown = ", ".join(without_name[:2]) or "no name"
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"without a name a certificate for {shown}",
        values={"without_name": "other", "other_names": without_name},
        advice=_ADVICE,
        topic="tls_certificate",
    )


TLS_SNI = Probe(
    name="tls_sni",
    title="Server name (SNI)",
    question="Does the server need its name in the handshake?",
    method="One handshake with the server's name and one without; no request.",
    section="RFC 6066 §3",
    values={
        "without_name": "without a name a client gets the `same` certificate, an `other` one, or is `refused`",
        "other_names": "the names in that other certificate",
    },
    requests=0,
    connections=2,
    run=_run,
    needs_response=False,
    not_for=_not_for,
)
