"""Which versions of TLS does the server speak (RFC 8996)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.wire.tls_facts import TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3

_VERSIONS = {"1.0": TLS_1_0, "1.1": TLS_1_1, "1.2": TLS_1_2, "1.3": TLS_1_3}
_FORBIDDEN = {"1.0": "RFC 8996 §4", "1.1": "RFC 8996 §5"}


def _run(session: ProbeSession) -> Finding:
    refusals = {name: _refusal(session, number) for name, number in _VERSIONS.items()}
    spoken = [name for name, refusal in refusals.items() if not refusal]
    if not spoken:
        return unknown(f"no version was agreed on ({refusals['1.3']})")
    measured = f"TLS {', '.join(spoken)}"
    old = [name for name in _FORBIDDEN if name in spoken]
    if old:
        return Finding(
            verdict=Verdict.WARNING,
            measured=measured,
            values={"versions": spoken},
            section=_FORBIDDEN[old[0]],
            advice=f"TLS {' and '.join(old)} must not be used any more; allow 1.2 and 1.3 alone",
            topic="tls_versions",
        )
    if "1.3" not in spoken:
        return Finding(
            verdict=Verdict.NOTE,
            measured=measured,
            values={"versions": spoken},
            section="RFC 8446 §2",
            advice="without TLS 1.3 each new connection pays one more round trip; allow it",
            topic="tls_versions",
        )
    return Finding(verdict=Verdict.OK, measured=measured, values={"versions": spoken}, topic="tls_versions")


def _refusal(session: ProbeSession, version: int) -> str:
    """How the server refused this version, in words; empty where it accepted it, whatever failed after that."""
    client = TlsClient(session, versions=(version, version), verifies=False)
    refusal = client.refusal()
    return "" if client.facts.version == version else refusal or "another version was chosen"


TLS_VERSIONS = Probe(
    name="tls_versions",
    title="TLS versions",
    question="Which versions of TLS does the server speak?",
    method="One handshake for each version from 1.0 to 1.3, which offers that version alone; no request.",
    section="RFC 8996",
    values={"versions": "the versions that it accepts"},
    requests=0,
    connections=len(_VERSIONS),
    run=_run,
    needs_response=False,
    not_for=not_for,
)
