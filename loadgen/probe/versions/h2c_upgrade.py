"""What does an offer to upgrade to HTTP/2 in clear do (RFC 9110 §7.8, RFC 7540 §3.2)? HTTP/2 itself dropped it."""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Http2Link
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.tunnelling import end_to_end_fields, open_end_to_end
from loadgen.probe.versions.h2_prior_knowledge import not_in_clear
from loadgen.wire.errors import Failure
from loadgen.wire.http1.final_head import SWITCHING_PROTOCOLS, FinalHead, FinalHeadReader
from loadgen.wire.http1.head import Malformed
from loadgen.wire.http1.request_writer import build_request
from loadgen.wire.http2.h2_frame_client import FrameClient

_WHO_OFFERS = "curl --http2 and Java's HttpClient make this offer with their first request"


def _run(session: ProbeSession) -> Finding:
    client = FrameClient(upgraded=True)
    with open_end_to_end(session) as stream:
        try:
            found = _offer(session, stream, client)
        except NoResponse as failure:
            return Finding(
                verdict=Verdict.WARNING,
                measured=f"no response to the offer: {failure}",
                values={"accepted": False},
                advice=f"a server may ignore the offer, but has to answer: {_WHO_OFFERS}",
                topic="http2",
            )
        if found.head.status != SWITCHING_PROTOCOLS:
            return _declined(session, found)
        return _accepted(session, stream, client, found)


def _offer(session: ProbeSession, stream: ProbeStream, client: FrameClient) -> FinalHead:
    """Send a request with the offer; the head of what is answered. Raises NoResponse."""
    target = session.plan.target
    offer = (("Upgrade", "h2c"), ("HTTP2-Settings", client.upgrade_settings))
    fields = (*end_to_end_fields(session), *offer)
    session.send(stream, build_request("GET", target.path, target.host_field, fields, b"", "Upgrade, HTTP2-Settings"))
    reader, received, until_ns = FinalHeadReader(), b"", session.timeout_at_ns
    while True:
        chunk = stream.receive(until_ns)
        if chunk is None:
            raise NoResponse(Loss.TIMEOUT, received, session.now_ns())
        if not chunk.data:
            raise NoResponse(Loss.FIN if chunk.ended == "fin" else Loss.RESET, received, chunk.at_ns)
        received += chunk.data
        try:
            found = reader.feed(chunk.data)
        except Malformed as error:
            detail = f"the answer is not HTTP: {error}"
            raise NoResponse(Loss.MALFORMED, received, chunk.at_ns, detail) from None
        if found is not None:
            return found


def _declined(session: ProbeSession, found: FinalHead) -> Finding:
    status = found.head.status
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
    named = [value.decode("latin-1") for name, value in found.head.headers if name.lower() == b"upgrade"]
    if [name.strip().lower() for name in named] != ["h2c"]:
        what = f"to {', '.join(named)!r}, which was not offered" if named else "without saying to what"
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"switched {what}",
            values=values,
            section="RFC 9110 §7.8",
            advice="a 101 has to name in Upgrade the protocol that it switches to, one that was offered",
            topic="http2",
        )
    link, answer = Http2Link(session, stream, client, found.rest), client.streams[1]
    try:
        came = link.wait(lambda: answer.done, session.timeout_at_ns)
        said = [f"GOAWAY {goaway.code}" for goaway in client.goaways]
        why = ", ".join([*said, f"{answer.body_bytes:,} bytes of content", link.loss])
    except Failure as failure:
        came, why = False, str(failure)
    if not came or answer.reset:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"accepted, but no response over HTTP/2: {answer.reset or why}",
            values=values,
            advice=f"let the server decline what it does not finish: {_WHO_OFFERS}",
            topic="http2",
        )
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
