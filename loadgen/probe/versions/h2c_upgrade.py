"""What does an offer to upgrade to HTTP/2 in clear do (RFC 9110 §7.8, RFC 7540 §3.2)? HTTP/2 itself dropped it."""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.http2.h2c_offer import is_h2c, offer_h2c, switched_to
from loadgen.probe.http2.http2_link import Http2Link
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.tunnelling import open_end_to_end
from loadgen.probe.versions.h2_prior_knowledge import not_in_clear
from loadgen.probe.versions.http2_response import failed_response
from loadgen.wire.http1.final_head import SWITCHING_PROTOCOLS, FinalHead
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http2.h2_frame_client import FrameClient

_WHO_OFFERS = "curl --http2 and Java's HttpClient make this offer with their first request"
_NOT_FINISHED = f"let the server decline what it does not finish: {_WHO_OFFERS}"


def _run(session: ProbeSession) -> Finding:
    client = FrameClient(upgraded=True)
    with open_end_to_end(session) as stream:
        try:
            found = offer_h2c(session, stream, client, session.plan.timeout_ns)
        except (NoResponse, Malformed) as failure:
            why = f"the answer is not HTTP: {failure}" if isinstance(failure, Malformed) else failure
            return Finding(
                verdict=Verdict.WARNING,
                measured=f"no response to the offer: {why}",
                values={"accepted": False},
                advice=f"a server may ignore the offer, but has to answer: {_WHO_OFFERS}",
                topic="http2",
            )
        if found.head.status != SWITCHING_PROTOCOLS:
            return _declined(session, found)
        return _accepted(session, stream, client, found)


def _declined(session: ProbeSession, found: FinalHead) -> Finding:
    status = found.head.status
    session.check_limit(status)
    values = {"accepted": False, "status": status}
    if status >= 400 and status != session.first.head.status:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"refused with {status}",
            values=values,
            advice=f"a server should ignore what it does not speak: {_WHO_OFFERS}",
            topic="http2",
        )
    return Finding(verdict=Verdict.OK, measured=f"declined: HTTP/1.1, status {status}", values=values, topic="http2")


def _accepted(session: ProbeSession, stream: ProbeStream, client: FrameClient, found: FinalHead) -> Finding:
    """The server switches: the response must come as that of stream 1."""
    values = {"accepted": True}
    named = switched_to(found.head)
    if not is_h2c(named):
        what = f"to {', '.join(named)!r}, which was not offered" if named else "without saying to what"
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"switched {what}",
            values=values,
            section="RFC 9110 §7.8",
            advice="a 101 has to name in Upgrade the protocol that it switches to, one that was offered",
            topic="http2",
        )
    answer = client.streams[1]
    link = Http2Link(session, stream, client, found.rest)
    failed = failed_response(link, answer, "accepted", values, _NOT_FINISHED)
    if failed is not None:
        return failed
    return Finding(
        verdict=Verdict.OK,
        measured=f"accepted, status {answer.status} over HTTP/2",
        values=values | {"status": answer.status},
    )


H2C_UPGRADE = Probe(
    name="h2c_upgrade",
    title="HTTP/2 by an upgrade (h2c)",
    question="What does an offer to upgrade to HTTP/2 in clear do?",
    method="One GET with `Upgrade: h2c`; where the server switches, its response is read over HTTP/2.",
    section="RFC 9110 §7.8",
    values={"accepted": "the server switched protocols", "status": "status of the response, in whichever protocol"},
    requests=1,
    connections=1,
    run=_run,
    waits=True,
    not_for=not_in_clear,
)
