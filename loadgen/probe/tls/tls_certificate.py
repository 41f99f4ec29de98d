"""The certificate: for how long it is still valid, its names, its key, and whether the chain reaches a trusted root."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.errors import ErrorKind
from loadgen.probe.failures import OpenFailure
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.certificate_reader import is_linked, key_of, names_of, parse_certificate
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.wire.errors import Failure

_SOON = timedelta(days=14)
_SOON_SHARE = 3
"""A certificate that lives for some days only is renewed later: in the last third of its life."""
_MIN_RSA_BITS = 2048
_DAY = timedelta(days=1)
_DISTRUSTS = (ErrorKind.TLS_UNTRUSTED, ErrorKind.TLS_WRONG_NAME, ErrorKind.TLS_EXPIRED)


class Certificate(NamedTuple):
    """What is judged."""

    left: timedelta
    """Until it expires; negative where it has."""
    lifetime: timedelta
    key: tuple[str, int]
    chain: int
    """Certificates that were sent."""
    linked: bool
    """Each was issued by the next one."""
    distrust: str
    """Why it is not trusted; empty where it is."""


class Problem(NamedTuple):
    """The worst thing about a certificate."""

    what: str
    advice: str
    section: str
    verdict: Verdict = Verdict.WARNING


def problem_of(found: Certificate) -> Problem | None:
    """The worst thing about it; None where there is none."""
    if found.left <= timedelta(0):
        return Problem("expired", "renew it: clients refuse it", "RFC 5280 §4.1.2.5")
    if found.distrust:
        advice = "send the intermediate certificates too, or give --cacert the authority that issued it"
        return Problem(f"not trusted: {found.distrust}", advice, "RFC 8446 §4.4.2")
    if found.left < min(_SOON, found.lifetime / _SOON_SHARE):
        return Problem("expires soon", "renew it, and automatically", "RFC 5280 §4.1.2.5")
    if found.key[0] == "RSA" and found.key[1] < _MIN_RSA_BITS:
        advice = f"use an RSA key of {_MIN_RSA_BITS} bits or more, or ECDSA"
        return Problem("its key is too short", advice, "RFC 9325 §4.5")
    if not found.linked:
        advice = "send the chain in order, each certificate before the one that issued it, and none besides"
        return Problem("the chain is out of order", advice, "RFC 8446 §4.4.2", Verdict.NOTE)
    return None


def _run(session: ProbeSession) -> Finding:
    chain = [parse_certificate(one) for one in TlsClient(session, verifies=False).chain()]
    leaf, now = chain[0], datetime.now(UTC)
    found = Certificate(
        left=leaf.not_valid_after_utc - now,
        lifetime=leaf.not_valid_after_utc - leaf.not_valid_before_utc,
        key=key_of(leaf),
        chain=len(chain),
        linked=is_linked(chain),
        distrust=_distrust(session),
    )
    problem = problem_of(found)
    return Finding(
        verdict=problem.verdict if problem else Verdict.OK,
        measured=_text(found) + (f"; {problem.what}" if problem else ""),
        announced=f"for {', '.join(names_of(leaf)[:3]) or 'no name'}, by {_issuer(leaf)}",
        values=_values(found, leaf),
        section=problem.section if problem else None,
        advice=problem.advice if problem else None,
        topic="tls_certificate",
    )


def _distrust(session: ProbeSession) -> str:
    """Why it is not trusted. Such a connection sends no request: with --insecure it is refused here alone."""
    try:
        TlsClient(session, verifies=True).visit()
    except OpenFailure as error:
        if error.stage != "tls":
            raise
        # A server that wants a certificate of the client's ends the handshake, too, but after this check.
        is_ours = isinstance(error.cause, Failure) and error.cause.kind in _DISTRUSTS
        return str(error.cause) if is_ours else ""
    return ""


def _text(found: Certificate) -> str:
    kind, bits = found.key
    days = found.left // _DAY
    left = f"valid for {days:,} days" if days >= 1 else f"valid for {found.left / timedelta(hours=1):.1f} hours"
    left = left if found.left > timedelta(0) else f"{-found.left / _DAY:.1f} days too old"
    return f"{left}, {kind} {bits}, chain of {found.chain}"


def _values(found: Certificate, leaf: x509.Certificate) -> dict[str, FindingValue]:
    kind, bits = found.key
    return {
        "left_days": round(found.left / _DAY, 2),
        "lifetime_days": round(found.lifetime / _DAY, 2),
        "names": names_of(leaf),
        "issuer": _issuer(leaf),
        "key": kind,
        "key_bits": bits,
        "chain": found.chain,
        "linked": found.linked,
        "trusted": not found.distrust,
    }


def _issuer(certificate: x509.Certificate) -> str:
    named = certificate.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return str(named[0].value) if named else certificate.issuer.rfc4514_string()


TLS_CERTIFICATE = Probe(
    name="tls_certificate",
    title="Certificate",
    question="For how long is the certificate valid, and do clients trust it?",
    method="Two handshakes, of which one verifies the chain and the name; no request.",
    section="RFC 5280 §4.1.2.5",
    values={
        "left_days": "days until it expires; negative where it has",
        "lifetime_days": "days from its first to its last",
        "names": "names and addresses that it is for",
        "issuer": "who issued it",
        "key": "kind of its key",
        "key_bits": "size of its key (0 where it is not known)",
        "chain": "certificates that the server sends, its own included",
        "linked": "each of them was issued by the next one",
        "trusted": "a client with these authorities (--cacert, or the system's) accepts it",
    },
    requests=0,
    connections=2,
    run=_run,
    needs_response=False,
    not_for=not_for,
)
