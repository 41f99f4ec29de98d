"""Is HTTP/2 agreed on by ALPN, and spoken then (RFC 9113 §3.2, RFC 7301)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import NotSpoken, Way, open_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import not_for
from loadgen.wire.errors import Failure


def _run(session: ProbeSession) -> Finding:
    try:
        link = open_http2(session, Way.ALPN)
    except NotSpoken:
        return Finding(
            verdict=Verdict.OK, measured="not offered: HTTP/1.1 alone", values={"agreed": False}, topic="http2"
        )
    values: dict[str, bool | int] = {"agreed": True}
    with link:
        try:
            stream = link.ask()
        except (NoResponse, Failure) as failure:
            if isinstance(failure, NoResponse) and failure.how is Loss.TOO_LONG:
                return Finding(
                    verdict=Verdict.NOTE,
                    measured=f"agreed on; {failure}",
                    values=values,
                    advice="name a URL with a short response",
                )
            return Finding(
                verdict=Verdict.WARNING,
                measured=f"agreed on, but no response: {failure}",
                values=values,
                advice="clients fail, as they have no way back to HTTP/1.1; let the server not offer h2",
                topic="http2",
            )
    if stream.reset:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"agreed on, but the request was reset: {stream.reset}",
            values=values,
            advice="see the server's log; clients fail, as they have no way back to HTTP/1.1",
            topic="http2",
        )
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
