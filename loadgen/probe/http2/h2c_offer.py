"""The offer to go on in HTTP/2, by an upgrade from HTTP/1.1 (RFC 7540 §3.2), and its answer. Judges nothing."""

from __future__ import annotations

from loadgen.probe.failures import NoResponse
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.tunnelling import end_to_end_fields
from loadgen.wire.http1.final_head import FinalHead, FinalHeadReader
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.request_writer import build_request
from loadgen.wire.http2.h2_frame_client import FrameClient

PROTOCOL = "h2c"


def offer_h2c(session: ProbeSession, stream: ProbeStream, client: FrameClient, wait_ns: int) -> FinalHead:
    """Send a request with the offer; the head of what is answered. Raises NoResponse, Malformed or OverBudget.

    client: of a connection that begins with an upgrade. wait_ns: for the answer.
    """
    target = session.plan.target
    offer = (("Upgrade", PROTOCOL), ("HTTP2-Settings", client.upgrade_settings))
    fields = (*end_to_end_fields(session), *offer)
    session.send(stream, build_request("GET", target.path, target.host_field, fields, b"", "Upgrade, HTTP2-Settings"))
    reader, received, until_ns = FinalHeadReader(), b"", session.until_ns(wait_ns)
    while True:
        chunk = stream.receive(until_ns)
        if chunk is None or not chunk.data:
            raise NoResponse(stream.loss, received, session.now_ns())
        received += chunk.data
        found = reader.feed(chunk.data)
        if found is not None:
            return found


def switched_to(head: ResponseHead) -> list[str]:
    """The protocols that a 101 names."""
    return [value.decode("latin-1").strip() for name, value in head.headers if name.lower() == b"upgrade"]


def is_h2c(protocols: list[str]) -> bool:
    """It is what was offered, and nothing else."""
    return [protocol.lower() for protocol in protocols] == [PROTOCOL]
