"""Is HTTP/2 agreed on by ALPN, and spoken then (RFC 9113 §3.2, RFC 7301)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import NotSpoken, Way, open_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import not_for
from loadgen.probe.versions.http2_response import failed_response

_ADVICE = "clients fail, as they have no way back to HTTP/1.1; see the server's log, or let it not offer h2"


def _run(session: ProbeSession) -> Finding:
    try:
        link = open_http2(session, Way.ALPN)
    except NotSpoken:
        return Finding(
            verdict=Verdict.OK, measured="not offered: HTTP/1.1 alone", values={"agreed": False}, topic="http2"
        )
    values: dict[str, bool | int] = {"agreed": True}
    with link:
        stream = link.start()
        failed = failed_response(link, stream, "agreed on", values, _ADVICE)
    if failed is not None:
        return failed
    return Finding(
        verdict=Verdict.OK,
        measured=f"agreed on and spoken, status {stream.status}",
        values=values | {"status": stream.status},
    )


H2_ALPN = Probe(
    name="h2_alpn",
    title="HTTP/2 by ALPN",
    question="Does the server agree on HTTP/2 where the TLS handshake offers it, and answer then?",
    method="One connection that offers h2 and http/1.1, and one request on it if h2 is agreed on.",
    section="RFC 9113 §3.2",
    values={"agreed": "ALPN chose h2", "status": "status of the response over HTTP/2"},
    requests=1,
    connections=1,
    run=_run,
    needs_response=False,
    not_for=not_for,
)
