"""What do client and server agree on: version, cipher and group (RFC 8446 §4.1.1)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for

_HYBRID = "X25519MLKEM768"
_HYBRID_GROUPS = b"X25519MLKEM768:X25519:P-256:P-384"
# With TLS 1.2 a cipher's name begins with its key exchange, where that is an ephemeral one (RFC 9325 §4.1).
_EPHEMERAL = ("TLS_", "ECDHE-", "DHE-")


def _run(session: ProbeSession) -> Finding:
    visit = TlsClient(session, verifies=False).visit()
    hybrid = TlsClient(session, verifies=False, groups=_HYBRID_GROUPS)
    takes_hybrid = not hybrid.refusal() and not hybrid.facts.asked_again and visit.negotiated["version"] == "TLSv1.3"
    version, cipher, group = (visit.negotiated[name] or "none" for name in ("version", "cipher", "group"))
    values: dict[str, FindingValue] = {
        "version": version, "cipher": cipher, "group": group, "asked_again": visit.facts.asked_again,
        "post_quantum": takes_hybrid,
    }  # fmt: skip
    measured = f"{version}, {cipher}, {group}{f'; takes {_HYBRID}' if takes_hybrid else ''}"
    if not cipher.startswith(_EPHEMERAL):
        return Finding(
            verdict=Verdict.WARNING,
            measured=measured,
            values=values,
            section="RFC 9325 §4.1",
            advice="who gets the server's key later can read this traffic; prefer ciphers with ECDHE, or TLS 1.3",
            topic="tls_versions",
        )
    if visit.facts.asked_again:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{measured}, after a second hello",
            values=values,
            section="RFC 8446 §4.1.4",
            advice="each full handshake pays one more round trip; let the server accept X25519",
            topic="tls_versions",
        )
    return Finding(verdict=Verdict.OK, measured=measured, values=values)


TLS_NEGOTIATED = Probe(
    name="tls_negotiated",
    title="Cipher and group",
    question="Which version, cipher and group do this client and the server agree on?",
    method=f"One handshake as usual and one that prefers the group {_HYBRID}; no request.",
    section="RFC 8446 §4.1.1",
    values={
        "version": "the version of TLS",
        "cipher": "the cipher",
        "group": "the group of the key exchange; `none` where there was none",
        "asked_again": "the server wanted another group than the one that this client prefers (HelloRetryRequest)",
        "post_quantum": f"it takes the group {_HYBRID}, which is safe from quantum computers, at once",
    },
    requests=0,
    connections=2,
    run=_run,
    needs_response=False,
    not_for=not_for,
)
