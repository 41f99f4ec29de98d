"""Does the server refuse TLS clients that offer no ALPN, or HTTP/1.1 alone (RFC 7301 §3.2)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import NoResponse, OpenFailure, ProbeFailure, is_turned_away
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.wire.tls_context import HTTP1_ALONE

_WITH_HTTP2 = "h2_alpn"


def _run(session: ProbeSession) -> Finding:
    without, alone = _refusal(session, ()), _refusal(session, HTTP1_ALONE)
    values = {"works_without_alpn": not without, "works_with_http11_alone": not alone}
    if not without and not alone:
        return Finding(
            verdict=Verdict.OK, measured="clients without ALPN, and of HTTP/1.1 alone, are served", values=values
        )
    if not _speaks_http2(session):
        raise ProbeFailure(f"no TLS client is served, whatever it offers: {alone or without}")
    if alone:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"a client of HTTP/1.1 alone is refused: {alone}",
            values=values,
            advice="health checks and older clients speak HTTP/1.1 alone; let the server accept it",
            topic="http2",
        )
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"a client without ALPN is refused: {without}",
        values=values,
        advice="ab, older clients and some health checks offer no ALPN; let the server take that for HTTP/1.1",
        topic="http2",
    )


def _speaks_http2(session: ProbeSession) -> bool:
    """A client that offers it is served; else a refusal has nothing to do with ALPN."""
    found = session.finding(_WITH_HTTP2)
    return found is not None and bool(found.values.get("agreed"))


def _refusal(session: ProbeSession, alpn: tuple[bytes, ...]) -> str:
    """Why a client with this offer is not served; empty where it is."""
    try:
        with TlsClient(session, alpn=alpn).open() as stream:
            session.ask(stream)
    except OpenFailure as error:
        if is_turned_away(error):
            return str(error)
        raise
    except NoResponse as failure:
        return str(failure)
    return ""


ALPN_REQUIRED = Probe(
    name="alpn_required",
    title="Clients without ALPN",
    question="Does the server serve TLS clients that offer no ALPN, or HTTP/1.1 alone?",
    method="One request on a connection without ALPN, and one on a connection that offers http/1.1 alone.",
    section="RFC 7301 §3.2",
    values={
        "works_without_alpn": "a request without ALPN was answered in HTTP/1.1",
        "works_with_http11_alone": "so was one with http/1.1 alone offered",
    },
    requests=2,
    connections=2,
    run=_run,
    needs_response=False,
    needs=(_WITH_HTTP2,),
    not_for=not_for,
)
